"""What is said to a chatbot over HTTP, and its answer: whole, or as an event stream."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat import chatbots, conversations
from atrium.chat.answers import Answer, Answerer
from atrium.chat.dependencies import Answering, Tables
from atrium.chat.models import Channel, Chatbot, ChatMessage
from atrium.chat.schemas import ChatMessageView, NewQuestion
from atrium.database import Database
from atrium.dependencies import NO_PARAMETERS, Rack, ReadingSession, Session
from keyrack import Caller, Keyrack, Refused

STREAM = "text/event-stream"
LIVE = "live"
QUIET_SECONDS = 2.0
"""How long a stream is silent at most: at each word of it the caller's key is proven anew."""

_SENTENCE = re.compile(r".+?(?:[.!?…]\s+|\n+|$)", re.DOTALL)
_EVENTS = (
    'event: delta\ndata: {"text": "You can return anything within 30 days. "}\n\nevent: message\ndata: {"object": "chat_message", …}\n\n'
)
_ANSWERS: dict[int | str, dict[str, Any]] = {201: {"content": {STREAM: {"schema": {"type": "string"}, "example": _EVENTS}}}}

router = APIRouter()


@router.post(
    "/chatbots/{chatbot}/messages",
    response_model=ChatMessageView,
    status_code=201,
    dependencies=[Keyrack.requires("conversations:write"), NO_PARAMETERS],
    responses=_ANSWERS,
)
async def send_chat_message(
    chatbot: str,
    body: NewQuestion,
    caller: Caller,
    rack: Rack,
    reading: ReadingSession,
    session: Session,
    answerer: Answering,
    tables: Tables,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Any:
    """Say something to a chatbot, and get its answer.

    Without a `conversation_id` a new conversation begins. Where the sources hold nothing about it, `found` is false and the answer is the
    chatbot's `fallback`: ask for an address then, and keep it with `POST /leads`. With `Accept: text/event-stream` the answer comes as
    events: its text in parts (`delta`), then all of it (`message`), or why there is none (`error`). A stream ends with its key.
    """
    found = await chatbots.find(reading, caller.workspace_id, chatbot)
    if body.conversation_id is not None:
        wanted = body.conversation_id
        await conversations.find(reading, caller.workspace_id, wanted, chatbot_id=found.id, param="conversation_id")
    # Nothing is held open while the answer is looked for.
    await reading.commit()
    if _wants_stream(accept):
        events = _stream(rack, tables, caller, found, body, answerer)
        return StreamingResponse(events, 201, headers={"Cache-Control": "no-store"}, media_type=STREAM)
    answer = await answerer.answer(found, body.body, by_model=caller.mode == LIVE)
    rack.transaction(session)
    return await _say(rack, session, found, body, answer)


def _wants_stream(accept: str) -> bool:
    """Whether a caller would rather read a stream than JSON: what it names first."""
    kinds = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
    return next((kind for kind in kinds if kind in (STREAM, "application/json", "*/*")), "") == STREAM


async def _say(rack: Keyrack, session: AsyncSession, chatbot: Chatbot, body: NewQuestion, answer: Answer) -> ChatMessage:
    workspace_id, wanted = chatbot.workspace_id, body.conversation_id
    if wanted is None:
        conversation = conversations.open(rack, session, chatbot, channel=Channel.API)
    else:
        found = {"chatbot_id": chatbot.id, "param": "conversation_id"}
        conversation = await conversations.find(session, workspace_id, wanted, lock=True, **found)
    _, answered = await conversations.say(rack, session, conversation, body.body, answer)
    return answered


async def _stream(
    rack: Keyrack, tables: Database, caller: Caller, chatbot: Chatbot, body: NewQuestion, answerer: Answerer
) -> AsyncIterator[str]:
    asked = asyncio.create_task(answerer.answer(chatbot, body.body, by_model=caller.mode == LIVE))
    try:
        while not (await asyncio.wait({asked}, timeout=QUIET_SECONDS))[0]:
            yield ": thinking\n\n"
        answer = asked.result()
    finally:
        asked.cancel()
    try:
        # Whoever is no longer accepted says nothing: what was looked for meanwhile is not kept.
        await caller.recheck()
        async with tables.writing.begin() as session:
            message = await _say(rack, session, chatbot, body, answer)
    except Refused as refused:
        # The status has left already: the stream itself says why it ends.
        yield _event("error", {"status": refused.refusal.status, "code": refused.refusal.code, "detail": refused.detail})
        return
    for part in _SENTENCE.findall(message.body):
        yield _event("delta", {"text": part})
    yield _event("message", ChatMessageView.model_validate(message).model_dump(mode="json"))


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
