"""The lines of the request log as files: CSV for spreadsheets, JSON Lines for programs. Newest first, each line with its time in front."""

import csv
from collections.abc import AsyncIterator, Sequence
from io import StringIO
from typing import Any

import msgspec

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
    """Yield a file of these lines, part by part."""
    first = True
    async for lines in batches:
        yield encode(kind, lines, first=first)
        first = False
    if first:
        yield encode(kind, (), first=True)


def _values(line: RequestLog) -> list[Any]:
    return [iso(line.created_at), *(getattr(line, name) for name in COLUMNS[1:])]


def _view(line: RequestLog) -> dict[str, Any]:
    return dict(zip(COLUMNS, _values(line), strict=True)) | {"object": "log", "id": line.request_id}


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text
