"""The formats that sources have: each is taken apart into sections of text with their place. Runs in a process of its own."""

import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from pypdf import PdfReader
from pypdf.errors import PyPdfError

PAGES_MAX = 2_000
ROWS_MAX = 20_000
COLUMNS_MAX = 200
CELL_LENGTH_MAX = 20_000
PLACE_LENGTH_MAX = 300
_ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")
_BLANKS = re.compile(r"[^\S\n]+")
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([A-Za-z0-9_-]{2,40})", re.IGNORECASE)
_UNSAID = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object", "head", "nav", "select", "textarea"})
_BLOCK_NAMES = """
    address article aside blockquote br caption dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6
    header hr li main ol p pre section summary table tbody td tfoot th thead tr ul
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_HEADING = re.compile(r"h[1-6]")


class Unreadable(Exception):
    """This content is not what it should be. The words are for whoever sent it."""


Section = tuple[str, str]
"""A place, and the text that stands there."""


def read(kind: str, content: bytes) -> tuple[str | None, Iterator[Section]]:
    """Return the title that a content gives itself, and its sections. Raises Unreadable, also while they are read."""
    if kind == "pdf":
        return _pdf(content)
    if kind == "html":
        page = _Page()
        page.feed(_decoded(content, _charset(content)))
        page.close()
        return page.title, iter(page.sections())
    text = _decoded(content)
    if kind == "csv":
        return None, _csv(text)
    return (None, _markdown(text)) if kind == "markdown" else (None, iter([("", text)]))


def _decoded(content: bytes, charset: str | None = None) -> str:
    if b"\x00" in content[:4096] and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise Unreadable("This is no text: it holds binary data.")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace").replace("\x00", "")
    for encoding in (*([charset] if charset else []), *_ENCODINGS):
        try:
            return content.decode(encoding).replace("\x00", "")
        except (UnicodeDecodeError, LookupError):
            continue
    raise Unreadable("This text is in no encoding that is known here: send it as UTF-8.")


def _charset(content: bytes) -> str | None:
    found = _CHARSET.search(content[:4096])
    return found[1].decode() if found else None


def _pdf(content: bytes) -> tuple[str | None, Iterator[Section]]:
    if b"%PDF-" not in content[:1024]:
        raise Unreadable("This is no PDF file.")
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("This PDF file is protected by a password.")
        title = reader.metadata.title if reader.metadata else None
        count = len(reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise Unreadable("This PDF file is damaged.") from None
    if count > PAGES_MAX:
        raise Unreadable(f"This PDF file has {count:,} pages: {PAGES_MAX:,} at most are read.")
    return str(title) if title else None, _pages(reader)


def _pages(reader: PdfReader) -> Iterator[Section]:
    for number, page in enumerate(reader.pages, 1):
        try:
            text = page.extract_text()
        except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            raise Unreadable(f"Page {number} of this PDF file is damaged.") from None
        yield f"page {number}", text.replace("\x00", "")


def _csv(text: str) -> Iterator[Section]:
    csv.field_size_limit(CELL_LENGTH_MAX)
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = csv.reader(io.StringIO(text), dialect)
    try:
        heads = [head.strip() for head in next(rows, [])]
        if len(heads) > COLUMNS_MAX:
            raise Unreadable(f"This table has {len(heads):,} columns: {COLUMNS_MAX} at most are read.")
        for number, row in enumerate(rows, 2):
            if number > ROWS_MAX:
                raise Unreadable(f"This table has more than {ROWS_MAX:,} rows.")
            cells = [
                f"{head}: {cell.strip()}" if head else cell.strip()
                for head, cell in zip(_filled(heads, row), row, strict=True)
                if cell.strip()
            ]
            yield f"row {number}", "; ".join(cells[:COLUMNS_MAX])
    except csv.Error as error:
        raise Unreadable(f"This table cannot be read: {error}.") from None


def _filled(heads: list[str], row: list[str]) -> list[str]:
    return [*heads[: len(row)], *([""] * (len(row) - len(heads)))]


def _markdown(text: str) -> Iterator[Section]:
    headings: list[tuple[int, str]] = []
    level = 0
    said: list[str] = []
    for token in MarkdownIt("commonmark", {"html": False}).enable("table").parse(text):
        if token.type == "heading_open":
            if said:
                yield _place([words for _, words in headings]), "\n".join(said)
            level, said = int(token.tag[1]), []
            headings = [one for one in headings if one[0] < level]
        elif token.type == "inline":
            words = "".join(" " if child.type in ("softbreak", "hardbreak") else child.content for child in token.children or [])
            if level:
                headings.append((level, words.strip()))
            elif words.strip():
                said.append(words.strip())
        elif token.type == "heading_close":
            level = 0
        elif token.type in ("fence", "code_block"):
            said.append(token.content.rstrip())
    if said:
        yield _place([words for _, words in headings]), "\n".join(said)


class _Page(HTMLParser):
    """Gathers what a page says, under its headings."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: str | None = None
        self._unsaid: list[str] = []
        self._in_title = False
        self._heading = 0
        self._headings: list[tuple[int, str]] = []
        self._words: list[str] = []
        self._found: list[Section] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if tag == "title" and self.title is None:
            self._in_title = True
        if tag == "body":
            # A head that was never closed does not swallow the page.
            self._unsaid.clear()
        elif tag in _UNSAID:
            self._unsaid.append(tag)
        elif not self._unsaid and _HEADING.fullmatch(tag):
            self._end_section()
            self._heading = int(tag[1])
        elif tag in _BLOCKS:
            self._words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        self._in_title = self._in_title and tag != "title"
        if tag in self._unsaid:
            while self._unsaid.pop() != tag:
                pass
        elif self._heading and _HEADING.fullmatch(tag):
            words = _tidy("".join(self._words)).replace("\n", " ")
            self._words.clear()
            self._headings = [*(one for one in self._headings if one[0] < self._heading), *([(self._heading, words)] if words else [])]
            self._heading = 0
        elif tag in _BLOCKS:
            self._words.append("\n")

    def handle_data(self, data: str) -> None:
        """Take in text."""
        if self._in_title:
            self.title = ((self.title or "") + data).strip()[:200]
        elif not self._unsaid:
            self._words.append(data)

    def sections(self) -> list[Section]:
        """What the page says, in order."""
        self._end_section()
        return self._found

    def _end_section(self) -> None:
        text = _tidy("".join(self._words))
        self._words.clear()
        if text:
            self._found.append((_place([words for _, words in self._headings]), text))


def _tidy(text: str) -> str:
    lines = (_BLANKS.sub(" ", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _place(headings: list[str]) -> str:
    return " › ".join(one for one in headings if one)[:PLACE_LENGTH_MAX]
