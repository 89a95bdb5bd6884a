"""What people wrote, as HTML: Markdown without pictures, headings and raw HTML, whose links lead outside and lend no weight."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup

# Of this host nothing but its docs: what a stranger wrote leads nobody to a page that does something.
_LINK = re.compile(r"https?://[^\s/?#@\\]+([/?#].*)?|/docs(/[a-z0-9/_-]*)?(#[\w-]*)?", re.IGNORECASE)
_SCHEME = re.compile(r"(?<![A-Za-z0-9])https?$", re.IGNORECASE)
_REST = re.compile(r"://[^\s<>\"`*|]+")
_STOPS = ".,;:!?'\")]}"
KEPT = 512
"""How many texts are kept as HTML: one that is written to take long takes long once."""
CELLS_MAX = 2_000
"""How many cells the tables of a text have at most, those included that their rows leave out: what is beyond stays text."""
OUTSIDE = "nofollow ugc noopener noreferrer"


@lru_cache(maxsize=KEPT)
def render(text: str, root: str = "") -> Markup:
    """Return a text as HTML that is safe on a page. `root` is what a proxy or a mount has put in front of this host's paths."""
    return Markup(_markdown.render(text, {"root": root}))  # noqa: S704 - markdown-it escapes


def _address(state: StateInline, silent: bool) -> bool:
    """Make a link of an address that stands in a text as it is, without what closes the sentence behind it."""
    scheme, rest = _SCHEME.search(state.pending, max(0, len(state.pending) - 5)), _REST.match(state.src, state.pos)
    if scheme is None or rest is None or state.linkLevel:
        return False
    url = (scheme[0] + rest[0]).rstrip(_STOPS)
    if not state.md.validateLink(state.md.normalizeLink(url)):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        state.push("link_open", "a", 1).attrs = {"href": state.md.normalizeLink(url)}
        state.push("text", "", 0).content = url
        state.push("link_close", "a", -1)
    state.pos += len(url) - len(scheme[0])
    return True


def _table(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """Make a table, unless it would have too many cells: a head of many columns fills each row that follows, however short that is."""
    spent = state.env.get("cells", 0)
    if spent > CELLS_MAX or not table(state, first, end, True):
        return False
    columns = state.src.count("|", state.bMarks[first], state.eMarks[first]) + 1
    rows = 0
    while spent + columns * rows <= CELLS_MAX and first + rows < end and not state.isEmpty(first + rows):
        rows += 1
    if spent + columns * rows > CELLS_MAX or not silent:
        state.env["cells"] = spent + columns * rows
    return state.env.get("cells", 0) <= CELLS_MAX and table(state, first, end, silent)


def _link_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    target = str(token.attrGet("href") or "")
    if target.startswith("/"):
        token.attrSet("href", env["root"] + target)
    else:
        token.attrSet("rel", OUTSIDE)
    token.attrSet("data-control", "community.link")
    return str(renderer.renderToken(tokens, index, options, env))


def _code(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    # Wider than a phone, it is scrolled by itself, also by keyboard. What it claims to be written in stands nowhere: it may be anything.
    return Markup('<pre tabindex="0"><code>{}</code></pre>\n').format(tokens[index].content)


def _table_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>\n'


def _table_close(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return "</table></div>\n"


def _build() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    markdown.enable(["table", "strikethrough"]).disable(["image", "heading", "lheading", "html_block", "html_inline", "reference", "hr"])
    markdown.inline.ruler.after("text", "address", _address)
    markdown.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    markdown.validateLink = lambda url: _LINK.fullmatch(url) is not None  # type: ignore[method-assign]
    for name, rule in (
        ("fence", _code),
        ("code_block", _code),
        ("link_open", _link_open),
        ("table_open", _table_open),
        ("table_close", _table_close),
    ):
        markdown.add_render_rule(name, rule)
    return markdown


_markdown = _build()
