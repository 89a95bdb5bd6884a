"""Sources as people see them: what chatbots answer from, how far each is, and why one failed."""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat import sources
from atrium.chat.dependencies import SourceWriter
from atrium.chat.models import Chatbot, Source, SourceStatus
from atrium.chat.schemas import NewFile, NewTextSource, NewUrlSource, SourceQuery
from atrium.chat.sources import FILE_KINDS, Sources
from atrium.dependencies import Rack, ReadingSession, Session
from atrium.forms import Form, read_form, told, understood
from atrium.lists import Pages
from atrium.pages.chatbots import chatbot_names
from atrium.screens import Screen, Screens
from keyrack import Caller, Keyrack, Refused

CHATBOTS_OFFERED_MAX = 100
FORM_BYTES_MAX = 4096
"""What a form is longer than the file in it."""
FIELDS = ("chatbot_id", "name", "text", "url", "file")

router = APIRouter(prefix="/sources", include_in_schema=False)
may_read = [Keyrack.signed_in("sources:read")]
may_write = [Keyrack.signed_in("sources:write")]


class Beginning(BaseModel):
    """What the form for a new source begins with."""

    chatbot_id: str = ""
    kind: Literal["text", "markdown", "file", "url"] = "file"


class NewSourceForm:
    """The form that adds a source, for the chatbots that there are."""

    def __init__(self, screen: Screen, session: AsyncSession, caller: Caller, bytes_max: int) -> None:
        self._screen = screen
        self._session = session
        self._caller = caller
        self._bytes_max = bytes_max

    async def show(self, kind: str, given: Mapping[str, str], problems: Mapping[str, str] | None = None, status: int = 200) -> HTMLResponse:
        """Return the page. Raises Refused 403 for who may not read the chatbots' names."""
        self._caller.require("chatbots:read")
        newest = select(Chatbot).filter_by(workspace_id=self._caller.workspace_id).order_by(Chatbot.created_at.desc(), Chatbot.id.desc())
        return self._screen.show(
            "sources/new.html",
            status,
            kind=kind,
            given=given,
            problems=problems or {},
            chatbots=(await self._session.scalars(newest.limit(CHATBOTS_OFFERED_MAX))).all(),
            endings=list(FILE_KINDS),
            bytes_max=self._bytes_max,
        )


async def _new_source_form(screen: Screens, session: ReadingSession, caller: Caller, rack: Rack) -> NewSourceForm:
    return NewSourceForm(screen, session, caller, rack.settings.body_bytes_max - FORM_BYTES_MAX)


NewSourceForms = Annotated[NewSourceForm, Depends(_new_source_form)]


@router.get("", dependencies=may_read)
async def show_sources(
    query: Annotated[SourceQuery, Query()], caller: Caller, pages: Pages, session: ReadingSession, screen: Screens
) -> HTMLResponse:
    """Show the sources, newest first."""
    page = await pages.read(Source, query, workspace_id=caller.workspace_id)
    names = await chatbot_names(session, caller, [query.chatbot_id, *(one.chatbot_id for one in page.data)])
    return screen.show(
        "sources/list.html",
        sources=page.data,
        older=screen.older(page.next_cursor),
        names=names,
        statuses=list(SourceStatus),
        chosen=query.status,
        chatbot_id=query.chatbot_id,
        waiting=sum(one.status == SourceStatus.PENDING for one in page.data),
    )


@router.get("/new", dependencies=may_write)
async def show_new_source(query: Annotated[Beginning, Query()], new_source: NewSourceForms) -> HTMLResponse:
    """Show the form that adds a source of one kind."""
    return await new_source.show(query.kind, {"chatbot_id": query.chatbot_id})


@router.post("/new", dependencies=may_write)
async def add_source(
    query: Annotated[Beginning, Query()],
    request: Request,
    caller: Caller,
    rack: Rack,
    writer: SourceWriter,
    session: Session,
    screen: Screens,
    new_source: NewSourceForms,
) -> Response:
    """Add a source, and lead to where it is seen becoming ready."""
    form = await read_form(request)
    rack.transaction(session)
    try:
        source, problems = await _add(writer, session, caller.workspace_id, query.kind, form)
    except Refused as refused:
        return await new_source.show(query.kind, form.given, told(refused, *FIELDS), refused.refusal.status)
    if source is None:
        return await new_source.show(query.kind, form.given, problems, 400)
    return screen.go(f"/chatbots/{source.chatbot_id}")


@router.post("/{source}/retry", dependencies=may_write)
async def retry_source(source: str, caller: Caller, rack: Rack, writer: SourceWriter, session: Session, screen: Screens) -> Response:
    """Have a source that failed taken in once more."""
    rack.transaction(session)
    found = await sources.find(session, caller.workspace_id, source, lock=True)
    if found.status == SourceStatus.FAILED:
        # Where somebody else pressed first, it is on its way already.
        writer.retry(session, found)
    return screen.go("/sources")


@router.get("/{source}/delete", dependencies=may_write)
async def ask_before_deleting(source: str, caller: Caller, session: ReadingSession, screen: Screens) -> HTMLResponse:
    """Say what a chatbot will not know any more, and ask."""
    found = await sources.find(session, caller.workspace_id, source)
    names = await chatbot_names(session, caller, [found.chatbot_id])
    return screen.show("sources/delete.html", source=found, name=names.get(found.chatbot_id))


@router.post("/{source}/delete", dependencies=may_write)
async def delete_source(source: str, caller: Caller, rack: Rack, writer: SourceWriter, session: Session, screen: Screens) -> Response:
    """Delete a source."""
    rack.transaction(session)
    await writer.delete(session, await sources.find(session, caller.workspace_id, source, lock=True))
    return screen.go("/sources")


async def _add(writer: Sources, session: AsyncSession, workspace_id: str, kind: str, form: Form) -> tuple[Source | None, dict[str, str]]:
    """Add what a form describes, or say what is wrong with it. Raises Refused as `Sources.add` and `Sources.add_file` do."""
    if kind == "file":
        given, problems = understood(NewFile, {**form.fields("chatbot_id"), **form.filled("name")})
        if form.file is None:
            problems = {**problems, "file": "Choose a file."}
        if given is None or form.file is None:
            return None, problems
        name, content = form.file
        return await writer.add_file(session, workspace_id, given.chatbot_id, content, filename=name, name=given.name), {}
    if kind == "url":
        page, problems = understood(NewUrlSource, {"kind": kind, **form.fields("chatbot_id", "url"), **form.filled("name")})
        return (None, problems) if page is None else (await writer.add(session, workspace_id, page), {})
    text, problems = understood(NewTextSource, {"kind": kind, **form.fields("chatbot_id", "name", "text")})
    return (None, problems) if text is None else (await writer.add(session, workspace_id, text), {})
