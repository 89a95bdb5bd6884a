"""The docs for programs that read them: an index of all pages, one of a single page, all of them as one text, and a page's Markdown twin.

The form of an index is that of llmstxt.org: a title, a summary, then sections of links.
"""

from collections.abc import Iterable

from keyrack.docs.library import Library
from keyrack.docs.markdown import twin
from keyrack.docs.page import Page
from keyrack.model.brands import Brand

INDEX, FULL = "llms.txt", "llms-full.txt"


def index(library: Library, brand: Brand, base_url: str) -> str:
    """Return the index of all pages. What stands in no sidebar is optional reading."""
    sections = [
        (section.title if section.title == tab.title or len(tab.sections) == 1 else f"{tab.title}: {section.title}", section.pages)
        for tab in library.tabs
        for section in tab.sections
    ]
    unlisted = [page for page in library.pages if not page.is_listed]
    return (
        f"# {brand.name} API\n\n> How programs work with {brand.name}: keys, calls, limits, errors, and every operation.\n\n"
        f"Each page has a twin in Markdown at its address and `.md`. `/{INDEX}` behind a page's address is an index of that page, "
        f"and {base_url}/{FULL} holds all pages.\n"
        + "".join(_section(title, pages, base_url) for title, pages in [*sections, ("Optional", unlisted)] if pages)
    )


def index_of(library: Library, page: Page, base_url: str) -> str:
    """Return the index of one page: its parts, and the pages that it leads to."""
    address = f"{base_url}/docs/{page.slug}"
    parts = [f"- [{heading.title}]({address}#{heading.anchor})" for heading in library.rendered(page).headings if heading.level == 2]
    below = [other for other in library.pages if other.slug.startswith(f"{page.slug}/")]
    return (
        f"# {page.title}\n\n> {_line(page.summary)}\n\n- [The page in Markdown]({address}.md)\n- [All pages]({base_url}/{INDEX})\n"
        + ("\n## On this page\n\n" + "\n".join(parts) + "\n" if parts else "")
        + "".join(
            _section(title, pages, base_url)
            for title, pages in (("Below this page", below), ("Next", library.some(page.next)), ("Related", library.some(page.related)))
            if pages
        )
    )


def full(library: Library, brand: Brand, base_url: str) -> str:
    """Return all pages as one text."""
    texts = (_text(library, page, base_url, f"Source: {base_url}/docs/{page.slug}") for page in library.pages)
    return f"# {brand.name} API: all pages\n\n" + "\n---\n\n".join(texts)


def markdown(library: Library, page: Page, base_url: str) -> str:
    """Return a page's twin, which begins with where the index is."""
    return f"Documentation index: {base_url}/{INDEX}\n\n{_text(library, page, base_url)}"


def _text(library: Library, page: Page, base_url: str, source: str = "") -> str:
    said = f"{source}\n\n" if source else ""
    ends = "".join(
        _section(title, pages, base_url)
        for title, pages in (("Next", library.some(page.next)), ("Related", library.some(page.related)))
        if pages
    )
    return f"# {page.title}\n\n{said}> {_line(page.summary)}\n\n{twin(page.markdown, base_url)}{ends}"


def _section(title: str, pages: Iterable[Page], base_url: str) -> str:
    lines = "\n".join(f"- [{page.title}]({base_url}/docs/{page.slug}.md): {_line(page.summary)}" for page in pages)
    return f"\n## {title}\n\n{lines}\n"


def _line(text: str) -> str:
    return " ".join(text.split())
