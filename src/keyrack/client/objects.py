"""How the API's objects are read, and how the operations on them are written.

Fields that a newer server adds are left out; words are plain text, for a newer server may know more of them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import msgspec

from keyrack.client.answers import Answer
from keyrack.client.errors import UnreadableAnswerError
from keyrack.client.operations import Page, page_of
from keyrack.client.requests import Request, path_of, request_of

Given = TypeVar("Given")
Perhaps: TypeAlias = Given | msgspec.UnsetType
"""A field of a change; what is UNSET stays as it is."""
Time = datetime | str
"""A moment to send: a datetime with its zone, or its text."""
Permissions = Mapping[str, str]
"""Levels by category: `{"customers": "write"}`."""
SpaceRoles = Sequence[Mapping[str, str]]
"""Roles in spaces: `[{"space_id": …, "role": "viewer"}]`."""


class Object(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A thing of the API. `answer` is the one that it came in: its request id, what is left of limits, whether it was replayed."""

    answer: Answer

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # By name, never all of them: some hold a secret.
        return [(name, getattr(self, name)) for name in ("id", "name", "type", "state", "status") if hasattr(self, name)]


class SpaceRole(msgspec.Struct, frozen=True):
    """A role in one space: viewer, contributor or manager."""

    space_id: str
    role: str


Kind = TypeVar("Kind", bound=Object)


def reader(kind: type[Kind]) -> Callable[[Answer], Kind]:
    """Return what reads the object that an answer is. Raises UnreadableAnswerError for one of another shape."""
    return lambda answer: _read(kind, answer.data, answer)


def page_reader(kind: type[Kind]) -> Callable[[Answer], Page[Kind]]:
    """Return what reads a page of objects. Raises UnreadableAnswerError for what is none."""
    return page_of(lambda data, answer: _read(kind, data, answer))


def listed(kind: type[Kind], /, *segments: str, **filters: Any) -> Request[Page[Kind]]:
    """Return the call for the first page of a list."""
    return request_of("GET", path_of(*segments), page_reader(kind), query=filters)


def got(kind: type[Kind], /, *segments: str) -> Request[Kind]:
    """Return the call that gets one object."""
    return request_of("GET", path_of(*segments), reader(kind))


def made(kind: type[Kind], /, *segments: str, idempotency_key: str | None, **fields: Any) -> Request[Kind]:
    """Return the call that makes an object."""
    return request_of("POST", path_of(*segments), reader(kind), body=_sent(fields) or None, idempotency_key=idempotency_key)


def changed(kind: type[Kind], /, *segments: str, **fields: Any) -> Request[Kind]:
    """Return the call that changes an object."""
    return request_of("PATCH", path_of(*segments), reader(kind), body=_sent(fields))


def put(kind: type[Kind], /, *segments: str, **fields: Any) -> Request[Kind]:
    """Return the call that says what an object is, whether it was there or not."""
    return request_of("PUT", path_of(*segments), reader(kind), body=_sent(fields))


def deleted(*segments: str) -> Request[None]:
    """Return the call that takes something away."""
    return request_of("DELETE", path_of(*segments), lambda _: None)


def _read(kind: type[Kind], data: Any, answer: Answer) -> Kind:
    try:
        return msgspec.convert({**data, "answer": answer}, kind)
    except (msgspec.ValidationError, TypeError) as error:
        # The text names a field and a type, never a value.
        raise UnreadableAnswerError(f"The answer is no {kind.__name__}: {error}", answer) from None


def _sent(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not msgspec.UNSET}
