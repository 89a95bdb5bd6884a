"""What people send with a form: within bounds, and read by the models that read what programs send."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from keyrack import Refused, refusals

FIELDS_MAX = 20
FILES_MAX = 1
FIELD_BYTES_MAX = 1024 * 1024
AnyModel = TypeVar("AnyModel", bound=BaseModel)
# What pydantic says to programs, in words for people.
_WORDS = {
    "missing": "Fill this in.",
    "string_too_short": "Fill this in.",
    "string_too_long": "This is too long: write at most {max_length:,} characters.",
    "enum": "Choose one of these.",
    "literal_error": "Choose one of these.",
}
_TOLD_ON_THE_FORM = (refusals.INVALID_REQUEST, refusals.CONFLICT, refusals.QUOTA_EXCEEDED, refusals.NOT_FOUND)


class File(NamedTuple):
    """A file that came along."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """What was written, by the names of the fields, and the file that was chosen."""

    given: dict[str, str]
    file: File | None = None

    def fields(self, *names: str) -> dict[str, str]:
        """These fields, empty where they were not sent."""
        return {name: self.given.get(name, "") for name in names}

    def filled(self, *names: str) -> dict[str, str]:
        """Those of these fields in which something stands."""
        return {name: value for name, value in self.fields(*names).items() if value.strip()}


async def read_form(request: Request) -> Form:
    """Return what was sent. Raises Refused 400 for more than a form of ours has, or what is no form."""
    try:
        async with request.form(max_files=FILES_MAX, max_fields=FIELDS_MAX, max_part_size=FIELD_BYTES_MAX) as sent:
            files = [File(one.filename, await one.read()) for one in sent.values() if isinstance(one, UploadFile) and one.filename]
            # Browsers end lines in their own way.
            given = {name: value.replace("\r\n", "\n") for name, value in sent.items() if isinstance(value, str)}
    except HTTPException as error:
        raise refusals.INVALID_REQUEST(f"This form cannot be read: {error.detail}") from None
    return Form(given, files[0] if files else None)


def understood(model: type[AnyModel], given: Mapping[str, Any]) -> tuple[AnyModel | None, dict[str, str]]:
    """Return the model read from these fields, and what is wrong by the field it stands beside: one of the two is there."""
    try:
        return model.model_validate(given), {}
    except ValidationError as error:
        return None, {str(one["loc"][0]) if one["loc"] else "": _words(one) for one in reversed(error.errors())}


def told(refused: Refused, *fields: str) -> dict[str, str]:
    """Return what a refusal says by the field it stands beside, or under the empty name where it belongs to none of them.

    Raises the refusal again where the form is not at fault.
    """
    if refused.refusal not in _TOLD_ON_THE_FORM:
        raise refused
    return {refused.param if refused.param in fields else "": refused.detail}


def _words(error: Any) -> str:
    known = _WORDS.get(error["type"])
    if known is not None:
        return known.format(**error.get("ctx", {}))
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{said[:1].upper()}{said[1:]}."
