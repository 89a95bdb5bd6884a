"""The kinds of fields that Atrium's bodies and answers are made of. Every text is bounded, and unknown fields are refused."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema

ID_SHAPE = re.compile(r"c[a-z0-9]{24}")
"""A cuid. A slug never has this shape, nor is it all digits, so a name in a path is never ambiguous."""
_TIME_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_TIME_MS_MAX = 253_402_300_799_999
_DOMAIN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$"


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
        raise ValueError("line breaks and control characters are not allowed")
    return value


def _lines(value: str) -> str:
    if not value.replace("\n", "").replace("\t", "").isprintable():
        raise ValueError("control characters other than line break and tab are not allowed")
    return value


def _slug(value: str) -> str:
    if value.isdigit() or ID_SHAPE.fullmatch(value):
        raise ValueError("a slug must not be all digits or look like an id, because a customer can be named by those too")
    return value


def _written(value: Any) -> Any:
    return value if not isinstance(value, int) else _iso(value)


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}Z"


def _read_time(value: Any) -> int:
    if not isinstance(value, str) or not _TIME_SHAPE.fullmatch(value):
        raise ValueError("write a time as ISO 8601 with its offset, like 2026-07-15T00:00:00Z")
    ms = int(datetime.fromisoformat(value).timestamp() * 1000)
    if not 0 <= ms <= _TIME_MS_MAX:
        raise ValueError("a time lies between the years 1970 and 9999")
    return ms


def _reference(value: Any) -> Any:
    return str(value) if type(value) is int else value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_one_line)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000), AfterValidator(_lines)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64), AfterValidator(_slug)]
Domain = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=253, pattern=_DOMAIN)]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$"), AfterValidator(_one_line)
]
Reference = Annotated[str, BeforeValidator(_reference), StringConstraints(min_length=1, max_length=100)]
"""What names a customer: its id, its slug or its display_id (also as a number)."""
Time = Annotated[str, BeforeValidator(_written), WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time in an answer: ms since the epoch inside, ISO 8601 in UTC with ms on the wire."""
TimeGiven = Annotated[int, BeforeValidator(_read_time), WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time in a body: ISO 8601 with an offset on the wire, ms since the epoch inside."""
