"""Chatbots as people see them, each with a box in which it can be tried."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat import chatbots, conversations
from atrium.chat.dependencies import Answering
from atrium.chat.examples import FALLBACK
from atrium.chat.models import Channel, Chatbot, Conversation, Source
from atrium.chat.schemas import GREETING, ChatbotChanges, ChatbotQuery, NewChatbot, NewQuestion
from atrium.dependencies import Rack, ReadingSession, Session
from atrium.forms import read_form, told, understood
from atrium.lists import Pages
from atrium.screens import Screen, Screens
from keyrack import Caller, Keyrack, Refused, refusals

SOURCES_SHOWN = 8
FIELDS = ("name", "greeting", "fallback")

router = APIRouter(prefix="/chatbots", include_in_schema=False)
may_read = [Keyrack.signed_in("chatbots:read")]
may_write = [Keyrack.signed_in("chatbots:write")]


class Tried(BaseModel):
    """The conversation in which a chatbot is being tried."""

    conversation_id: str | None = None


@router.get("", dependencies=may_read)
async def show_chatbots(
    query: Annotated[ChatbotQuery, Query()], caller: Caller, pages: Pages, session: ReadingSession, screen: Screens
) -> HTMLResponse:
    """Show the chatbots, newest first, and how far their sources are."""
    page = await pages.read(Chatbot, query, workspace_id=caller.workspace_id)
    counts = await _source_counts(session, [one.id for one in page.data]) if caller.may("sources:read") else None
    return screen.show("chatbots/list.html", chatbots=page.data, older=screen.older(page.next_cursor), counts=counts)


@router.get("/new", dependencies=may_write)
async def show_new_chatbot(screen: Screens) -> HTMLResponse:
    """Show the form that makes a chatbot."""
    return _form(screen, None, {"name": "", "greeting": GREETING, "fallback": FALLBACK})


@router.post("", dependencies=may_write)
async def create_chatbot(request: Request, caller: Caller, rack: Rack, session: Session, screen: Screens) -> Response:
    """Make a chatbot, and lead to its page."""
    given = (await read_form(request)).fields(*FIELDS)
    new, problems = understood(NewChatbot, given)
    if new is None:
        return _form(screen, None, given, problems, 400)
    rack.transaction(session)
    try:
        chatbot = await chatbots.create(rack, session, caller.workspace_id, new)
    except Refused as refused:
        return _form(screen, None, given, told(refused, *FIELDS), refused.refusal.status)
    return screen.go(f"/chatbots/{chatbot.id}")


@router.get("/{chatbot}", dependencies=may_read)
async def show_chatbot(
    chatbot: str, query: Annotated[Tried, Query()], caller: Caller, session: ReadingSession, screen: Screens
) -> HTMLResponse:
    """Show a chatbot: its sources, and what it answered whoever tries it."""
    tried = None
    try:
        found = await chatbots.find(session, caller.workspace_id, chatbot)
        if query.conversation_id is not None and caller.may("conversations:read"):
            tried = await _tried(session, found, query.conversation_id)
    except Refused:
        return screen.show_missing("chatbot")
    return await _page(screen, session, caller, found, tried)


@router.post("/{chatbot}/questions", dependencies=[Keyrack.signed_in("conversations:write")])
async def try_chatbot(
    chatbot: str,
    request: Request,
    caller: Caller,
    rack: Rack,
    answering: Answering,
    reading: ReadingSession,
    session: Session,
    screen: Screens,
) -> Response:
    """Ask a chatbot, in a conversation that begins with the first question."""
    caller.require("chatbots:read")
    given = (await read_form(request)).filled("body", "conversation_id")
    asked, problems = understood(NewQuestion, {"body": "", **given})
    found = await chatbots.find(reading, caller.workspace_id, chatbot)
    tried = None
    if "conversation_id" in given:
        tried = await _tried(reading, found, given["conversation_id"])
    if asked is None:
        return await _page(screen, reading, caller, found, tried, given, problems, 400)
    # Nothing is held open while the answer is looked for.
    await reading.commit()
    answer = await answering.answer(found, asked.body)
    rack.transaction(session)
    try:
        if tried is None:
            # Found again: somebody may have deleted it while it was thinking.
            found = await chatbots.find(session, caller.workspace_id, chatbot)
            conversation = conversations.open(rack, session, found, channel=Channel.CONSOLE)
        else:
            conversation = await conversations.find(session, caller.workspace_id, tried.id, lock=True)
        await conversations.say(rack, session, conversation, asked.body, answer)
    except Refused as refused:
        return await _page(screen, reading, caller, found, tried, given, told(refused, "body"), refused.refusal.status)
    return screen.go(f"/chatbots/{found.id}?conversation_id={conversation.id}#newest")


@router.get("/{chatbot}/edit", dependencies=may_write)
async def show_changes(chatbot: str, caller: Caller, session: ReadingSession, screen: Screens) -> HTMLResponse:
    """Show the form that changes a chatbot."""
    found = await chatbots.find(session, caller.workspace_id, chatbot)
    return _form(screen, found, {name: getattr(found, name) for name in FIELDS})


@router.post("/{chatbot}/edit", dependencies=may_write)
async def change_chatbot(chatbot: str, request: Request, caller: Caller, rack: Rack, session: Session, screen: Screens) -> Response:
    """Change a chatbot's name and what it says."""
    given = (await read_form(request)).fields(*FIELDS)
    rack.transaction(session)
    found = await chatbots.find(session, caller.workspace_id, chatbot, lock=True)
    changes, problems = understood(ChatbotChanges, given)
    if changes is None:
        return _form(screen, found, given, problems, 400)
    chatbots.change(rack, session, found, changes.values())
    return screen.go(f"/chatbots/{found.id}")


@router.get("/{chatbot}/delete", dependencies=may_write)
async def ask_before_deleting(chatbot: str, caller: Caller, session: ReadingSession, screen: Screens) -> HTMLResponse:
    """Say what goes with a chatbot, and ask."""
    found = await chatbots.find(session, caller.workspace_id, chatbot)
    sources = await session.scalar(select(func.count()).select_from(Source).filter_by(chatbot_id=found.id))
    return screen.show("chatbots/delete.html", chatbot=found, sources=sources)


@router.post("/{chatbot}/delete", dependencies=may_write)
async def delete_chatbot(chatbot: str, caller: Caller, rack: Rack, session: Session, screen: Screens) -> Response:
    """Delete a chatbot with its sources."""
    rack.transaction(session)
    found = await chatbots.find(session, caller.workspace_id, chatbot, lock=True)
    await chatbots.delete(rack, session, found)
    return screen.go("/chatbots")


async def chatbot_names(session: AsyncSession, caller: Caller, ids: Iterable[str | None]) -> dict[str, str]:
    """Return the names of these chatbots by their ids, for whoever may read them. One that was deleted has none."""
    if not caller.may("chatbots:read"):
        return {}
    named = select(Chatbot.id, Chatbot.name).filter_by(workspace_id=caller.workspace_id)
    found = await session.execute(named.where(Chatbot.id.in_({one for one in ids if one})))
    return {row.id: row.name for row in found}


async def _tried(session: AsyncSession, chatbot: Chatbot, conversation_id: str) -> Conversation:
    """A conversation in which the chatbot is being tried. Raises Refused 404 also for those of visitors: nobody speaks in their name."""
    found = await conversations.find(session, chatbot.workspace_id, conversation_id, chatbot_id=chatbot.id)
    if found.channel != Channel.CONSOLE:
        raise refusals.NOT_FOUND(f"No conversation {conversation_id[:40]}.")
    return found


def _form(
    screen: Screen, chatbot: Chatbot | None, given: Mapping[str, str], problems: Mapping[str, str] | None = None, status: int = 200
) -> HTMLResponse:
    return screen.show("chatbots/form.html", status, chatbot=chatbot, given=given, problems=problems or {})


async def _page(
    screen: Screen,
    session: AsyncSession,
    caller: Caller,
    chatbot: Chatbot,
    tried: Conversation | None,
    given: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    sources = None
    if caller.may("sources:read"):
        newest = select(Source).filter_by(chatbot_id=chatbot.id).order_by(Source.created_at.desc(), Source.id.desc())
        sources = (await session.scalars(newest.limit(SOURCES_SHOWN + 1))).all()
    return screen.show(
        "chatbots/show.html",
        status,
        chatbot=chatbot,
        counts=(await _source_counts(session, [chatbot.id])).get(chatbot.id, {}),
        sources=sources if sources is None else sources[:SOURCES_SHOWN],
        more=sources is not None and len(sources) > SOURCES_SHOWN,
        tried=tried,
        messages=[] if tried is None else await conversations.transcript(session, tried),
        given=given or {},
        problems=problems or {},
    )


async def _source_counts(session: AsyncSession, chatbot_ids: list[str]) -> dict[str, dict[str, int]]:
    """How many sources each chatbot has, by their status."""
    counted = select(Source.chatbot_id, Source.status, func.count()).where(Source.chatbot_id.in_(chatbot_ids))
    counts: dict[str, dict[str, int]] = {}
    for chatbot_id, status, count in await session.execute(counted.group_by(Source.chatbot_id, Source.status)):
        counts.setdefault(chatbot_id, {})[status] = count
    return counts
