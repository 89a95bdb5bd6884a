"""What is sent: built without I/O, and the same at every attempt."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from keyrack.client.answers import Answer

T = TypeVar("T")

API_PATH = "/api/v1"
CHANGING = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_VERSIONED = ("/api", "/api/v1")
_RESERVED = frozenset({"authorization", "host", "content-length", "transfer-encoding", "cookie"})


@dataclass(frozen=True)
class Request(Generic[T]):
    """One call, and how its answer is read. `path` is one of the API (`/customers`), or the whole one from the host's root
    (`/api/v1/customers`); a call that changes something has an idempotency key.
    """

    method: str
    path: str
    read: Callable[[Answer], T]
    query: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_query(self, **changed: str | None) -> "Request[T]":
        """Return the same call with parameters that differ; those that are None are taken away."""
        return replace(self, query=query_of({**self.query, **changed}))


class Site:
    """Where the API is. Raises ValueError for an address that is none, or holds a credential.

    `base_url` is the host's address; one that ends in `/api/v1` is meant, too.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("base_url is the address of the API's host: https://api.example.com")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise ValueError("base_url is an address alone: neither credential nor query belongs into it")
        path = parts.path.rstrip("/")
        for ending in _VERSIONED:
            path = path.removesuffix(ending)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._root = f"{self.origin}{path}"

    def url(self, path: str, query: Mapping[str, str]) -> str:
        """Return the URL of a path. An absolute one has to be of the same host: no credential leaves it. Raises ValueError."""
        if path.startswith(f"{self.origin}/"):
            url = path
        elif not path.startswith("/") or path.startswith("//") or "\\" in path:
            raise ValueError("a path begins with one slash, as /customers does; the address of another host is refused")
        elif path.startswith("/api/"):
            url = f"{self._root}{path}"
        else:
            url = f"{self._root}{API_PATH}{path}"
        if not query:
            return url
        return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def request_of(
    method: str,
    path: str,
    read: Callable[[Answer], T],
    *,
    body: Any = None,
    query: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Request[T]:
    """Return a call. `query` leaves out what is None. Raises ValueError for what cannot be sent."""
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    if refused := sorted(_RESERVED & sent.keys()):
        raise ValueError(f"{', '.join(refused)}: the client sets this header itself")
    if method in CHANGING:
        sent["idempotency-key"] = _name_of_call(idempotency_key or sent.get("idempotency-key") or str(uuid.uuid4()))
    elif idempotency_key is not None:
        raise ValueError(f"an idempotency key means nothing to a {method}")
    content = None
    if body is not None:
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_wire, allow_nan=False).encode()
        sent["content-type"] = "application/json"
    return Request(method, path, read, query_of(query or {}), content, sent)


def path_of(*segments: str | int) -> str:
    """Return the path of these segments, each of which stays one. Raises ValueError for an id that is none."""
    for segment in segments:
        if str(segment).strip(".") == "":
            raise ValueError(f"{segment!r} is no id")
    return "".join(f"/{quote(str(segment), safe='')}" for segment in segments)


def query_of(given: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters as they are sent, without those that are None."""
    return {name: _text(value) for name, value in given.items() if value is not None}


def visible(text: str) -> bool:
    """Whether text can be the value of a header: visible ASCII, and not empty."""
    return bool(text) and all("!" <= character <= "~" for character in text)


def _name_of_call(name: str) -> str:
    if not visible(name) or len(name) > 255:
        raise ValueError("an idempotency key has 1 to 255 visible ASCII characters")
    return name


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _wire(value) if isinstance(value, datetime) else str(value)


def _wire(value: Any) -> str:
    """A time as it is on the wire."""
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} is not JSON")
    if value.tzinfo is None:
        raise ValueError("a time needs its zone: datetime.now(UTC)")
    return value.isoformat()
