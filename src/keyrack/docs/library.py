"""All pages of one host's docs: in their order, with what stands before and behind each, and rendered when they are first asked for."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from keyrack.docs.markdown import Rendered, render
from keyrack.docs.page import Page
from keyrack.docs.search import Index

TABS = (
    ("Get Started", ("Welcome", "Concepts")),
    ("Guides", ("Guides", "Examples")),
    ("API Reference", ("API Reference",)),
    ("SDKs", ("SDKs",)),
    ("Changelog", ("Changelog",)),
)
"""The tabs above all pages, and the sections of each. A section that stands in none belongs to `OTHERS`."""
OTHERS = "Guides"
REFERENCE = "API Reference"


class Section(NamedTuple):
    """Pages under one title of the sidebar."""

    title: str
    pages: tuple[Page, ...]


class Tab(NamedTuple):
    """A tab and its sections. It leads to the first page of the first of them."""

    title: str
    sections: tuple[Section, ...]

    @property
    def first(self) -> Page:
        """The page that the tab leads to."""
        return self.sections[0].pages[0]


class Library:
    """The pages of one host, and the `index` that finds them by words.

    Of pages with the same slug the last one counts: a host replaces ours with its own.
    """

    def __init__(self, pages: Iterable[Page]) -> None:
        self._by_slug = {page.slug: page for page in pages}
        self._rendered: dict[str, Rendered] = {}
        self._texts: dict[str, str] = {}
        self.tabs = tuple(_tabs(list(self._by_slug.values())))
        self._in_order = [page for tab in self.tabs for section in tab.sections for page in section.pages]
        self.index = Index(self.pages)

    @property
    def pages(self) -> Sequence[Page]:
        """All pages: those of the sidebar in its order, then the others by their slugs."""
        others = sorted((page for page in self._by_slug.values() if not page.is_listed), key=lambda page: page.slug)
        return [*self._in_order, *others]

    @property
    def first(self) -> Page:
        """The page with which the docs begin."""
        return self._in_order[0]

    def find(self, slug: str) -> Page | None:
        """Return the page with this slug."""
        return self._by_slug.get(slug)

    def some(self, slugs: Iterable[str]) -> list[Page]:
        """Return the pages with these slugs, but for those that this host has not."""
        return [self._by_slug[slug] for slug in slugs if slug in self._by_slug]

    def rendered(self, page: Page) -> Rendered:
        """Return a page as HTML."""
        if page.slug not in self._rendered:
            self._rendered[page.slug] = render(page)
        return self._rendered[page.slug]

    def kept(self, name: str, make: Callable[[], str]) -> str:
        """Return a text that is made once, of all pages."""
        if name not in self._texts:
            self._texts[name] = make()
        return self._texts[name]

    def tab(self, page: Page) -> Tab:
        """Return the tab under which a page stands, or to which it would belong."""
        return next((tab for tab in self.tabs if tab.title == _tab_of(page)), self.tabs[0])

    def neighbours(self, page: Page) -> tuple[Page | None, Page | None]:
        """Return the page before and the one behind, in the order of the sidebars, through all tabs."""
        if not page.is_listed:
            return None, None
        place = self._in_order.index(page)
        before = self._in_order[place - 1] if place else None
        return before, self._in_order[place + 1] if place + 1 < len(self._in_order) else None


def _tabs(pages: Sequence[Page]) -> Iterable[Tab]:
    for title, known in TABS:
        own = [page for page in pages if page.is_listed and _tab_of(page) == title]
        # Sections that only a host knows follow ours, in the order in which its pages come.
        names = dict.fromkeys([*known, *(page.section for page in own)])
        sections = (Section(name, tuple(sorted((p for p in own if p.section == name), key=lambda p: p.order))) for name in names)
        filled = tuple(section for section in sections if section.pages)
        if filled:
            yield Tab(title, filled)


def _tab_of(page: Page) -> str:
    if page.slug.startswith("api/"):
        return REFERENCE
    return next((title for title, sections in TABS if page.section in sections), OTHERS)
