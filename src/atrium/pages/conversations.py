"""Conversations as people see them: who asked what, and what the chatbots answered from which places."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat import conversations
from atrium.chat.models import Channel, ChatMessage, Conversation, Lead, Speaker
from atrium.chat.schemas import ConversationQuery
from atrium.dependencies import Rack, ReadingSession, Session
from atrium.lists import Pages
from atrium.pages.chatbots import chatbot_names
from atrium.screens import Screens
from keyrack import Caller, Keyrack, Refused

LEADS_SHOWN_MAX = 10

router = APIRouter(prefix="/conversations", include_in_schema=False)
may_read = [Keyrack.signed_in("conversations:read")]
may_write = [Keyrack.signed_in("conversations:write")]


@router.get("", dependencies=may_read)
async def show_conversations(
    query: Annotated[ConversationQuery, Query()], caller: Caller, pages: Pages, session: ReadingSession, screen: Screens
) -> HTMLResponse:
    """Show the conversations, newest first, by what was asked first."""
    page = await pages.read(Conversation, query, workspace_id=caller.workspace_id)
    ids = [one.id for one in page.data]
    return screen.show(
        "conversations/list.html",
        conversations=page.data,
        older=screen.older(page.next_cursor),
        names=await chatbot_names(session, caller, [query.chatbot_id, *(one.chatbot_id for one in page.data)]),
        asked=await _first_questions(session, ids),
        unanswered=await _unanswered(session, ids),
        channels=list(Channel),
        chosen=query.channel,
        chatbot_id=query.chatbot_id,
    )


@router.get("/{conversation}", dependencies=may_read)
async def show_conversation(conversation: str, caller: Caller, session: ReadingSession, screen: Screens) -> HTMLResponse:
    """Show what was said, and the leads that came of it."""
    try:
        found = await conversations.find(session, caller.workspace_id, conversation)
    except Refused:
        return screen.show_missing("conversation")
    left = None
    if caller.may("leads:read"):
        leads = select(Lead).filter_by(workspace_id=caller.workspace_id, conversation_id=found.id).order_by(Lead.created_at.desc())
        left = (await session.scalars(leads.limit(LEADS_SHOWN_MAX))).all()
    return screen.show(
        "conversations/show.html",
        conversation=found,
        messages=await conversations.transcript(session, found),
        names=await chatbot_names(session, caller, [found.chatbot_id]),
        leads=left,
    )


@router.get("/{conversation}/delete", dependencies=may_write)
async def ask_before_deleting(conversation: str, caller: Caller, session: ReadingSession, screen: Screens) -> HTMLResponse:
    """Say what will be gone, and ask."""
    found = await conversations.find(session, caller.workspace_id, conversation)
    return screen.show("conversations/delete.html", conversation=found)


@router.post("/{conversation}/delete", dependencies=may_write)
async def delete_conversation(conversation: str, caller: Caller, rack: Rack, session: Session, screen: Screens) -> Response:
    """Delete a conversation with what was said in it."""
    rack.transaction(session)
    await conversations.delete(rack, session, await conversations.find(session, caller.workspace_id, conversation, lock=True))
    return screen.go("/conversations")


async def _first_questions(session: AsyncSession, ids: list[str]) -> dict[str, str]:
    """What was asked first in each conversation."""
    first = (
        select(ChatMessage.conversation_id, func.min(ChatMessage.created_at).label("at"))
        .where(ChatMessage.conversation_id.in_(ids), ChatMessage.author == Speaker.VISITOR)
        .group_by(ChatMessage.conversation_id)
        .subquery()
    )
    of_these = (ChatMessage.conversation_id == first.c.conversation_id) & (ChatMessage.created_at == first.c.at)
    return {one.conversation_id: one.body for one in await session.scalars(select(ChatMessage).join(first, of_these))}


async def _unanswered(session: AsyncSession, ids: list[str]) -> dict[str, int]:
    """How many questions of each conversation the sources held nothing about."""
    missed = select(ChatMessage.conversation_id, func.count().label("questions")).where(ChatMessage.found.is_(False))
    counted = missed.where(ChatMessage.conversation_id.in_(ids)).group_by(ChatMessage.conversation_id)
    return {row.conversation_id: row.questions for row in await session.execute(counted)}
