"""Times: ms since the epoch inside, ISO 8601 in UTC with milliseconds on the wire."""

import re
from datetime import UTC, datetime

TIME_MS_MAX = 253_402_300_799_999
"""The last millisecond of the year 9999."""

_ADVICE = "write a time with its offset, like 2026-07-15T00:00:00Z"
# RFC 3339: a time without an offset means another moment to each reader, so it is none.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def iso(at: int) -> str:
    """Return a time as it is on the wire: `2026-05-26T17:21:09.412Z`."""
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at % 1000:03d}Z"


def read_iso(text: str) -> int:
    """Return the ms since the epoch of a time with an offset (RFC 3339 §5.6). Raises ValueError for anything else."""
    if not _TIME.fullmatch(text):
        raise ValueError(_ADVICE)
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError(f"there is no such time; {_ADVICE}") from None
    at = int(moment.timestamp()) * 1000 + moment.microsecond // 1000
    if not 0 <= at <= TIME_MS_MAX:
        raise ValueError("a time lies between the years 1970 and 9999")
    return at
