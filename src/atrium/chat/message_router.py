"""What is said to a chatbot over HTTP, and its answer: whole, or as an event stream."""

from fastapi import APIRouter

from atrium.chat import chatbots, conversations
from atrium.chat.dependencies import Answering
from atrium.chat.models import Channel, ChatMessage
from atrium.chat.schemas import ChatMessageView, NewQuestion
from atrium.dependencies import NO_PARAMETERS, Rack, ReadingSession, Session
from keyrack import Caller, Keyrack

router = APIRouter()


@router.post(
    "/chatbots/{chatbot}/messages",
    response_model=ChatMessageView,
    status_code=201,
    dependencies=[Keyrack.requires("conversations:write"), NO_PARAMETERS],
)
async def send_chat_message(
    chatbot: str, body: NewQuestion, caller: Caller, rack: Rack, reading: ReadingSession, session: Session, answerer: Answering
) -> ChatMessage:
    """Say something to a chatbot, and get its answer.

    Without a `conversation_id` a new conversation begins. Where the sources hold nothing about it, `found` is false and the answer is the
    chatbot's `fallback`: ask for an address then, and keep it with `POST /leads`.
    """
    found = await chatbots.find(reading, caller.workspace_id, chatbot)
    answer = await answerer.answer(found, body.body)
    rack.transaction(session)
    found = await chatbots.find(session, caller.workspace_id, chatbot)
    if body.conversation_id is None:
        conversation = conversations.open(rack, session, found, channel=Channel.API)
    else:
        wanted = body.conversation_id
        conversation = await conversations.find(
            session, caller.workspace_id, wanted, chatbot_id=found.id, lock=True, param="conversation_id"
        )
    _, answered = await conversations.say(rack, session, conversation, body.body, answer)
    return answered
