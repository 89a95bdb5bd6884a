"""Markdown as HTML, by markdown-it and Pygments; and what a page's text says of its parts.

CommonMark with tables and GitHub's alerts (`> [!NOTE]`). Raw HTML is shown as text. Links of this host begin with `/`.
"""

import re
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from keyrack.docs.page import Page

ROOT = "/root-path.invalid"
"""Stands for what a proxy or a mount has put in front of this host's paths, in HTML that is made once."""
FORM = "/docs/help"
"""The one page that is a form, and has no twin."""
WORDS_A_MINUTE = 220
_TITLES = {"sh": "Shell", "bash": "Shell", "json": "JSON", "python": "Python", "typescript": "TypeScript", "http": "HTTP", "text": "Text"}
_LINK = re.compile(r"\]\((/[^)\s#]*)(#[^)\s]*)?\)")
_INFO = re.compile(r"^(```+\w+) [^\n`]+$", re.MULTILINE)
_HEADING = re.compile(r"(#{1,6}) +(.+?) *#*$")
_LINKED = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"^[>\s]*(?:[-*] |\d+\. )?|\|[-| :]*|\[![A-Z]+\]")
_TAB = re.compile(r'\btab="([^"]+)"')
_formatter = HtmlFormatter(nowrap=True)


class Heading(NamedTuple):
    """A heading of a page: 2 or 3 deep, its anchor, and what it says."""

    level: int
    anchor: str
    title: str


class Part(NamedTuple):
    """A heading's part of a page, as plain text; what stands above the first heading has no anchor."""

    anchor: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page as HTML, with what is known of it."""

    html: Markup
    headings: tuple[Heading, ...]
    minutes: int


def render(page: Page) -> Rendered:
    """Return a page's text as HTML. Addresses of this host are those that `Facts.base_url` and `ROOT` stand for."""
    tokens = _markdown.parse(page.markdown + page.closing)
    headings = _anchor(tokens)
    html = Markup(_markdown.renderer.render(tokens, _markdown.options, {}))  # noqa: S704 - markdown-it escapes
    words = sum(len(part.text.split()) for part in parts(page))
    return Rendered(page.more(html) if page.more else html, tuple(headings), max(1, round(words / WORDS_A_MINUTE)))


def parts(page: Page) -> list[Part]:
    """Return the parts of a page as plain text, for the search: read line by line, which takes a hundredth of the time of parsing it."""
    found = [Part("", "", "")]
    seen: dict[str, int] = {}
    said: list[str] = []
    inside = False
    for line in page.markdown.splitlines():
        if line.startswith("```"):
            inside = not inside
        elif not inside and (heading := _HEADING.match(line)):
            title = _unlinked(heading[2])
            anchor = _anchor_of(title, seen)
            if len(heading[1]) in (2, 3):
                found[-1] = found[-1]._replace(text=" ".join(said))
                found.append(Part(anchor, title, ""))
                said = []
        else:
            said.append(line if inside else _bare(line))
    found[-1] = found[-1]._replace(text=" ".join(" ".join(said).split()))
    return found


def twin(markdown: str, base_url: str) -> str:
    """Return Markdown for programs: whole addresses, and pages of the docs by their own twins."""

    def whole(found: re.Match[str]) -> str:
        path, anchor = found[1], found[2] or ""
        is_page = path.startswith("/docs/") and path != FORM and "." not in path.rpartition("/")[2]
        return f"]({base_url}{path}{'.md' if is_page else ''}{anchor})"

    return _INFO.sub(r"\1", _LINK.sub(whole, markdown))


def _anchor(tokens: Sequence[Token]) -> list[Heading]:
    """Give each heading an anchor made of its words, unique on the page, and return those that stand on the page's own list."""
    headings: list[Heading] = []
    seen: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            title = _plain(inline)
            opening.attrSet("id", _anchor_of(title, seen))
            level = int(opening.tag[1])
            if level in (2, 3):
                headings.append(Heading(level, str(opening.attrGet("id")), title))
    return headings


def _anchor_of(title: str, seen: dict[str, int]) -> str:
    # An id begins with a letter: a step is linked to by its words, not by its number.
    name = re.sub(r"[^a-z0-9_]+", "-", title.lower()).strip("-").lstrip("0123456789-_") or "part"
    seen[name] = seen.get(name, 0) + 1
    return name if seen[name] == 1 else f"{name}-{seen[name]}"


def _bare(line: str) -> str:
    """A line without the marks of Markdown."""
    return _MARKS.sub(" ", _unlinked(line))


def _unlinked(text: str) -> str:
    return _LINKED.sub(r"\1", text).replace("`", "").replace("**", "")


def _plain(inline: Token) -> str:
    return "".join(" " if child.type in ("softbreak", "hardbreak") else child.content for child in inline.children or [])


def _fence(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]) -> str:
    """A block of code with its language, and a button that copies it where there are scripts."""
    token = tokens[index]
    language = token.info.split(" ", 1)[0]
    env["blocks"] = number = env.get("blocks", 0) + 1
    named = _TAB.search(token.info)
    title = named[1] if named else _TITLES.get(language, language.upper() or "Text")
    code = _highlighted(token.content, language)
    tab = f' data-tab="{escape(title)}"' if named else ""
    return (
        f'<div class="code"{tab}><div class="code-head"><span>{escape(title)}</span>'
        f'<button type="button" class="text-button" data-copy="code-{number}" data-control="docs.code.copy" hidden>'
        f'<span>Copy</span></button></div><pre tabindex="0"><code id="code-{number}" class="language-{escape(language or "text")}">'
        f"{code}</code></pre></div>\n"
    )


def _highlighted(text: str, language: str) -> str:
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return str(escape(text))
    return str(highlight(text, lexer, _formatter))


def _heading_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    opening = str(renderer.renderToken(tokens, index, options, env))
    if _leads_elsewhere(tokens[index + 1]):
        return opening
    return f'{opening}<a class="anchor" href="#{tokens[index].attrGet("id")}" data-control="docs.anchor">'


def _heading_close(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    closing = str(renderer.renderToken(tokens, index, options, env))
    return closing if _leads_elsewhere(tokens[index - 1]) else f"</a>{closing}"


def _leads_elsewhere(heading: Token) -> bool:
    """Whether a heading holds a link already: no link stands in another."""
    return any(child.type == "link_open" for child in heading.children or [])


def _link_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    target = str(token.attrGet("href") or "")
    if target.startswith("/"):
        token.attrSet("href", ROOT + target)
    elif target.startswith(("http:", "https:")):
        token.attrSet("rel", "noopener")
    token.attrSet("data-control", "docs.link")
    return str(renderer.renderToken(tokens, index, options, env))


def _table_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    # A table that is wider than a phone is scrolled by itself, also by keyboard.
    return '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>\n'


def _table_close(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return "</table></div>\n"


def _build() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "alerts": True, "typographer": False}).enable(["table", "strikethrough"])
    for name, rule in (
        ("fence", _fence),
        ("heading_open", _heading_open),
        ("heading_close", _heading_close),
        ("link_open", _link_open),
        ("table_open", _table_open),
        ("table_close", _table_close),
    ):
        markdown.add_render_rule(name, rule)
    return markdown


_markdown = _build()
