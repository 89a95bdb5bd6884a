"""What a page of the docs is, and how pages are read from a folder of Markdown.

A file `quickstart.md` is the page `/docs/quickstart`; a folder's name stands in front of the slash: `errors/not_found.md`. Above its text
stands what is known of it, as TOML between two lines `+++`. Text, title and summary may hold Jinja2 placeholders, filled in with `Facts`;
what several pages say stands in `parts/`, to be included. What comes of it is Markdown: nothing is escaped before that is rendered.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from keyrack.docs.facts import Facts

_PARTS = FileSystemLoader(Path(__file__).parent / "parts")
_FRONT = re.compile(r"\+\+\+\n(.*?)\n\+\+\+\n", re.DOTALL)
_SLUG = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*")
_KNOWN = frozenset({"title", "summary", "section", "order", "updated", "related", "next", "when", "is_listed"})


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the docs, as its source has it.

    `slug` is its path below `/docs`, `section` the title above it in the sidebar, `order` its place there. `markdown` is its text without
    the title: links to other pages are written `/docs/errors`, addresses of this host begin with `Facts.base_url`. `closing` is more of it,
    which its twin for programs lacks; `more` makes of the rendered text what is shown, where a page has more than Markdown can say.
    `updated` is a day, written `2026-11-21`. `next` are slugs shown as cards at its end, `related` as a list: those that there are. A page
    that is not `is_listed` stands in no sidebar: another one leads there.
    """

    slug: str
    title: str
    summary: str
    section: str
    markdown: str
    order: int = 0
    updated: str = ""
    related: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    is_listed: bool = True
    closing: str = ""
    more: Callable[[Markup], Markup] | None = None

    def __post_init__(self) -> None:
        if not _SLUG.fullmatch(self.slug):
            raise ValueError(f"the docs page {self.slug!r}: a slug is made of a-z, 0-9, - and _, with / between its parts")

    @property
    def label(self) -> str:
        """The title as lists of pages have it: its first part, without marks."""
        return re.split(r"[,.:;] ", self.title)[0].replace("`", "")


def read(folder: Path, facts: Facts) -> Iterator[Page]:
    """Yield the pages of a folder, but for those whose `when` is not so for this host. Raises ValueError that names a wrong file."""
    environment = Environment(loader=_PARTS, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    environment.globals.update(facts.shown())
    for path in sorted(folder.rglob("*.md")):
        slug = path.relative_to(folder).with_suffix("").as_posix()
        try:
            page = _read(environment, slug, path.read_text(encoding="utf-8"))
        except Exception as error:
            raise ValueError(f"{path}: {error}") from error
        if page is not None:
            yield page


def _read(environment: Environment, slug: str, text: str) -> Page | None:
    front = _FRONT.match(text)
    if front is None:
        raise ValueError("it does not begin with its title, summary and section between two lines +++")
    known: Mapping[str, Any] = tomllib.loads(front[1])
    if unknown := known.keys() - _KNOWN:
        raise ValueError(f"{', '.join(sorted(unknown))}: known are {', '.join(sorted(_KNOWN))}")
    if "when" in known and not environment.compile_expression(known["when"])():
        return None
    return Page(
        slug=slug,
        title=environment.from_string(known["title"]).render(),
        summary=environment.from_string(known["summary"]).render(),
        section=known["section"],
        markdown=environment.from_string(text[front.end() :]).render().strip() + "\n",
        order=known.get("order", 0),
        updated=str(known.get("updated", "")),
        related=tuple(known.get("related", ())),
        next=tuple(known.get("next", ())),
        is_listed=known.get("is_listed", True),
    )
