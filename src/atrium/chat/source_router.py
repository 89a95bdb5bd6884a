"""Sources over HTTP: texts and addresses come as JSON, files as a form."""

import json
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.datastructures import UploadFile

from atrium.chat import sources
from atrium.chat.dependencies import SourceWriter
from atrium.chat.examples import NEW_RETURNS
from atrium.chat.models import Source, SourceKind
from atrium.chat.schemas import NewFile, NewSource, NewTextSource, NewUrlSource, SourceQuery, SourceView
from atrium.dependencies import NO_PARAMETERS, Rack, ReadingSession, Session
from atrium.lists import Pages
from keyrack import Caller, Keyrack, Page, refusals

JSON, FORM = "application/json", "multipart/form-data"
FIELDS_MAX = 10
AnyBody = TypeVar("AnyBody", bound=BaseModel)
_NEW_SOURCE: TypeAdapter[NewTextSource | NewUrlSource] = TypeAdapter(NewSource)
_JSON_KINDS = (SourceKind.TEXT, SourceKind.MARKDOWN, SourceKind.URL)
_FILE = {"type": "string", "format": "binary", "description": "The file. Its name ends in what it is: " + ", ".join(sources.FILE_KINDS)}


def _form_schema() -> dict[str, Any]:
    schema = NewFile.model_json_schema()
    return schema | {"properties": {**schema["properties"], "file": _FILE}, "required": [*schema["required"], "file"]}


def _json_schema() -> dict[str, Any]:
    """Both kinds of JSON in one schema: readers of the reference see each field, and which kind it belongs to."""
    text, url = NewTextSource.model_json_schema(), NewUrlSource.model_json_schema()
    kind = {"type": "string", "enum": list(_JSON_KINDS), "description": "What it is made of."}
    only = {
        "name": "The name, for people. A page without one gets its title.",
        "text": "The text, of the kinds text and markdown.",
        "url": "The address, of the kind url.",
    }
    properties = {name: {**field, "description": only.get(name, field.get("description"))} for name, field in text["properties"].items()}
    properties |= {"kind": kind, "url": {**url["properties"]["url"], "description": only["url"]}}
    return text | {"description": "A text or a page to answer from.", "properties": properties, "required": ["chatbot_id", "kind"]}


_BODY = {
    "required": True,
    "content": {JSON: {"schema": _json_schema(), "example": NEW_RETURNS}, FORM: {"schema": _form_schema()}},
}

router = APIRouter(prefix="/sources")
may_list = [Keyrack.requires("sources:read")]
may_read = [*may_list, NO_PARAMETERS]
may_write = [Keyrack.requires("sources:write"), NO_PARAMETERS]


@router.get("", response_model=Page[SourceView], dependencies=may_list)
async def list_sources(query: Annotated[SourceQuery, Query()], caller: Caller, pages: Pages) -> Page[Any]:
    """List sources, newest first unless `sort` says otherwise."""
    return await pages.read(Source, query, workspace_id=caller.workspace_id)


@router.post("", response_model=SourceView, status_code=201, dependencies=may_write, openapi_extra={"requestBody": _BODY})
async def create_source(request: Request, caller: Caller, rack: Rack, session: Session, writer: SourceWriter) -> Source:
    """Add a source: a text, a page's address, or a file.

    A file is sent as a form (`multipart/form-data`) with `chatbot_id`, `file` and, unless it is to be called as the file is, `name`. A
    source is `pending` at first, and a moment later `ready`, or `failed` for a `reason`.
    """
    if _media_type(request) == FORM:
        async with request.form(max_files=1, max_fields=FIELDS_MAX) as form:
            new_file = _checked(TypeAdapter(NewFile), {name: value for name, value in form.items() if name != "file"})
            filename, content = await _file(form.get("file"))
        rack.transaction(session)
        return await writer.add_file(session, caller.workspace_id, new_file.chatbot_id, content, filename=filename, name=new_file.name)
    new = _checked(_NEW_SOURCE, await _json(request))
    rack.transaction(session)
    return await writer.add(session, caller.workspace_id, new)


@router.get("/{source}", response_model=SourceView, dependencies=may_read)
async def get_source(source: str, caller: Caller, session: ReadingSession) -> Source:
    """Get a source: whether it was taken in, and why not."""
    return await sources.find(session, caller.workspace_id, source)


@router.post("/{source}/retry", response_model=SourceView, dependencies=may_write)
async def retry_source(source: str, caller: Caller, rack: Rack, session: Session, writer: SourceWriter) -> Source:
    """Have a source that failed taken in once more."""
    rack.transaction(session)
    found = await sources.find(session, caller.workspace_id, source, lock=True)
    writer.retry(session, found)
    return found


@router.delete("/{source}", status_code=204, dependencies=may_write)
async def delete_source(source: str, caller: Caller, rack: Rack, session: Session, writer: SourceWriter) -> None:
    """Delete a source: its chatbot knows nothing of it from now on."""
    rack.transaction(session)
    await writer.delete(session, await sources.find(session, caller.workspace_id, source, lock=True))


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _json(request: Request) -> dict[str, Any]:
    try:
        sent = json.loads(await request.body()) if _media_type(request) == JSON else None
    except (ValueError, RecursionError):
        raise refusals.INVALID_REQUEST("The body is not valid JSON.") from None
    if not isinstance(sent, dict):
        raise refusals.INVALID_REQUEST(f"Send an object as {JSON}, or a file as {FORM}.")
    if sent.get("kind") not in _JSON_KINDS:
        raise refusals.INVALID_REQUEST(f"kind is one of {', '.join(_JSON_KINDS)}. Files are sent as {FORM}.", param="kind")
    return sent


def _checked(adapter: TypeAdapter[AnyBody], sent: dict[str, Any]) -> AnyBody:
    try:
        return adapter.validate_python(sent)
    except ValidationError as error:
        # The kind of a source is no part of a field's name.
        errors = [
            {**one, "loc": ("body", *(step for step in one["loc"][:1] if step not in _JSON_KINDS), *one["loc"][1:])}
            for one in error.errors()
        ]
        raise RequestValidationError(errors, body=sent) from None


async def _file(part: UploadFile | str | None) -> tuple[str, bytes]:
    if not isinstance(part, UploadFile) or not part.filename:
        raise refusals.INVALID_REQUEST("file: send a file with its name.", param="file")
    return part.filename, await part.read()
