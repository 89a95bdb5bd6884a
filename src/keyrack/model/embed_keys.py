"""Embed keys: public, bound to one object of the host's and to the pages that may embed it; and the visits that they open.

An embed key is no secret: it stands in the source of public pages. What it may do is nothing but what the host declares for it. Whoever
looks at such a page opens a visit with it: a token that works for an hour, for one visitor, on that page's origin.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

from keyrack.model.limits import Bucket, Limit, bucket_key
from keyrack.model.refusals import KEY_DISABLED, KEY_REVOKED, Refusal
from keyrack.model.times import iso
from keyrack.model.workspaces import Workspace

ORIGINS_MAX, ORIGIN_LENGTH_MAX = 20, 255
CALLS, CALLS_MAX = 30, 600
"""How many calls a visitor may make in a minute where nobody says, and at most."""
VISITORS_AT_ONE_ADDRESS = 10
"""Visitors of one office come from one address: together they may make so many times the calls of one."""
SHOWN_PLACES = 4
VISIT_SECONDS = 3600
VISIT_RESUMED_SECONDS = 24 * 3600
"""How long after its end a visit can be taken up again, by the same browser on the same origin."""
SAME_ORIGIN = "same-origin"
"""The origin of a call from a page of the host itself: browsers send none there, but say so."""
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
_OWN_PORTS = {"https": 443, "http": 80}


class EndReason(StrEnum):
    """Why an embed key ended."""

    DELETED = "deleted"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class EmbedKey:
    """One embed key. Times are milliseconds since the epoch.

    `text` is the key itself, which may be shown again at any time. It reaches the object `object_id` of the kind `object_type` alone, from
    pages of these `origins`; each visitor may make `calls_per_minute`.
    """

    id: str
    workspace_id: str
    name: str
    object_type: str
    object_id: str
    text: str
    digest: bytes
    origins: tuple[str, ...]
    calls_per_minute: int
    created_at: int
    updated_at: int
    made_by: str
    made_by_name: str
    disabled_at: int | None = None
    ended_at: int | None = None
    ended_by: str | None = None
    end_reason: EndReason | None = None
    successor_id: str | None = None

    @property
    def prefix(self) -> str:
        """The head by which people know the key among others."""
        return self.text[: self.text.rfind("_") + 1 + SHOWN_PLACES]

    @property
    def has_ended(self) -> bool:
        """Whether somebody replaced or deleted the key."""
        return self.ended_at is not None

    @property
    def state(self) -> str:
        """The one word for the key by itself: active, disabled or ended."""
        if self.has_ended:
            return "ended"
        return "active" if self.disabled_at is None else "disabled"

    @property
    def refusal(self) -> Refusal | None:
        """Why a call with this key is refused whatever it asks, or None."""
        if self.has_ended:
            return KEY_REVOKED
        return None if self.disabled_at is None else KEY_DISABLED

    @property
    def reach(self) -> "Embedded":
        """What the key proves."""
        return Embedded(self.object_type, self.object_id, frozenset(self.origins), self.calls_per_minute)

    def end(self, *, by: str, at: int, reason: EndReason, successor_id: str | None = None) -> "EmbedKey":
        """Return this key ended."""
        return replace(self, ended_at=at, ended_by=by, end_reason=reason, successor_id=successor_id, updated_at=at)

    def why(self) -> str:
        """Say how the key was ended and when, as a sentence; empty where nobody did. Not by whom: anybody can call with it."""
        if self.ended_at is None or self.end_reason is None:
            return ""
        return f"At {iso(self.ended_at)}, it was {self.end_reason.value}."


@dataclass(frozen=True, slots=True)
class Embedded:
    """What an embed key proves: one object of the host's, on pages of these origins; and `visitor`, the id of whoever looks at one, where
    a visit is what called.
    """

    object_type: str
    object_id: str
    origins: frozenset[str]
    calls_per_minute: int
    visitor: str | None = None

    def buckets(self, key_id: str, address: str) -> tuple[Bucket, ...]:
        """Return what a call from an address is taken from: the visitor's budget, and that of all visitors at the address."""
        visitor, together = _limits(self.calls_per_minute)
        at_address = Bucket(together, bucket_key(f"{key_id} {address}", "live", together.name))
        if self.visitor is None:
            return (at_address,)
        return (Bucket(visitor, bucket_key(f"{key_id} {self.visitor}", "live", visitor.name)), at_address)


@dataclass(frozen=True, slots=True)
class Visit:
    """One visitor on one origin. `digest` is the embed key's that opened the visit, with which it ends; `ends_at` is in ms."""

    digest: bytes
    visitor: str
    origin: str
    ends_at: int

    def written(self) -> bytes:
        """Return the visit as bytes, to be sealed."""
        return msgspec.msgpack.encode((self.digest, self.visitor, self.origin, self.ends_at))

    @classmethod
    def read(cls, data: bytes) -> "Visit":
        """Return the visit that was written as these bytes."""
        return cls(*msgspec.msgpack.decode(data, type=tuple[bytes, str, str, int]))


@dataclass(frozen=True, slots=True)
class FoundEmbedKey:
    """An embed key and all that decides what it may do, as one snapshot shows it. `revision` is the newest that the snapshot has."""

    key: EmbedKey
    workspace: Workspace
    revision: int


Named = tuple[str, str]
"""The id of an object, and what people call it."""


@dataclass(frozen=True, slots=True)
class Embeddable:
    """A kind of the host's objects that pages of others embed: `Keyrack(embeds=[Embeddable(…)])`.

    `name` is the `object_type` on the wire, `title` what people call one. `find` returns what people call an object of a workspace, None
    where there is none; `offer` some of them, the newest first, for people to choose from. `snippet` is what is pasted into a page: HTML in
    which `{base_url}` and `{key}` are filled in. `preview` is a path of the host's, with `{key}` in it, which shows the object embedded.
    """

    name: str
    title: str
    snippet: str
    find: Callable[[str, str], Awaitable[str | None]]
    offer: Callable[[str], Awaitable[Sequence[Named]]]
    preview: str = ""


@lru_cache
def _limits(calls: int) -> tuple[Limit, Limit]:
    """The limits of one visitor, and of all at one address."""
    return Limit("visitor", calls, 60), Limit("address", calls * VISITORS_AT_ONE_ADDRESS, 60)


def origin_of(text: str) -> str:
    """Return an origin as browsers send it: a scheme, a host, and a port that is not the scheme's own.

    A slash at its end is left out. Raises ValueError, with words for whoever typed it, for anything else.
    """
    given = text.strip()
    if "*" in given:
        raise ValueError(f"{given!r} has a wildcard: name each origin by itself, like https://www.example.com")
    try:
        parts = urlsplit(given)
        port, host = parts.port, (parts.hostname or "").lower()
    except ValueError:
        raise ValueError(f"{given!r} is no origin: write a scheme and a host, like https://www.example.com") from None
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in _OWN_PORTS or not host or len(given) > ORIGIN_LENGTH_MAX:
        raise ValueError(f"{given!r} is no origin: write a scheme and a host, like https://www.example.com")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc or given.endswith(("?", "#")):
        raise ValueError(f"{given!r} has more than a scheme, a host and a port: an origin is like https://www.example.com")
    if host not in _LOCAL and not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is no host as browsers send it: write letters of other alphabets as xn--…")
    if parts.scheme == "http" and host not in _LOCAL:
        raise ValueError(f"{given!r} has no https: http is for localhost alone")
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None and port != _OWN_PORTS[parts.scheme] else "")
