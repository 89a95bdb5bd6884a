"""Conversations: begun, carried on, read and deleted."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat.answers import Answer
from atrium.chat.events import CONVERSATION_DELETED, CONVERSATION_STARTED
from atrium.chat.models import Channel, Chatbot, ChatMessage, Conversation, Speaker
from atrium.database import now_ms
from atrium.fields import ID_SHAPE
from atrium.spaces.meters import MESSAGES
from keyrack import Keyrack, refusals

MESSAGES_MAX = 1_000
"""How many messages a conversation has at most: so a transcript can be shown whole."""


async def find(
    session: AsyncSession,
    workspace_id: str,
    conversation_id: str,
    *,
    chatbot_id: str | None = None,
    visitor_id: str | None = None,
    lock: bool = False,
    param: str | None = None,
) -> Conversation:
    """Return a conversation, with that chatbot and of that visitor where they are given, or raise the refusal `not_found`.

    With `lock`, others that want to say something wait until this session's transaction has ended.
    """
    found = None
    if ID_SHAPE.fullmatch(conversation_id):
        wanted = select(Conversation).filter_by(workspace_id=workspace_id, id=conversation_id)
        if chatbot_id is not None:
            wanted = wanted.where(Conversation.chatbot_id == chatbot_id)
        if visitor_id is not None:
            wanted = wanted.where(Conversation.visitor_id == visitor_id)
        found = await session.scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise refusals.NOT_FOUND(f"No conversation {conversation_id[:40]}.", param=param)
    return found


def open(rack: Keyrack, session: AsyncSession, chatbot: Chatbot, *, channel: Channel, visitor_id: str | None = None) -> Conversation:
    """Begin a conversation with a chatbot."""
    conversation = Conversation(
        workspace_id=chatbot.workspace_id, chatbot_id=chatbot.id, channel=channel, visitor_id=visitor_id, messages_count=0
    )
    session.add(conversation)
    rack.record(session, CONVERSATION_STARTED, conversation)
    return conversation


async def say(
    rack: Keyrack, session: AsyncSession, conversation: Conversation, text: str, answer: Answer
) -> tuple[ChatMessage, ChatMessage]:
    """Add what a visitor said and what was answered; return both. The conversation is new, or was found with `lock`.

    Raises Refused `quota_exceeded` where the plan has no more messages, `conflict` where the conversation is full.
    """
    if conversation.messages_count + 2 > MESSAGES_MAX:
        raise refusals.CONFLICT(f"A conversation has {MESSAGES_MAX:,} messages at most: begin a new one.", param="conversation_id")
    # Ids of one millisecond stand in no order: each message has a time of its own.
    said_at = max(now_ms(), conversation.updated_at + 1)
    message = _message(conversation, said_at, Speaker.VISITOR, text)
    answered = _message(conversation, said_at + 1, Speaker.CHATBOT, answer.text, answer)
    conversation.messages_count += 2
    conversation.updated_at = answered.created_at
    await session.flush()
    session.add_all([message, answered])
    await rack.count(MESSAGES)
    return message, answered


async def transcript(session: AsyncSession, conversation: Conversation) -> Sequence[ChatMessage]:
    """Return what was said, in order."""
    said = select(ChatMessage).filter_by(conversation_id=conversation.id).order_by(ChatMessage.created_at, ChatMessage.id)
    return (await session.scalars(said.limit(MESSAGES_MAX))).all()


async def delete(rack: Keyrack, session: AsyncSession, conversation: Conversation) -> None:
    """Delete a conversation with what was said in it. Its lead stays."""
    rack.record(session, CONVERSATION_DELETED, conversation)
    await session.delete(conversation)


def _message(conversation: Conversation, said_at: int, author: Speaker, body: str, answer: Answer | None = None) -> ChatMessage:
    return ChatMessage(
        workspace_id=conversation.workspace_id,
        conversation_id=conversation.id,
        author=author,
        body=body,
        citations=[] if answer is None else [citation.shown() for citation in answer.citations],
        found=None if answer is None else answer.found,
        created_at=said_at,
        updated_at=said_at,
    )
