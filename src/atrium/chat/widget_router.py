"""What the widget calls from pages of anybody: with an embed key, which only reads, and with the session that it opens for a visitor."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from atrium.chat import chatbots, conversations, leads
from atrium.chat.dependencies import Answering
from atrium.chat.models import Channel, Chatbot, ChatMessage, Conversation, Lead
from atrium.chat.widget_schemas import (
    KeyNamed,
    NewWidgetSession,
    TranscriptAsked,
    TranscriptView,
    WidgetLead,
    WidgetLeadView,
    WidgetMessageView,
    WidgetQuestion,
    WidgetSessionView,
    WidgetView,
)
from atrium.dependencies import Configured, Rack, ReadingSession, Session
from keyrack import Caller, Keyrack

CHATBOT = "chatbot"
SESSION_COST = 5
"""Opening a session takes more from an address than a message does: nobody needs many."""
LEAD_COST = 5
"""So does leaving an email address: somebody reads each."""

router = APIRouter(prefix="/widget")


async def _key_named(_: Annotated[KeyNamed, Query()]) -> None:
    """Take the embed key in the address, and no other parameter."""


async def _never_stored(response: Response) -> None:
    """Tell caches to keep nothing: the next page may have another key, and a session's token is a secret."""
    response.headers["Cache-Control"] = "no-store"


KEY_NAMED, NEVER_STORED = Depends(_key_named), Depends(_never_stored)
VISITOR = [Keyrack.embedded(visitor=True), KEY_NAMED]


@router.get("", dependencies=[Keyrack.embedded(), KEY_NAMED, NEVER_STORED])
async def get_widget(caller: Caller, configured: Configured, session: ReadingSession) -> WidgetView:
    """Get what a page shows of the embed key's chatbot."""
    chatbot = await _chatbot(caller, session)
    return WidgetView(id=chatbot.id, name=chatbot.name, greeting=chatbot.greeting, color=configured.brand.color)


@router.post("/sessions", status_code=201, dependencies=[Keyrack.embedded(cost=SESSION_COST), KEY_NAMED, NEVER_STORED])
async def open_widget_session(
    caller: Caller, rack: Rack, session: ReadingSession, body: NewWidgetSession | None = None
) -> WidgetSessionView:
    """Open a session for whoever looks at the page. It says things and leaves an address in their name, for an hour."""
    await _chatbot(caller, session)
    opened = rack.open_visit(caller, body.token if body is not None else None)
    return WidgetSessionView(id=opened.visitor, token=opened.token.text, expires_at=opened.expires_at)


@router.get("/messages", dependencies=[Keyrack.embedded(visitor=True), NEVER_STORED])
async def list_widget_messages(asked: Annotated[TranscriptAsked, Query()], caller: Caller, session: ReadingSession) -> TranscriptView:
    """List what was said in one of the visitor's conversations."""
    chatbot = await _chatbot(caller, session)
    said = await conversations.transcript(session, await _own(caller, session, chatbot, asked.conversation_id))
    return TranscriptView(data=[WidgetMessageView.model_validate(one) for one in said])


@router.post("/messages", response_model=WidgetMessageView, status_code=201, dependencies=VISITOR)
async def send_widget_message(
    body: WidgetQuestion, caller: Caller, rack: Rack, reading: ReadingSession, session: Session, answerer: Answering
) -> ChatMessage:
    """Say something to the chatbot, and get its answer. `found` is false where its sources hold nothing about it: ask for an address."""
    chatbot = await _chatbot(caller, reading)
    if body.conversation_id is not None:
        await _own(caller, reading, chatbot, body.conversation_id)
    # Nothing is held open while the answer is looked for.
    await reading.commit()
    answer = await answerer.answer(chatbot, body.body)
    rack.transaction(session)
    if body.conversation_id is None:
        conversation = conversations.open(rack, session, chatbot, channel=Channel.WIDGET, visitor_id=caller.visitor)
    else:
        conversation = await _own(caller, session, chatbot, body.conversation_id, lock=True)
    _, answered = await conversations.say(rack, session, conversation, body.body, answer)
    return answered


@router.post(
    "/leads", response_model=WidgetLeadView, status_code=201, dependencies=[Keyrack.embedded(visitor=True, cost=LEAD_COST), KEY_NAMED]
)
async def leave_widget_lead(body: WidgetLead, caller: Caller, rack: Rack, session: Session) -> Lead:
    """Leave an address, so that somebody can answer by mail."""
    rack.transaction(session)
    chatbot = await _chatbot(caller, session)
    about = None if body.conversation_id is None else await _own(caller, session, chatbot, body.conversation_id)
    return leads.leave(rack, session, chatbot, email=body.email, name=body.name, conversation=about)


async def _chatbot(caller: Caller, session: Any) -> Chatbot:
    """The chatbot to which the embed key is bound. Raises Refused 404 where it was deleted."""
    return await chatbots.find(session, caller.workspace_id, caller.embedded(CHATBOT))


async def _own(caller: Caller, session: Any, chatbot: Chatbot, conversation_id: str, *, lock: bool = False) -> Conversation:
    """One of the visitor's own conversations with the chatbot. Raises Refused 404 for anybody else's."""
    own = {"chatbot_id": chatbot.id, "visitor_id": caller.visitor or "", "param": "conversation_id"}
    return await conversations.find(session, caller.workspace_id, conversation_id, lock=lock, **own)
