"""Leads as people see them, and as a file for a spreadsheet."""

import csv
from collections.abc import AsyncIterator, Iterable, Sequence
from io import StringIO
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat import leads
from atrium.chat.models import Lead
from atrium.chat.schemas import LeadQuery
from atrium.dependencies import NO_PARAMETERS, Rack, ReadingSession, Session
from atrium.lists import Pages
from atrium.pages.chatbots import chatbot_names
from atrium.screens import Screens, iso
from keyrack import Caller, Keyrack

LINES_MAX = 100_000
LINES_AT_ONCE = 500
COLUMNS = ("created_at", "email", "name", "chatbot", "chatbot_id", "conversation_id", "id")
# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, "CSV injection").
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")

router = APIRouter(include_in_schema=False)
may_read = [Keyrack.signed_in("leads:read")]
may_write = [Keyrack.signed_in("leads:write")]


@router.get("/leads", dependencies=may_read)
async def show_leads(
    query: Annotated[LeadQuery, Query()], caller: Caller, pages: Pages, session: ReadingSession, screen: Screens
) -> HTMLResponse:
    """Show the leads, newest first."""
    page = await pages.read(Lead, query, workspace_id=caller.workspace_id)
    names = await chatbot_names(session, caller, [query.chatbot_id, *(one.chatbot_id for one in page.data)])
    return screen.show("leads/list.html", leads=page.data, older=screen.older(page.next_cursor), names=names, chatbot_id=query.chatbot_id)


@router.get("/leads.csv", dependencies=[*may_read, NO_PARAMETERS])
async def export_leads(caller: Caller, session: ReadingSession) -> Response:
    """Export the leads, newest first: as many as a spreadsheet can be expected to open."""
    headers = {"Content-Disposition": 'attachment; filename="leads.csv"', "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(_lines(session, caller), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/leads/{lead}/delete", dependencies=may_write)
async def ask_before_deleting(lead: str, caller: Caller, session: ReadingSession, screen: Screens) -> HTMLResponse:
    """Say who will be forgotten, and ask."""
    return screen.show("leads/delete.html", lead=await leads.find(session, caller.workspace_id, lead))


@router.post("/leads/{lead}/delete", dependencies=may_write)
async def delete_lead(lead: str, caller: Caller, rack: Rack, session: Session, screen: Screens) -> Response:
    """Delete a lead."""
    rack.transaction(session)
    await leads.delete(rack, session, await leads.find(session, caller.workspace_id, lead, lock=True))
    return screen.go("/leads")


async def _lines(session: AsyncSession, caller: Caller) -> AsyncIterator[bytes]:
    yield _csv([COLUMNS])
    fields = select(Lead.created_at, Lead.email, Lead.name, Lead.chatbot_id, Lead.conversation_id, Lead.id)
    newest = fields.filter_by(workspace_id=caller.workspace_id).order_by(Lead.created_at.desc(), Lead.id.desc()).limit(LINES_AT_ONCE)
    rows = (await session.execute(newest)).all()
    for _ in range(LINES_MAX // LINES_AT_ONCE):
        names = await chatbot_names(session, caller, (row.chatbot_id for row in rows))
        yield _csv((iso(at), email, name, names.get(chatbot), chatbot, talk, id) for at, email, name, chatbot, talk, id in rows)
        if len(rows) < LINES_AT_ONCE:
            return
        rows = (await session.execute(newest.where(tuple_(Lead.created_at, Lead.id) < (rows[-1].created_at, rows[-1].id)))).all()


def _csv(lines: Iterable[Sequence[str | None]]) -> bytes:
    part = StringIO()
    csv.writer(part).writerows([_cell(value) for value in line] for line in lines)
    return part.getvalue().encode(errors="replace")


def _cell(value: str | None) -> str:
    text = value or ""
    return f"'{text}" if text.startswith(_FORMULAS) else text
