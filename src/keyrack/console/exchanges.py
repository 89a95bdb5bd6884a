"""What was sent to an endpoint and what it answered, as people can read it: whatever a stranger wrote there is shown, and does nothing."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from keyrack.console.charts import took
from keyrack.console.delivery_words import Badge, outcome, outcome_in_words, status_words
from keyrack.model.deliveries import Attempt, Trigger

HEADERS_SHOWN_MAX = 60
HEADER_LENGTH_MAX = 1000
# What people cannot see, or what changes how the text beside it is read: controls, marks of direction, halves of pairs, unassigned places.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")


class Tried(NamedTuple):
    """An attempt as it is shown. `response_head` is empty where no answer came."""

    number: int
    at: int
    outcome: Badge
    said: str
    took: str
    address: str
    is_manual: bool
    request_head: str
    request_body: str
    response_head: str
    response_body: str
    truncated: bool


def readable(text: str, kept: str = "\n\t") -> str:
    """Return a text in which everything can be seen: a control or a mark of direction stands as its number, like `\\x00` or `\\u202e`."""
    return "".join(char if char in kept else _seen(char) for char in text.replace("\r\n", "\n"))


def readable_body(body: bytes) -> str:
    """Return a body as text; bytes that are none stand as their numbers."""
    return readable(body.decode("utf-8", errors="backslashreplace"))


def indented(data: Any) -> str:
    """Return data as JSON that people can read."""
    return readable(json.dumps(data, indent=2, ensure_ascii=False))


def tried(attempt: Attempt, url: str) -> Tried:
    """Return an attempt to be shown; `url` is where it went."""
    return Tried(
        attempt.number,
        attempt.started_at,
        outcome(attempt.status, attempt.error),
        outcome_in_words(attempt.status, attempt.error, attempt.detail),
        took(attempt.duration_ms * 1000),
        attempt.address or "",
        attempt.trigger is Trigger.MANUAL,
        _head(f"POST {readable(url)}", attempt.request_headers),
        readable_body(attempt.request_body),
        "" if attempt.status is None else _head(status_words(attempt.status), attempt.response_headers),
        readable_body(attempt.response_body),
        attempt.truncated,
    )


def _head(first: str, headers: Mapping[str, str]) -> str:
    """A first line, and at most HEADERS_SHOWN_MAX headers in the order in which they went, a line each."""
    shown = list(headers.items())[:HEADERS_SHOWN_MAX]
    return "\n".join([first, *(readable(f"{name}: {value}", kept="")[:HEADER_LENGTH_MAX] for name, value in shown)])


def _seen(char: str) -> str:
    if unicodedata.category(char) not in _UNSEEN:
        return char
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
