"""The kinds of fields that Atrium's bodies and answers are made of. Every text is bounded, and unknown fields are refused."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from atrium.examples import FIELDS

FIELDS_MAX = 100
"""How many fields a body has at most. Each unknown one is an error of its own, and to tell 100,000 of them holds up every other call."""
ID_SHAPE = re.compile(r"c[a-z0-9]{24}")
"""A cuid. A slug never has this shape, nor is it all digits, so a name in a path is never ambiguous."""
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DOMAIN = r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])$"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_TIME_MS_MAX = 253_402_300_799_999
# What cannot be seen: controls, line and paragraph breaks, what turns the direction of writing, what has no width.
_UNSEEN = r"\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
# Letters behind the first 65,536 are written differently in each language of patterns, so these stand in none.
_TAGS = re.compile("[\U000e0000-\U000e007f]")
_UNSEEN_BUT_BREAKS = _UNSEEN.replace(r"\x00-\x1f", r"\x00-\x08\x0b-\x1f")
_LINE = f"^[^\\S{_UNSEEN}]*[^\\s{_UNSEEN}][^{_UNSEEN}]*$"
_EMAIL = f"^[^@\\s{_UNSEEN}]+@[^@\\s{_UNSEEN}]+[.][^@\\s{_UNSEEN}]+$"
_LINES = f"^[^\\S{_UNSEEN_BUT_BREAKS}]*[^\\s{_UNSEEN}][^{_UNSEEN_BUT_BREAKS}]*$"


def _describe(schema: dict[str, Any]) -> None:
    """Say of each field of a JSON schema what it is."""
    for name, field in schema.get("properties", {}).items():
        if name in FIELDS:
            field.setdefault("description", FIELDS[name])


def example(value: dict[str, Any]) -> ConfigDict:
    """Return the configuration of a model that is shown by this example in the API's description."""

    def describe(schema: dict[str, Any]) -> None:
        _describe(schema)
        schema["examples"] = [value]

    return ConfigDict(json_schema_extra=describe)


class Body(BaseModel):
    """What a caller sends."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_describe)

    @model_validator(mode="before")
    @classmethod
    def _not_too_many_fields(cls, sent: Any) -> Any:
        if isinstance(sent, dict) and len(sent) > FIELDS_MAX:
            raise ValueError(f"an object has at most {FIELDS_MAX} members here")
        return sent

    def values(self) -> dict[str, Any]:
        """The fields that were sent, by name."""
        return self.model_dump(exclude_unset=True)


class View(BaseModel):
    """What a caller gets: read from the attributes of a row."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra=_describe)


def _one_line(value: str) -> str:
    if not re.fullmatch(_LINE, value) or _TAGS.search(value):
        raise PydanticCustomError("control_character", "write something that can be seen, without line breaks and control characters")
    return value.strip()


def _lines(value: str) -> str:
    if not re.fullmatch(_LINES, value) or _TAGS.search(value):
        raise PydanticCustomError(
            "control_character", "write something that can be seen, without control characters other than line break and tab"
        )
    return value.strip()


def _text(length_max: int, pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "minLength": 1, "maxLength": length_max, "pattern": pattern, "examples": [example]})


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise PydanticCustomError("slug", "use a-z, 0-9 and single hyphens between them")
    if value.isdigit() or ID_SHAPE.fullmatch(value):
        raise PydanticCustomError("slug", "a slug is neither all digits nor shaped like an id, because those name customers too")
    return value


def _domain(value: str) -> str:
    if not re.fullmatch(_DOMAIN, value):
        raise PydanticCustomError("domain", "write a domain name like aurora.com, without https:// and path")
    return value.lower()


def _email(value: str) -> str:
    if not re.fullmatch(_EMAIL, value) or _TAGS.search(value):
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

Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line), _text(200, _LINE, "Aurora Outfitters")]
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=10_000), AfterValidator(_lines), _text(10_000, _LINES, "Aurora goes live.")
]
Slug = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_slug),
    _text(64, f"^(?![0-9]+$)(?!{ID_SHAPE.pattern}$){_SLUG.pattern}$", "aurora"),
]
Domain = Annotated[str, StringConstraints(max_length=253), AfterValidator(_domain), _text(253, _DOMAIN, "aurora.com")]
Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email), _text(254, _EMAIL, "mira@aurora.com")]
Reference = Annotated[
    str,
    BeforeValidator(_reference),
    StringConstraints(min_length=1, max_length=100),
    AfterValidator(_one_line),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1, "maxLength": 100, "pattern": _LINE}, {"type": "integer"}]}),
]
"""What names a thing: its id, and of a customer also the slug or the display_id, which may come as a number."""
TimeGiven = Annotated[int, BeforeValidator(_time), _DATE_TIME]
"""A time in a body: ISO 8601 with an offset on the wire, ms since the epoch inside."""
Time = Annotated[str, BeforeValidator(_iso), _DATE_TIME]
"""A time in an answer: ms since the epoch inside, ISO 8601 in UTC with ms on the wire."""
