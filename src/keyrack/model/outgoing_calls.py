"""Outgoing calls: HTTP requests to addresses that customers gave, what comes back, and what may stand in their headers."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

HEADER_NAME_LENGTH_MAX = 100
HEADER_VALUE_LENGTH_MAX = 2_000

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# What stands around a value belongs to nobody, so a value neither begins nor ends with a blank.
_VALUE = re.compile(r"[!-~]+([ \t]+[!-~]+)*")

OWN_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "proxy-authenticate", "proxy-authorization", "proxy-connection"}
)
"""Headers that say how a request travels. The client alone sets them."""

_OF_DELIVERIES = frozenset({"content-encoding", "content-type", "user-agent"})


class NotSentCode(StrEnum):
    """Why a call got no answer."""

    ADDRESS_REFUSED = "address_refused"
    UNRESOLVED = "unresolved"
    CONNECT_FAILED = "connect_failed"
    TLS_FAILED = "tls_failed"
    TIMEOUT = "timeout"
    BROKEN_OFF = "broken_off"
    MALFORMED_ANSWER = "malformed_answer"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One call. Its URL, headers and body may hold secrets: the repr hides them."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back, whatever its status. `headers` have lower-case names.

    `body` is as it was sent, never decompressed, and `truncated` where there was more of it. `address` is where the connection went.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    truncated: bool
    duration_ms: int
    address: str


class NotSent(Exception):
    """No answer came. `detail` is for people and holds no secret; `sent` says whether the receiver may have got any of the call."""

    def __init__(self, code: NotSentCode, detail: str, duration_ms: int = 0, sent: bool = False) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.duration_ms = duration_ms
        self.sent = sent


def refused_header(name: str, value: str) -> str | None:
    """Say in words why people may not add this header to calls; None where they may. The words hold no value, for it may be a secret."""
    if not _NAME.fullmatch(name) or len(name) > HEADER_NAME_LENGTH_MAX:
        return f"A header's name has at most {HEADER_NAME_LENGTH_MAX} letters, digits and hyphens."
    lower = name.lower()
    if lower in OWN_HEADERS or lower in _OF_DELIVERIES or lower.startswith(("webhook-", "proxy-")):
        return f"{name} is set by the call itself."
    if len(value) > HEADER_VALUE_LENGTH_MAX:
        return f"The value of {name} has more than {HEADER_VALUE_LENGTH_MAX:,} characters."
    if not _VALUE.fullmatch(value):
        return f"The value of {name} has characters other than visible ASCII, or blanks around it."
    return None
