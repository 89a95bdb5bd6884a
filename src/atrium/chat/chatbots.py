"""Chatbots: found, made, changed and deleted."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat.events import CHATBOT_CREATED, CHATBOT_DELETED, CHATBOT_UPDATED, SOURCE_DELETED
from atrium.chat.meters import CHATBOTS
from atrium.chat.models import Chatbot, Source
from atrium.chat.schemas import NewChatbot
from atrium.fields import ID_SHAPE
from keyrack import Keyrack, refusals


async def find(session: AsyncSession, workspace_id: str, chatbot_id: str, *, lock: bool = False, param: str | None = None) -> Chatbot:
    """Return a chatbot, or raise the refusal `not_found`.

    With `lock`, others that want to change it wait until this session's transaction has ended. `param` is the field that named it.
    """
    chatbot = None
    if ID_SHAPE.fullmatch(chatbot_id):
        chatbots = select(Chatbot).filter_by(workspace_id=workspace_id, id=chatbot_id)
        chatbot = await session.scalar(chatbots.with_for_update() if lock else chatbots)
    if chatbot is None:
        raise refusals.NOT_FOUND(f"No chatbot {chatbot_id[:40]}.", param=param)
    return chatbot


async def create(rack: Keyrack, session: AsyncSession, workspace_id: str, new: NewChatbot) -> Chatbot:
    """Make a chatbot. Raises Refused `quota_exceeded` where the plan holds no more."""
    await rack.count(CHATBOTS, session=session)
    chatbot = Chatbot(**new.model_dump(), workspace_id=workspace_id)
    session.add(chatbot)
    rack.record(session, CHATBOT_CREATED, chatbot)
    return chatbot


def change(rack: Keyrack, session: AsyncSession, chatbot: Chatbot, values: dict[str, Any]) -> None:
    """Set fields of a chatbot."""
    if chatbot.change(values):
        rack.record(session, CHATBOT_UPDATED, chatbot)


async def delete(rack: Keyrack, session: AsyncSession, chatbot: Chatbot) -> None:
    """Delete a chatbot with its sources. What visitors said and left stays."""
    for source in await session.scalars(select(Source).filter_by(chatbot_id=chatbot.id)):
        rack.record(session, SOURCE_DELETED, source)
    rack.record(session, CHATBOT_DELETED, chatbot)
    await session.delete(chatbot)
