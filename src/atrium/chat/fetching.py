"""Fetching a page that somebody gave as a source: once, through the guard, as it is for everybody."""

from atrium.chat.models import SourceKind
from atrium.chat.reading import NotRead
from keyrack import Keyrack, NotSent

FETCH_SECONDS_MAX = 20.0
PAGE_BYTES_MAX = 5 * 1024 * 1024
_KINDS = {
    "text/html": SourceKind.HTML,
    "application/xhtml+xml": SourceKind.HTML,
    "application/pdf": SourceKind.PDF,
    "text/csv": SourceKind.CSV,
    "text/markdown": SourceKind.MARKDOWN,
    "text/plain": SourceKind.TEXT,
}


async def fetch(rack: Keyrack, url: str) -> tuple[SourceKind, bytes]:
    """Return what stands at an address, and of which kind it is. Raises NotRead."""
    try:
        answer = await rack.fetch(url, timeout_seconds=FETCH_SECONDS_MAX, answer_bytes_max=PAGE_BYTES_MAX)
    except NotSent as error:
        raise NotRead(error.detail) from None
    headers = dict(answer.headers)
    if 300 <= answer.status < 400:
        raise NotRead("The address leads to another one. Give that one.")
    if answer.status != 200:
        raise NotRead(f"The address was answered with status {answer.status}.")
    if answer.truncated:
        raise NotRead(f"The page is too long: {PAGE_BYTES_MAX // 1024**2} MiB at most are read.")
    if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise NotRead("The page came compressed, though it was asked for as it is.")
    kind = _KINDS.get(headers.get("content-type", "text/html").partition(";")[0].strip().lower())
    if kind is None:
        raise NotRead("What stands there is neither a page (HTML) nor a PDF file, a table (CSV) or a text.")
    return kind, answer.body
