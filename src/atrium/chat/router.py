"""Chatbots, conversations and leads over HTTP. Sources and what is said to a chatbot have routers of their own."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from atrium.chat import chatbots, conversations, leads
from atrium.chat.models import Chatbot, ChatMessage, Conversation, Lead
from atrium.chat.schemas import (
    ChatbotChanges,
    ChatbotQuery,
    ChatbotView,
    ChatMessageQuery,
    ChatMessageView,
    ConversationQuery,
    ConversationView,
    LeadQuery,
    LeadView,
    NewChatbot,
    NewLead,
)
from atrium.dependencies import NO_PARAMETERS, Rack, ReadingSession, Session
from atrium.lists import Pages
from keyrack import Caller, Keyrack, Page

router = APIRouter()


def _needs(permission: str) -> list[Any]:
    return [Keyrack.requires(permission), NO_PARAMETERS]


@router.get("/chatbots", response_model=Page[ChatbotView], dependencies=[Keyrack.requires("chatbots:read")])
async def list_chatbots(query: Annotated[ChatbotQuery, Query()], caller: Caller, pages: Pages) -> Page[Any]:
    """List chatbots, newest first unless `sort` says otherwise."""
    return await pages.read(Chatbot, query, workspace_id=caller.workspace_id)


@router.post("/chatbots", response_model=ChatbotView, status_code=201, dependencies=_needs("chatbots:write"))
async def create_chatbot(body: NewChatbot, caller: Caller, rack: Rack, session: Session) -> Chatbot:
    """Create a chatbot."""
    rack.transaction(session)
    return await chatbots.create(rack, session, caller.workspace_id, body)


@router.get("/chatbots/{chatbot}", response_model=ChatbotView, dependencies=_needs("chatbots:read"))
async def get_chatbot(chatbot: str, caller: Caller, session: ReadingSession) -> Chatbot:
    """Get a chatbot."""
    return await chatbots.find(session, caller.workspace_id, chatbot)


@router.patch("/chatbots/{chatbot}", response_model=ChatbotView, dependencies=_needs("chatbots:write"))
async def update_chatbot(chatbot: str, body: ChatbotChanges, caller: Caller, rack: Rack, session: Session) -> Chatbot:
    """Change fields of a chatbot."""
    rack.transaction(session)
    found = await chatbots.find(session, caller.workspace_id, chatbot, lock=True)
    chatbots.change(rack, session, found, body.values())
    return found


@router.delete("/chatbots/{chatbot}", status_code=204, dependencies=_needs("chatbots:write"))
async def delete_chatbot(chatbot: str, caller: Caller, rack: Rack, session: Session) -> None:
    """Delete a chatbot with its sources. Its conversations and leads stay."""
    rack.transaction(session)
    await chatbots.delete(rack, session, await chatbots.find(session, caller.workspace_id, chatbot, lock=True))


@router.get("/conversations", response_model=Page[ConversationView], dependencies=[Keyrack.requires("conversations:read")])
async def list_conversations(query: Annotated[ConversationQuery, Query()], caller: Caller, pages: Pages) -> Page[Any]:
    """List conversations, newest first unless `sort` says otherwise."""
    return await pages.read(Conversation, query, workspace_id=caller.workspace_id)


@router.get("/conversations/{conversation}", response_model=ConversationView, dependencies=_needs("conversations:read"))
async def get_conversation(conversation: str, caller: Caller, session: ReadingSession) -> Conversation:
    """Get a conversation. What was said in it is its list of messages."""
    return await conversations.find(session, caller.workspace_id, conversation)


@router.delete("/conversations/{conversation}", status_code=204, dependencies=_needs("conversations:write"))
async def delete_conversation(conversation: str, caller: Caller, rack: Rack, session: Session) -> None:
    """Delete a conversation with what was said in it. A lead that was left there stays."""
    rack.transaction(session)
    found = await conversations.find(session, caller.workspace_id, conversation, lock=True)
    await conversations.delete(rack, session, found)


@router.get(
    "/conversations/{conversation}/messages", response_model=Page[ChatMessageView], dependencies=[Keyrack.requires("conversations:read")]
)
async def list_chat_messages(
    conversation: str, query: Annotated[ChatMessageQuery, Query()], caller: Caller, pages: Pages, session: ReadingSession
) -> Page[Any]:
    """List what was said in a conversation, newest first; `sort=created_at` reads it from its beginning."""
    found = await conversations.find(session, caller.workspace_id, conversation)
    return await pages.read(ChatMessage, query, workspace_id=caller.workspace_id, conversation_id=found.id)


@router.get("/leads", response_model=Page[LeadView], dependencies=[Keyrack.requires("leads:read")])
async def list_leads(query: Annotated[LeadQuery, Query()], caller: Caller, pages: Pages) -> Page[Any]:
    """List leads, newest first unless `sort` says otherwise."""
    return await pages.read(Lead, query, workspace_id=caller.workspace_id)


@router.post("/leads", response_model=LeadView, status_code=201, dependencies=_needs("leads:write"))
async def create_lead(body: NewLead, caller: Caller, rack: Rack, session: Session) -> Lead:
    """Keep an address that somebody left with a chatbot."""
    rack.transaction(session)
    chatbot = await chatbots.find(session, caller.workspace_id, body.chatbot_id, param="chatbot_id")
    conversation = None
    if body.conversation_id is not None:
        wanted = body.conversation_id
        conversation = await conversations.find(session, caller.workspace_id, wanted, chatbot_id=chatbot.id, param="conversation_id")
    return leads.leave(rack, session, chatbot, email=body.email, name=body.name, conversation=conversation)


@router.get("/leads/{lead}", response_model=LeadView, dependencies=_needs("leads:read"))
async def get_lead(lead: str, caller: Caller, session: ReadingSession) -> Lead:
    """Get a lead."""
    return await leads.find(session, caller.workspace_id, lead)


@router.delete("/leads/{lead}", status_code=204, dependencies=_needs("leads:write"))
async def delete_lead(lead: str, caller: Caller, rack: Rack, session: Session) -> None:
    """Delete a lead."""
    rack.transaction(session)
    await leads.delete(rack, session, await leads.find(session, caller.workspace_id, lead, lock=True))
