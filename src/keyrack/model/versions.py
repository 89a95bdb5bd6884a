"""Dated versions of an API: what changed when, and how what older callers send and get becomes today's shape and back. Pure.

A host's code knows the newest version alone. Each change says what it was like before, and these functions walk over the changes between
a caller's version and the newest: forward for what is sent, backward for what is answered.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from keyrack.model.refusals import INVALID_REQUEST, UNKNOWN_VERSION, Refused

FIRST_VERSION = "2026-01-01"
"""The version of a host that names none."""
EVENT = "event"
"""The kind of objects that no change reaches into: an event tells what was, in the shape of its day."""

Shape = dict[str, Any]
Turn = Callable[[Shape], Shape]
Sent = TypeVar("Sent", Shape, str)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OPERATION = re.compile(r"(GET|POST|PUT|PATCH|DELETE) /\S*")


def _time(date: str) -> int:
    """The first moment of a day in UTC, in ms since the epoch. Raises ValueError for what is no day."""
    if not _DATE.fullmatch(date):
        raise ValueError(f"{date!r} is no date: write it like 2026-10-01")
    return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()) * 1000


@dataclass(frozen=True, slots=True)
class Ending:
    """When something is deprecated (RFC 9745) and when it ends (RFC 8594), in ms since the epoch; None: never so far."""

    deprecated_at: int | None = None
    sunset_at: int | None = None

    @classmethod
    def of_dates(cls, deprecated: str | None, sunset: str | None) -> "Ending":
        """Return the ending on two days. Raises ValueError where one is none, or the end comes before the deprecation (RFC 8594 §3)."""
        ending = cls(None if deprecated is None else _time(deprecated), None if sunset is None else _time(sunset))
        if ending.sunset_at is not None and (ending.deprecated_at is None or ending.sunset_at < ending.deprecated_at):
            raise ValueError(f"sunset {sunset} needs a deprecation that does not come later")
        return ending

    def sooner(self, other: "Ending") -> "Ending":
        """Return the ending of what ends with either."""
        return Ending(_sooner(self.deprecated_at, other.deprecated_at), _sooner(self.sunset_at, other.sunset_at))


def _sooner(one: int | None, other: int | None) -> int | None:
    return min((at for at in (one, other) if at is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """One incompatible change. Its `date` is the version that first has it; callers at earlier ones never notice.

    `operations` are those whose bodies, parameters and refusals it touches, like `POST /api/v1/customers`; `objects` the kinds (their
    `object`) that it touches in whatever is answered. `renames` leads from old names of fields and parameters to new ones, which is all
    that most changes need. For others `request` turns a body that has the new names already, and may refuse it; `response` turns a new
    object, or without `objects` the whole answer, before it gets the old names. Both get a copy of their own. The examples are pairs of
    what was sent, or answered, before the change and after it. `description` is Markdown. `deprecated` and `sunset` are the days on which
    the versions before it are called deprecated, and end. Raises ValueError where this contradicts itself.
    """

    date: str
    title: str
    description: str
    operations: Sequence[str] = ()
    objects: Sequence[str] = ()
    renames: Mapping[str, str] = field(default_factory=dict)
    request: Turn | None = None
    response: Turn | None = None
    request_examples: Sequence[tuple[Shape, Shape]] = ()
    response_examples: Sequence[tuple[Shape, Shape]] = ()
    deprecated: str | None = None
    sunset: str | None = None

    def __post_init__(self) -> None:
        _time(self.date)
        Ending.of_dates(self.deprecated, self.sunset)
        wrong = [name for name in self.operations if not _OPERATION.fullmatch(name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no operation: write method and path template, like POST /api/v1/customers")
        if self.request is not None and not self.operations:
            raise ValueError(f"the change {self.title!r} has a request and names no operations that it is for")
        if EVENT in self.objects or len(set(self.renames.values())) < len(self.renames):
            raise ValueError(f"the change {self.title!r} renames two things to one, or changes events, which are history")

    @property
    def ending(self) -> Ending:
        """When the versions before this change end."""
        return Ending.of_dates(self.deprecated, self.sunset)

    @property
    def old_names(self) -> dict[str, str]:
        """What fields and parameters were called, by their new name."""
        return {new: old for old, new in self.renames.items()}

    def upgrade(self, body: Shape) -> Shape:
        """Return what a caller of the version before sent, as this version has it. Raises what `request` raises."""
        body = _renamed(body, self.renames)
        return body if self.request is None else self.request(body)

    def downgrade(self, answer: Any) -> Any:
        """Return an answer of this version as the one before had it."""
        if not self.objects:
            return self._turn(dict(answer)) if isinstance(answer, dict) else answer
        return _in_objects(answer, frozenset(self.objects), self._turn)

    def _turn(self, one: Shape) -> Shape:
        return _renamed(one if self.response is None else self.response(one), self.old_names)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeprecatedOperation:
    """An operation (`GET /api/v1/leads`) that callers of every version are told to leave from a day on. It may end on another.

    Raises ValueError where a day is none, or the end comes first.
    """

    date: str
    title: str
    description: str
    operation: str
    sunset: str | None = None

    def __post_init__(self) -> None:
        Ending.of_dates(self.date, self.sunset)
        if not _OPERATION.fullmatch(self.operation):
            raise ValueError(f"{self.operation!r} is no operation: write method and path template, like GET /api/v1/leads")

    @property
    def ending(self) -> Ending:
        """When the operation is left, and ends."""
        return Ending.of_dates(self.date, self.sunset)


class Passage:
    """The way between one operation at an older version and the newest: what is sent goes forward, what is answered comes back."""

    def __init__(self, version: str, requests: Sequence[VersionChange], responses: Sequence[VersionChange]) -> None:
        self.version = version
        self.turns_bodies = bool(requests)
        self.turns_answers = bool(responses)
        self._requests = tuple(requests)
        self._responses = tuple(responses)

    def body(self, sent: Shape) -> Shape:
        """Return a body as the newest version has it. Raises Refused where it holds what its own version had not."""
        return self._forward(sent, lambda change, body: change.upgrade(body), lambda body: body)

    def query(self, text: str) -> str:
        """Return a query string as the newest version has it. Raises Refused as `body` does."""
        return self._forward(text, lambda change, query: _renamed_query(query, change.renames), _names_in)

    def answer(self, document: Any) -> Any:
        """Return an answer as the older version has it."""
        for change in reversed(self._responses):
            document = change.downgrade(document)
        return document

    def url(self, url: str) -> str:
        """Return an address that an answer names, with the parameters that the older version has."""
        path, mark, query = url.partition("?")
        for change in reversed(self._requests):
            query = _renamed_query(query, change.old_names)
        return path + mark + query

    def refusal(self, refused: Refused) -> Refused:
        """Return a refusal that speaks of fields and parameters under their older names."""
        return _retold(refused, self._requests)

    def _forward(self, sent: Sent, turn: Callable[[VersionChange, Sent], Sent], names: Callable[[Sent], Iterable[str]]) -> Sent:
        for place, change in enumerate(self._requests):
            unknown = _later_name(names(sent), change, self.version, in_body=isinstance(sent, dict))
            if unknown is not None:
                # It speaks as of the version before this change, which may still not be the caller's.
                raise _retold(unknown, self._requests[:place])
            try:
                sent = turn(change, sent)
            except Refused as refused:
                raise _retold(refused, self._requests[: place + 1]) from None
        return sent


class Versions:
    """All versions of a host's API: `first`, and one for each day on which it changed. Raises ValueError where these make no sense."""

    def __init__(self, changes: Sequence[VersionChange | DeprecatedOperation] = (), first: str = FIRST_VERSION) -> None:
        _time(first)
        self.log = tuple(sorted(changes, key=lambda change: change.date))
        """What changed, oldest first."""
        self.changes = tuple(change for change in self.log if isinstance(change, VersionChange))
        early = [change for change in self.changes if change.date <= first]
        if early:
            raise ValueError(
                f"the change {early[0].title!r} of {early[0].date} is not after the first version, {first}: set an earlier first_version"
            )
        self.dates = (first, *sorted({change.date for change in self.changes}))
        self.newest = self.dates[-1]
        self.operations_ending = {one.operation: one.ending for one in self.log if isinstance(one, DeprecatedOperation)}
        self.endings = {date: self._ending(date) for date in self.dates}
        self._named = {name for change in self.changes for name in change.operations}
        self._own: frozenset[str] = frozenset()
        self._passages: dict[tuple[str, str], Passage] = {}

    def of_pin(self, pin: str | None) -> str:
        """Return the version that a key is served at: the newest that is not after its pin.

        So a key goes on where the host no longer has its very version. The first for one that was made before there were versions (None).
        """
        return next((date for date in reversed(self.dates) if pin is not None and date <= pin), self.dates[0])

    def named(self, text: str, param: str) -> str:
        """Return the version that a caller names. Raises Refused `unknown_version`, which lists the versions."""
        if text not in self.dates:
            listed = ", ".join(self.dates)
            raise UNKNOWN_VERSION(
                f"There is no version {text[:40]}; the versions are {listed}.", param=param, extra={"versions": list(self.dates)}
            )
        return text

    def pinnable(self, text: str, now: int) -> str:
        """Return the version that a key is to be pinned to. Raises Refused `unknown_version`, also for one that has ended by now (ms)."""
        ending = self.endings[self.named(text, "api_version")]
        if ending.sunset_at is not None and ending.sunset_at <= now:
            raise UNKNOWN_VERSION(f"The version {text} has ended.", param="api_version", extra={"versions": list(self.dates)})
        return text

    def passage(self, version: str, operation: str) -> Passage:
        """Return the way between an operation at this version and at the newest."""
        # What no change names is served alike: strangers' methods on an opaque mount are not remembered.
        operation = operation if operation in self._named or operation in self._own else ""
        known = self._passages.get((version, operation))
        if known is None:
            after = [change for change in self.changes if change.date > version and operation not in self._own]
            requests = [change for change in after if operation in change.operations]
            responses = [change for change in after if change.objects or operation in change.operations]
            known = self._passages[version, operation] = Passage(version, requests, responses)
        return known

    def meet(self, operations: Collection[str], own: Collection[str]) -> None:
        """Take the operations that the host has, and Keyrack's own, whose objects no change of the host's touches, whatever their kind.

        Raises ValueError where a change names an operation that the host has not.
        """
        self._own = frozenset(own)
        for change in self.log:
            for name in change.operations if isinstance(change, VersionChange) else (change.operation,):
                if name not in operations:
                    raise ValueError(f"the change {change.title!r} of {change.date} names {name}, and the host has no such operation")

    def _ending(self, version: str) -> Ending:
        ending = Ending()
        for change in self.changes:
            if change.date > version:
                ending = ending.sooner(change.ending)
        return ending


def _renamed(names: Mapping[str, Any], new: Mapping[str, str]) -> Shape:
    return {new.get(name, name): value for name, value in names.items()}


def _in_objects(answer: Any, kinds: frozenset[str], turn: Turn) -> Any:
    if isinstance(answer, list):
        return [_in_objects(one, kinds, turn) for one in answer]
    if not isinstance(answer, dict) or answer.get("object") == EVENT:
        return answer
    inner = {name: _in_objects(value, kinds, turn) for name, value in answer.items()}
    return turn(inner) if inner.get("object") in kinds else inner


def _later_name(sent: Iterable[str], change: VersionChange, version: str, *, in_body: bool) -> Refused | None:
    """The refusal of what was sent under a name that its version had not yet."""
    names = set(sent)
    for old, name in change.renames.items():
        if name in names and name not in change.renames:
            detail = f"{name}: the version {version} has no such {'field' if in_body else 'parameter'}; did you mean `{old}`?"
            fix = f"Call it `{old}`, or call at a newer version."
            error = {"code": "extra_forbidden", "param": name, "pointer": f"#/{name}" if in_body else None, "detail": detail, "fix": fix}
            return INVALID_REQUEST(detail, param=name, errors=[error])
    return None


def _renamed_query(text: str, new: Mapping[str, str]) -> str:
    pairs = parse_qsl(text, keep_blank_values=True)
    # The one parameter whose value names fields.
    turned = [(new.get(name, name), _words(value, new) if name == "sort" else value) for name, value in pairs]
    return text if turned == pairs else urlencode(turned)


def _words(text: str, new: Mapping[str, str]) -> str:
    return re.sub(r"[A-Za-z_][A-Za-z0-9_]*", lambda found: new.get(found[0], found[0]), text) if new else text


def _retold(refused: Refused, changes: Sequence[VersionChange]) -> Refused:
    """Return a refusal with the names that fields had before these changes, the oldest of which comes first."""
    param, detail, errors = refused.param, refused.detail, refused.errors
    for change in reversed(changes):
        old = change.old_names
        param = None if param is None else _words(param, old)
        detail = _words(detail, old)
        errors = tuple({member: _retold_member(member, value, old) for member, value in one.items()} for one in errors)
    return Refused(refused.refusal, detail, param, errors, refused.headers, refused.extra)


def _retold_member(member: str, value: object, old: Mapping[str, str]) -> object:
    return _words(value, old) if isinstance(value, str) and member != "code" else value


def _names_in(query: str) -> list[str]:
    return [name for name, _ in parse_qsl(query, keep_blank_values=True)]
