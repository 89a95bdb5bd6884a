"""Leads: who left an address."""

from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat.events import LEAD_CREATED, LEAD_DELETED
from atrium.chat.models import Chatbot, Conversation, Lead
from atrium.rows import find_row
from keyrack import Keyrack


async def find(session: AsyncSession, workspace_id: str, lead_id: str, *, lock: bool = False) -> Lead:
    """Return a lead, or raise the refusal `not_found`."""
    return await find_row(session, Lead, lead_id, lock=lock, workspace_id=workspace_id)


def leave(
    rack: Keyrack, session: AsyncSession, chatbot: Chatbot, *, email: str, name: str | None = None, conversation: Conversation | None = None
) -> Lead:
    """Keep an address that somebody left with a chatbot, in a conversation of its or without one."""
    lead = Lead(
        workspace_id=chatbot.workspace_id,
        chatbot_id=chatbot.id,
        conversation_id=None if conversation is None else conversation.id,
        email=email,
        name=name,
    )
    session.add(lead)
    rack.record(session, LEAD_CREATED, lead)
    return lead


async def delete(rack: Keyrack, session: AsyncSession, lead: Lead) -> None:
    """Delete a lead."""
    rack.record(session, LEAD_DELETED, lead)
    await session.delete(lead)
