"""The kinds of fields that Atrium's bodies and answers are made of. Every text is bounded, and unknown fields are refused."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

ID_SHAPE = re.compile(r"c[a-z0-9]{24}")
"""A cuid. A slug never has this shape, nor is it all digits, so a name in a path is never ambiguous."""
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_TIME_MS_MAX = 253_402_300_799_999


class Body(BaseModel):
    """What a caller sends."""

    model_config = ConfigDict(extra="forbid")

    def values(self) -> dict[str, Any]:
        """The fields that were sent, by name."""
        return self.model_dump(exclude_unset=True)


class View(BaseModel):
    """What a caller gets: read from the attributes of a row."""

    model_config = ConfigDict(from_attributes=True)


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise PydanticCustomError("control_character", "line breaks and control characters are not allowed")
    return value


def _lines(value: str) -> str:
    if not value.replace("\n", "").replace("\t", "").isprintable():
        raise PydanticCustomError("control_character", "control characters other than line break and tab are not allowed")
    return value


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise PydanticCustomError("slug", "use a-z, 0-9 and single hyphens between them")
    if value.isdigit() or ID_SHAPE.fullmatch(value):
        raise PydanticCustomError("slug", "a slug is neither all digits nor shaped like an id, because those name customers too")
    return value


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise PydanticCustomError("domain", "write a domain name like aurora.com, without https:// and path")
    return value


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value) or not value.isprintable():
        raise PydanticCustomError("email", "write an address like mira@aurora.com")
    return value


def _reference(value: Any) -> Any:
    return str(value) if type(value) is int else value


def _time(value: Any) -> int:
    try:
        moment = datetime.fromisoformat(value) if _TIME.fullmatch(value) else None
    except (TypeError, ValueError):
        moment = None
    if moment is None:
        raise PydanticCustomError("time", "write a time as ISO 8601 with its offset, like 2026-07-15T00:00:00Z")
    ms = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    if not 0 <= ms <= _TIME_MS_MAX:
        raise PydanticCustomError("time", "a time lies between the years 1970 and 9999")
    return ms


def _iso(ms: Any) -> Any:
    if not isinstance(ms, int):
        return ms
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}Z"


_DATE_TIME = WithJsonSchema({"type": "string", "format": "date-time"})

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_one_line)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000), AfterValidator(_lines)]
Slug = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_slug),
    WithJsonSchema({"type": "string", "maxLength": 64, "pattern": f"^{_SLUG.pattern}$"}),
]
Domain = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, max_length=253),
    AfterValidator(_domain),
    WithJsonSchema({"type": "string", "maxLength": 253, "format": "hostname"}),
]
Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "maxLength": 254, "format": "email"}),
]
Reference = Annotated[str, BeforeValidator(_reference), StringConstraints(min_length=1, max_length=100), AfterValidator(_one_line)]
"""What names a thing: its id, and of a customer also the slug or the display_id, which may come as a number."""
TimeGiven = Annotated[int, BeforeValidator(_time), _DATE_TIME]
"""A time in a body: ISO 8601 with an offset on the wire, ms since the epoch inside."""
Time = Annotated[str, BeforeValidator(_iso), _DATE_TIME]
"""A time in an answer: ms since the epoch inside, ISO 8601 in UTC with ms on the wire."""
