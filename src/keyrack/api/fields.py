"""The kinds of fields that bodies, queries and answers are made of. Every text is bounded, and unknown fields are refused."""

import re
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from keyrack.api.described import describe
from keyrack.manage.rights import PARTNER_LENGTH_MAX
from keyrack.model.permissions import Level, OrgAccess, Rights, SpaceRole
from keyrack.model.times import iso, read_iso

FIELDS_MAX = 100
"""How many fields any body has at most. Each unknown one is an error of its own, and to tell 100,000 of them holds up every other call."""
CATEGORIES_MAX = 200
SPACES_MAX = 1000
_ID = r"^[A-Za-z0-9_.-]{1,64}$"
_LOST_PLUS = re.compile(r":\d\d(\.\d+)? \d\d:\d\d$", re.ASCII)
# What cannot be seen: controls, line and paragraph breaks, what turns the direction of writing, what has no width.
_UNSEEN = r"\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
# Letters behind the first 65,536 are written differently in each language of patterns, so these stand in none.
_TAGS = re.compile("[\U000e0000-\U000e007f]")
_LINE = f"^[^\\S{_UNSEEN}]*[^\\s{_UNSEEN}][^{_UNSEEN}]*$"


class Body(BaseModel):
    """What a caller sends. Numbers and booleans are taken as such, never from text."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=describe)

    @model_validator(mode="before")
    @classmethod
    def _not_too_many_fields(cls, sent: Any) -> Any:
        return _at_most(FIELDS_MAX, sent)

    def values(self) -> dict[str, Any]:
        """The fields that were sent, by name, as what they mean inside."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class View(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=describe)


class ObjectView(View):
    """A thing with an identity: its kind and its id come first."""

    object: str
    id: str


def _at_most(count: int, sent: Any) -> Any:
    if isinstance(sent, dict) and len(sent) > count:
        raise ValueError(f"an object has at most {count} members here")
    return sent


def _one_line(value: str) -> str:
    if not re.fullmatch(_LINE, value) or _TAGS.search(value):
        raise ValueError("write something that can be seen, without line breaks and control characters")
    return value.strip()


def _read_time(value: Any) -> int:
    if isinstance(value, str) and _LOST_PLUS.search(value):
        raise ValueError("write the + of an offset as %2B in a URL, or the time in UTC with a Z")
    return read_iso(value if isinstance(value, str) else "")


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _levels(words: dict[str, str]) -> dict[str, Level]:
    return {name: Level.of(word) for name, word in words.items()}


Id = Annotated[str, StringConstraints(pattern=_ID)]
PathId = Annotated[str, Path(pattern=_ID)]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    AfterValidator(_one_line),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 100, "pattern": _LINE}),
]
WHOLE = BeforeValidator(_whole)
"""Stands behind StrictInt and its bounds: 60.0 is an integer, too (JSON Schema 2020-12, validation §6.1.1)."""
Partner = Annotated[str, StringConstraints(max_length=PARTNER_LENGTH_MAX)]
"""The label of another company; an empty text takes it away."""
Search = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_one_line),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200, "pattern": _LINE}),
]
TimeGiven = Annotated[int, BeforeValidator(_read_time), WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time that a caller sends: RFC 3339 with an offset on the wire, ms since the epoch inside."""
Time = Annotated[str, BeforeValidator(iso), WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time in an answer: ms since the epoch inside, ISO 8601 in UTC with ms on the wire."""
Permissions = Annotated[
    dict[Annotated[str, StringConstraints(min_length=1, max_length=60)], Literal["none", "read", "write"]],
    Field(max_length=CATEGORIES_MAX),
    AfterValidator(_levels),
    BeforeValidator(partial(_at_most, CATEGORIES_MAX)),
]
"""Levels by category, or `{"*": "write"}` for all."""


class SpaceRoleGiven(Body):
    """A role in one space."""

    space_id: Id
    role: SpaceRole


class RoleChosen(Body):
    """A role."""

    role: SpaceRole


def _roles(given: list[SpaceRoleGiven]) -> dict[str, SpaceRole]:
    roles = {one.space_id: one.role for one in given}
    if len(roles) < len(given):
        raise ValueError("a space stands here twice")
    return roles


SpaceRoles = Annotated[list[SpaceRoleGiven], Field(max_length=SPACES_MAX), AfterValidator(_roles)]


class SpaceRoleView(View):
    """A role in one space."""

    space_id: str
    role: SpaceRole


class RightsView(ObjectView):
    """Somebody who holds rights, as they were chosen. `permissions` names no category whose level is none."""

    name: str
    org_access: OrgAccess
    permissions: dict[str, Literal["read", "write"]]
    spaces: list[SpaceRoleView]


def rights_of(fields: dict[str, Any]) -> Rights:
    """Return rights that hold nothing but what these fields name."""
    return Rights(fields.get("org_access", OrgAccess.NONE), fields.get("permissions", {}), fields.get("spaces", {}))
