"""The request log: one line per call, what may stand in it, and what it is found by. Pure, and quick where every call passes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from keyrack.model.principals import Kind, Mode

PATH_LENGTH_MAX = 2048
USER_AGENT_LENGTH_MAX = 512
REASON_LENGTH_MAX = 500
RECORD_BYTES_MAX = 4096
"""An encoded line has at most so many bytes, whatever stands in it: the spool keeps a place of this size for every running call."""

SLOT_MS = 10_000
DAY_MS = 24 * 3600 * 1000
SLOTS_PER_DAY = DAY_MS // SLOT_MS
SLOTS_PER_PERIOD = 4 * 3600 * 1000 // SLOT_MS
DEFAULT_RANGE_MS = DAY_MS
SEGMENTS_MAX = 16

_KINDS = ("route", "credential", "integration", "member", "app")
_REQUEST_ID = re.compile(r"req_([0-9a-f]{11})[0-9a-f]{16}")
_STATUS = re.compile(r"([1-5])(?:xx|([0-9]{2}))", re.IGNORECASE)
# Nothing shorter is masked, so a shorter text need not be read.
_SECRET_LENGTH_MIN = 16
_FOREIGN_LENGTH_MIN = 32
_SHOWN_PLACES = 4
_MASK = "***"


class RequestLog(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One call. It is encoded as an array, so its fields keep their order, and new ones are added at the end with a default.

    `created_at` is when the call's head arrived, in ms since the epoch: the very time inside `request_id` (see `time_of`). `path` has no
    query. `workspace_id` is None in the operator's log. `code` and `reason` are the refusal's code and its public detail. `duration_us`
    is in microseconds.
    """

    request_id: str
    created_at: int
    workspace_id: str | None
    path: str
    route: str | None
    method: str
    status: int
    code: str | None = None
    credential_kind: Kind | None = None
    credential_id: str | None = None
    credential_name: str | None = None
    integration_id: str | None = None
    member_id: str | None = None
    app_id: str | None = None
    grant_id: str | None = None
    mode: Mode | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    duration_us: int = 0
    reason: str | None = None

    @property
    def duration_ms(self) -> float:
        """The duration as it is shown: milliseconds, exact to the microsecond."""
        return self.duration_us / 1000


@dataclass(frozen=True, slots=True)
class CredentialUse:
    """When (ms since the epoch) and from where a credential was last accepted."""

    credential_id: str
    workspace_id: str
    used_at: int
    ip_address: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a search asks for; None asks for nothing. `status` is a range, both ends included; times are ms since the epoch.

    `path` that begins with a slash names whole segments in a row (`/customers` finds `/api/v1/customers/c1`); where no line has them, and
    for any other text, the path or route holds the text. Case does not matter. `since` is included, `until` is not.
    """

    path: str | None = None
    route: str | None = None
    method: str | None = None
    status: tuple[int, int] | None = None
    credential_id: str | None = None
    integration_id: str | None = None
    member_id: str | None = None
    app_id: str | None = None
    mode: Mode | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of lines, in the order that was asked for. `after` continues it, or is None at the end.

    `searched_to` is set where the search stopped at its budget, not at a full page: the time (ms) as far as which it has looked.
    """

    lines: tuple[RequestLog, ...]
    after: tuple[int, str] | None = None
    searched_to: int | None = None


class Mask:
    """Makes text that a client sent fit to be stored: key-shaped strings masked, control characters replaced, length capped.

    `prefixes` are what this host's secrets begin with, without the last underscore. Both patterns repeat one class of characters once
    after a fixed start, so they take linear time.
    """

    def __init__(self, prefixes: Iterable[str]) -> None:
        own = "|".join(re.escape(prefix) for prefix in sorted(set(prefixes), key=len, reverse=True))
        # A known prefix betrays also a secret that was cut short. After any other `_` it takes more places than an id of ours has.
        between = "(?:_|%5[Ff])"
        heads = [rf"(?:{own})(?:{between}[0-9a-z]{{1,16}}){{0,2}}{between}"] if own else []
        heads += [rf"(?:[spr]k|whsec){between}(?:(?:live|test){between})?"]
        self._own = re.compile(f"({'|'.join(heads)})([0-9A-Za-z]{{{_SHOWN_PLACES}}})[0-9A-Za-z+=]{{{_SECRET_LENGTH_MIN - _SHOWN_PLACES},}}")
        self._any = re.compile(f"({between})([0-9A-Za-z]{{{_SHOWN_PLACES}}})[0-9A-Za-z]{{{_FOREIGN_LENGTH_MIN - _SHOWN_PLACES},}}")

    def __call__(self, text: str, length_max: int) -> str:
        """Return the text as it may be stored, with at most `length_max` characters."""
        if len(text) >= _SECRET_LENGTH_MIN and ("_" in text or "%5" in text):
            text = self._any.sub(rf"\1\2{_MASK}", self._own.sub(rf"\1\2{_MASK}", text))
        if not text.isprintable():
            text = "".join(character if character.isprintable() else "\ufffd" for character in text[:length_max])
        return text if len(text) <= length_max else text[: length_max - 1] + "…"


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(RequestLog).decode
# However long a character is encoded: all fields of the last length fit into RECORD_BYTES_MAX.
_FITTING_LENGTHS = (500, 200, RECORD_BYTES_MAX // len(RequestLog.__struct_fields__) // 4 - 2)


def encode(line: RequestLog) -> bytes:
    """Return a line as bytes, at most RECORD_BYTES_MAX: a longer one loses the ends of its longest texts, never itself."""
    try:
        record = _encode(line)
    except UnicodeEncodeError:
        record = _encode(_fitted(line, PATH_LENGTH_MAX))
    for length_max in _FITTING_LENGTHS:
        if len(record) <= RECORD_BYTES_MAX:
            break
        record = _encode(_fitted(line, length_max))
    return record


def decode(record: bytes) -> RequestLog:
    """Return the line in these bytes. Raises ValueError where they are none of this version."""
    try:
        return _decode(record)
    except msgspec.MsgspecError as error:
        raise ValueError("these bytes hold no line of the request log") from error


def head_of(request_id: str) -> bytes:
    """Return the bytes that an encoded line with this request id begins with."""
    return b"\xdc" + len(RequestLog.__struct_fields__).to_bytes(2, "big") + _encode(request_id)


def time_of(request_id: str) -> int | None:
    """Return when a call with this id arrived, in ms since the epoch; None where this is no request id."""
    match = _REQUEST_ID.fullmatch(request_id)
    return int(match[1], 16) if match else None


def status_range(text: str) -> tuple[int, int]:
    """Read a status (`404`) or a class of them (`4xx`) as the range it means, both ends included. Raises ValueError."""
    match = _STATUS.fullmatch(text)
    if match is None:
        raise ValueError("give a status like 404, or a class like 4xx")
    first = int(match[1]) * 100
    return (first + int(match[2]),) * 2 if match[2] else (first, first + 99)


def segments(path: str) -> list[str]:
    """Return the parts of a path between its slashes, in lower case."""
    return [part for part in path.lower().split("/") if part]


def terms_of(lines: Sequence[RequestLog], known: set[tuple[object, ...]] | None = None) -> set[tuple[int, int]]:
    """Return what lines are found by, each with the slot it occurs in.

    That are the first SEGMENTS_MAX segments of path and route, the route, whose call it was, and the status from 400 on. Lines are alike
    in most of this, so what they share is looked at once. Whoever gives the same `known` again and again gets what is new; it grows, and
    is to be emptied where what came of it was not kept.
    """
    known = set() if known is None else known
    alike: set[tuple[Any, ...]] = {
        (
            line.workspace_id,
            line.created_at // SLOT_MS,
            line.status,
            line.route,
            line.credential_id,
            line.integration_id,
            line.member_id,
            line.app_id,
        )
        for line in lines
    }
    alike -= known
    paths = {(line.workspace_id, line.created_at // SLOT_MS, line.path) for line in lines}
    paths |= {(workspace_id, slot, route) for workspace_id, slot, _, route, *_ in alike if route is not None}
    paths -= known
    found: set[tuple[int, int]] = set()
    for workspace_id, slot, status, *values in alike:
        found |= {(term(workspace_id, kind, value), slot) for kind, value in zip(_KINDS, values, strict=True) if value is not None}
        if status >= 400:
            kinds = (("status", ""),) if values[1] is None else (("status", ""), ("failed", f" {values[1]}"))
            texts = (str(status), f"{status // 100}xx")
            found |= {(term(workspace_id, kind, f"{text}{whose}"), slot) for kind, whose in kinds for text in texts}
    parts = {(id_, slot, part) for id_, slot, path in paths for part in path.lower().split("/")[: SEGMENTS_MAX + 1] if part}
    found |= {(term(workspace_id, "segment", part), slot) for workspace_id, slot, part in parts}
    found -= known
    known.update(alike, paths, found)
    return found


def terms_for(workspace_id: str | None, wanted: Filter, whole: bool) -> list[int]:
    """Return what every line that a search looks for is found by. `whole` says that the path names segments."""
    found: list[tuple[str, str]] = []
    if whole and wanted.path is not None:
        found += [("segment", segment) for segment in reversed(dict.fromkeys(segments(wanted.path)[:SEGMENTS_MAX]))]
    if wanted.status is not None and wanted.status[0] >= 400:
        first, last = wanted.status
        if first == last or (first % 100, last - first) == (0, 99):
            text = str(first) if first == last else f"{first // 100}xx"
            # What fails is rare, and a key's failures are rarer than what fails and what the key calls in the same ten seconds.
            found.append(("status", text) if wanted.credential_id is None else ("failed", f"{text} {wanted.credential_id}"))
    is_named = any(kind == "failed" for kind, _ in found)
    values = (wanted.route, None if is_named else wanted.credential_id, wanted.integration_id, wanted.member_id, wanted.app_id)
    found += [(kind, value) for kind, value in zip(_KINDS, values, strict=True) if value is not None]
    return [term(workspace_id, kind, value) for kind, value in found]


@lru_cache(maxsize=65_536)
def term(workspace_id: str | None, kind: str, value: str) -> int:
    """Return the 64-bit number under which a value of one workspace is indexed. Two may share one: whoever finds by it looks again."""
    text = f"{workspace_id or ''}\0{kind}\0{value}"
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest(), "big", signed=True)


def _fitted(line: RequestLog, length_max: int) -> RequestLog:
    def fit(text: str | None) -> str | None:
        return text and text.encode(errors="replace").decode()[:length_max]

    values = {name: getattr(line, name) for name in line.__struct_fields__}
    fitted: dict[str, Any] = {name: fit(value) if type(value) is str else value for name, value in values.items()}
    return RequestLog(**fitted)
