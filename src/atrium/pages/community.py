"""The community as people see it: joined and left by one button, its spaces, and the threads in each."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.community import follows, threads
from atrium.community.dependencies import Visiting
from atrium.community.schemas import NewThread
from atrium.community.spaces import CommunitySpace
from atrium.community.visitors import Visitor
from atrium.dependencies import Rack, ReadingSession, Session
from atrium.forms import read_form, understood
from atrium.screens import Screen, Screens
from keyrack import Caller, Keyrack, Refused, refusals

THREADS_SHOWN = 25
FIELDS = ("title", "body")

router = APIRouter(prefix="/community", include_in_schema=False)
signed_in = [Keyrack.signed_in()]


class Cursor(BaseModel):
    """Where the threads that are shown begin."""

    cursor: str | None = Field(default=None, max_length=1500)


@router.get("", dependencies=signed_in)
async def show_community(visitor: Visiting, session: ReadingSession, screen: Screens) -> HTMLResponse:
    """Show what the community is, and to its members what there is in each space."""
    counts = await threads.counts(session, visitor) if visitor.is_member else {}
    return screen.show("community/front.html", visitor=visitor, spaces=list(CommunitySpace), counts=counts)


@router.post("/join", dependencies=signed_in)
async def join_community(visitor: Visiting, caller: Caller, rack: Rack, screen: Screens) -> Response:
    """Make whoever presses the button a member."""
    try:
        await rack.people.join(caller.principal, visitor.home.workspace_id)
    except Refused as refused:
        # Pressed twice, or put out by the team: the page says which.
        if refused.refusal is not refusals.CONFLICT:
            raise
    return screen.go("/community")


@router.post("/leave", dependencies=signed_in)
async def leave_community(visitor: Visiting, caller: Caller, rack: Rack, session: Session, screen: Screens) -> Response:
    """Let a member go. What they wrote stays, under their name; no more mail goes to them."""
    if visitor.is_member:
        await rack.people.leave(caller.principal, visitor.home.workspace_id)
        await follows.remove_all(session, visitor.person_id)
        await session.commit()
    return screen.go("/community")


@router.get("/{space}", dependencies=signed_in)
async def show_space(
    space: str, query: Annotated[Cursor, Query()], visitor: Visiting, rack: Rack, session: ReadingSession, screen: Screens
) -> Response:
    """Show the threads of a space, those with the newest activity first."""
    if not visitor.is_member:
        return screen.go("/community")
    chosen = _named(visitor, space)
    if chosen is None:
        return screen.show("community/missing.html", 404, what="space")
    return await _list(screen, rack, session, visitor, chosen, cursor=query.cursor)


@router.post("/{space}", dependencies=signed_in)
async def start_thread(space: str, request: Request, visitor: Visiting, rack: Rack, session: Session, screen: Screens) -> Response:
    """Start a thread, and lead to it."""
    rack.transaction(session)
    chosen = _named(visitor, space)
    if chosen is None or not visitor.is_member:
        return screen.show("community/missing.html", 404, what="space")
    given = (await read_form(request)).fields(*FIELDS)
    new, problems = understood(NewThread, {name: rack.masked(value) for name, value in given.items()})
    if new is None:
        return await _list(screen, rack, session, visitor, chosen, given=given, problems=problems, status=400)
    try:
        thread = await threads.start(session, visitor, chosen, new)
    except Refused as refused:
        if refused.refusal is not refusals.RATE_LIMITED:
            raise
        status, problems = refused.refusal.status, {"": refused.detail}
        return await _list(screen, rack, session, visitor, chosen, given=given, problems=problems, status=status)
    return screen.go(f"/community/threads/{thread.id}")


def _named(visitor: Visitor, name: str) -> CommunitySpace | None:
    return next((space for space in visitor.names if space.value == name), None)


async def _list(
    screen: Screen,
    rack: Keyrack,
    session: AsyncSession,
    visitor: Visitor,
    space: CommunitySpace,
    *,
    cursor: str | None = None,
    given: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    of_this_list = {"list": "community", "space": space.value, "person": visitor.person_id}
    after = rack.cursors.read(cursor, of_this_list)
    found = await threads.page(session, visitor, space, limit=THREADS_SHOWN + 1, after=after)
    shown = found[:THREADS_SHOWN]
    last = (shown[-1].active_at, shown[-1].id) if len(found) > THREADS_SHOWN else None
    return screen.show(
        "community/space.html",
        status,
        visitor=visitor,
        space=space,
        threads=shown,
        older=screen.older(rack.cursors.write(last, of_this_list) if last else None),
        may_start=space.opens(is_staff=visitor.is_staff),
        given=given or dict.fromkeys(FIELDS, ""),
        problems=problems or {},
    )
