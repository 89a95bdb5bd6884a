"""The lines of the request log as files: CSV for spreadsheets, JSON Lines for programs. Newest first, each line with its time in front.

A file that cannot be made to its end is never taken for a whole one: its last line says so, and the transfer is cut.
"""

import csv
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from io import StringIO
from typing import Any

import msgspec
from starlette.responses import StreamingResponse
from starlette.types import Send

from keyrack.model.refusals import INTERNAL_ERROR, Refused
from keyrack.model.request_logs import RequestLog
from keyrack.model.times import iso

LINES_MAX = 100_000
LINES_AT_ONCE = 500
EXPORTS_AT_ONCE_MAX = 4
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
COLUMNS = (
    "created_at",
    "request_id",
    "method",
    "path",
    "route",
    "status",
    "code",
    "reason",
    "duration_ms",
    "credential_kind",
    "credential_id",
    "credential_name",
    "integration_id",
    "member_id",
    "app_id",
    "grant_id",
    "mode",
    "ip_address",
    "user_agent",
)
_BROKEN_OFF = "INCOMPLETE: the file breaks off here."
# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, "CSV injection").
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def encode(kind: str, lines: Sequence[RequestLog], *, first: bool) -> bytes:
    """Return lines as a part of a file of one of TYPES; `first` where the file begins with it."""
    if kind == "jsonl":
        return b"".join(msgspec.json.encode(_view(line)) + b"\n" for line in lines)
    part = StringIO()
    writer = csv.writer(part)
    if first:
        writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in _values(line)] for line in lines)
    return part.getvalue().encode(errors="replace")


async def stream(kind: str, batches: AsyncIterator[Sequence[RequestLog]]) -> AsyncIterator[bytes]:
    """Yield a file of these lines, part by part. Where they end with an error, it yields a line that says so, and raises the error."""
    first = True
    try:
        async for lines in batches:
            yield encode(kind, lines, first=first)
            first = False
    except Exception as error:
        # Between the server and the reader may be one that speaks HTTP/1.0, to whom a cut is an end like any other.
        yield _broken_off(kind, error.detail if isinstance(error, Refused) else f"{INTERNAL_ERROR.title}.")
        raise
    if first:
        yield encode(kind, (), first=True)


class Download(StreamingResponse):
    """A file that is made while it is sent. With a refusal it ends without its last message: the server cuts the connection."""

    async def stream_response(self, send: Send) -> None:
        """Send it, to its end or as far as it came."""
        with suppress(Refused):
            await super().stream_response(send)


def _broken_off(kind: str, why: str) -> bytes:
    if kind == "jsonl":
        return msgspec.json.encode({"object": "incomplete", "detail": f"{_BROKEN_OFF} {why}"}) + b"\n"
    part = StringIO()
    csv.writer(part).writerow([f"{_BROKEN_OFF} {why}"])
    return part.getvalue().encode(errors="replace")


def _values(line: RequestLog) -> list[Any]:
    return [iso(line.created_at), *(getattr(line, name) for name in COLUMNS[1:])]


def _view(line: RequestLog) -> dict[str, Any]:
    return dict(zip(COLUMNS, _values(line), strict=True)) | {"object": "log", "id": line.request_id}


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text
