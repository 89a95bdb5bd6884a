"""A thread of the community as people see it: read, replied to, followed by mail and moderated; and the link that ends following."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.community import follows, threads
from atrium.community.dependencies import Visiting
from atrium.community.markdown import render
from atrium.community.schemas import Measure, NewReply
from atrium.community.visitors import Visitor
from atrium.dependencies import Configured, Rack, ReadingSession, Session
from atrium.forms import read_form, understood
from atrium.screens import Screen, Screens, show_to_anybody
from keyrack import Keyrack, Refused, refusals

router = APIRouter(prefix="/community", include_in_schema=False)
signed_in = [Keyrack.signed_in()]


class Following(BaseModel):
    """Whether to follow, as the form sends it."""

    follows: bool


class Moderated(BaseModel):
    """What to do about a post, as the form sends it."""

    measure: Measure


class Link(BaseModel):
    """What a mail's link carries."""

    link: str = ""


@router.get("/unfollow")
async def ask_unfollow(query: Annotated[Link, Query()], request: Request, configured: Configured) -> HTMLResponse:
    """Ask whether to end the mails: programs that look at what a mail links to only look."""
    return show_to_anybody(request, configured.brand, "community/unfollow.html", link=query.link, state="asked")


@router.post("/unfollow")
async def unfollow(query: Annotated[Link, Query()], request: Request, configured: Configured, rack: Rack, session: Session) -> HTMLResponse:
    """End the mails that a link names, also where the reader's mail program asks by itself (RFC 8058)."""
    try:
        await follows.stop(rack, session, query.link)
    except ValueError:
        return show_to_anybody(request, configured.brand, "community/unfollow.html", 400, link="", state="wrong")
    await session.commit()
    return show_to_anybody(request, configured.brand, "community/unfollow.html", link="", state="done")


@router.get("/threads/{thread_id}", dependencies=signed_in)
async def show_thread(thread_id: str, visitor: Visiting, session: ReadingSession, screen: Screens, rack: Rack) -> Response:
    """Show a thread with its replies."""
    if not visitor.is_member:
        return screen.go("/community")
    return await _thread(screen, rack, session, visitor, thread_id)


@router.post("/threads/{thread_id}", dependencies=signed_in)
async def write_reply(thread_id: str, request: Request, visitor: Visiting, rack: Rack, session: Session, screen: Screens) -> Response:
    """Reply to a thread."""
    rack.transaction(session)
    given = (await read_form(request)).fields("body")
    new, problems = understood(NewReply, {"body": rack.masked(given["body"])})
    if new is None:
        return await _thread(screen, rack, session, visitor, thread_id, given["body"], problems, 400)
    try:
        thread = await threads.reply(session, visitor, thread_id, new)
    except Refused as refused:
        if refused.refusal not in (refusals.RATE_LIMITED, refusals.CONFLICT):
            return _missing(screen, refused)
        return await _thread(screen, rack, session, visitor, thread_id, given["body"], {"": refused.detail}, refused.refusal.status)
    return screen.go(f"/community/threads/{thread.id}")


@router.post("/threads/{thread_id}/follow", dependencies=signed_in)
async def follow_thread(
    thread_id: str, sent: Annotated[Following, Form()], visitor: Visiting, rack: Rack, session: Session, screen: Screens
) -> Response:
    """Follow a thread by mail, or no more."""
    rack.transaction(session)
    try:
        thread = await threads.get(session, visitor, thread_id)
    except Refused as refused:
        return _missing(screen, refused)
    if sent.follows:
        await follows.add(session, thread, visitor.person_id)
    else:
        await follows.remove(session, thread.id, visitor.person_id)
    return screen.go(f"/community/threads/{thread.id}")


@router.post("/threads/{thread_id}/moderate", dependencies=signed_in)
async def moderate_thread(
    thread_id: str, sent: Annotated[Moderated, Form()], visitor: Visiting, rack: Rack, session: Session, screen: Screens
) -> Response:
    """Hide, show, lock, unlock or delete a thread."""
    rack.transaction(session)
    try:
        thread = await threads.moderate(session, visitor, thread_id, sent.measure)
    except Refused as refused:
        return _missing(screen, refused)
    space = visitor.space_of(thread)
    return screen.go(f"/community/{space}" if sent.measure is Measure.DELETE else f"/community/threads/{thread.id}")


@router.post("/threads/{thread_id}/replies/{reply_id}/moderate", dependencies=signed_in)
async def moderate_reply(
    thread_id: str, reply_id: str, sent: Annotated[Moderated, Form()], visitor: Visiting, rack: Rack, session: Session, screen: Screens
) -> Response:
    """Hide, show or delete a reply."""
    rack.transaction(session)
    try:
        thread = await threads.moderate_reply(session, visitor, thread_id, reply_id, sent.measure)
    except Refused as refused:
        return _missing(screen, refused)
    return screen.go(f"/community/threads/{thread.id}")


def _missing(screen: Screen, refused: Refused) -> HTMLResponse:
    """Return the page for what is not there, or not for this visitor. Raises any other refusal."""
    if refused.refusal is not refusals.NOT_FOUND:
        raise refused
    return screen.show("community/missing.html", 404, what="thread")


async def _thread(
    screen: Screen,
    rack: Keyrack,
    session: AsyncSession,
    visitor: Visitor,
    thread_id: str,
    written: str = "",
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    try:
        thread = await threads.get(session, visitor, thread_id)
    except Refused as refused:
        return _missing(screen, refused)
    replies, markdown = await threads.replies(session, visitor, thread), partial(render, root=screen.root)
    # Beside what else this process does: a text may be written to take long.
    await asyncio.to_thread(lambda: [markdown(post.body) for post in (thread, *replies)])
    return screen.show(
        "community/thread.html",
        status,
        visitor=visitor,
        space=visitor.space_of(thread),
        thread=thread,
        replies=replies,
        is_following=await follows.is_following(session, thread, visitor.person_id),
        sends_mail=rack.settings.sends_mail,
        may_reply=thread.locked_at is None or visitor.is_staff,
        markdown=markdown,
        written=written,
        problems=problems or {},
    )
