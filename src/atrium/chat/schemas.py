"""Chatbots, sources, conversations and leads as they are on the wire."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import MISSING, AfterValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from atrium.chat.examples import (
    ANSWER,
    FALLBACK,
    HELPER,
    LEAD,
    NEW_HELPER,
    NEW_LEAD,
    NEW_QUESTION,
    NEW_RETURNS,
    RETURNS,
    TALK,
)
from atrium.chat.models import Channel, SourceKind, SourceStatus, Speaker
from atrium.fields import Body, Email, Name, Text, Time, View, example
from keyrack import NamedQuery, SortedQuery

URL_LENGTH_MAX = 2_000
SOURCE_TEXT_LENGTH_MAX = 500_000
GREETING = "Hello! What would you like to know?"


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise PydanticCustomError("url", "write a whole address like https://aurora.com/help") from None
    if (
        parts.scheme not in ("https", "http")
        or not parts.hostname
        or port == 0
        or not value.isascii()
        or not value.isprintable()
        or " " in value
    ):
        raise PydanticCustomError("url", "write a whole address like https://aurora.com/help, in ASCII and without blanks")
    if parts.username is not None or parts.password is not None:
        raise PydanticCustomError("url", "an address is fetched without a name and a password: leave them out")
    return value


def _content(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "write something that can be read")
    if "\x00" in value:
        raise PydanticCustomError("control_character", "a text has no NUL character")
    return value


Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=URL_LENGTH_MAX),
    AfterValidator(_url),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": URL_LENGTH_MAX,
            "format": "uri",
            "pattern": "^https?://",
            "examples": ["https://a.example"],
        }
    ),
]
Id = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern="^[A-Za-z0-9_-]+$")]
SourceText = Annotated[str, StringConstraints(min_length=1, max_length=SOURCE_TEXT_LENGTH_MAX), AfterValidator(_content)]


class NewChatbot(Body):
    """A chatbot to create."""

    model_config = example(NEW_HELPER)

    name: Name
    greeting: Text = GREETING
    fallback: Text = FALLBACK


class ChatbotChanges(Body):
    """The fields of a chatbot that change."""

    model_config = example({"greeting": "Welcome back!"})

    name: Name | MISSING = MISSING
    greeting: Text | MISSING = MISSING
    fallback: Text | MISSING = MISSING


class ChatbotView(View):
    """A chatbot."""

    model_config = example(HELPER)

    object: Literal["chatbot"] = "chatbot"
    id: str
    name: str
    greeting: str
    fallback: str
    created_at: Time
    updated_at: Time


class ChatbotQuery(NamedQuery):
    """The parameters of the list of chatbots."""


class NewTextSource(Body):
    """A text to answer from, plain or in Markdown."""

    model_config = example(NEW_RETURNS)

    chatbot_id: Id
    kind: Annotated[Literal[SourceKind.TEXT, SourceKind.MARKDOWN], Field(description="What it is made of.")]
    name: Name
    text: Annotated[SourceText, Field(description="The text.")]


class NewUrlSource(Body):
    """A page to answer from. It is fetched once; without a name it gets the page's title."""

    model_config = example({"chatbot_id": HELPER["id"], "kind": "url", "url": "https://aurora.com/help"})

    chatbot_id: Id
    kind: Annotated[Literal[SourceKind.URL], Field(description="What it is made of.")]
    name: Name | None = None
    url: Url


class NewFile(Body):
    """A file to answer from, sent as a form beside these fields. Without a name it gets the file's."""

    chatbot_id: Id
    name: Name | None = None


NewSource = Annotated[NewTextSource | NewUrlSource, Field(discriminator="kind")]


class SourceView(View):
    """A source. What was sent is never given back."""

    model_config = example(RETURNS)

    object: Literal["source"] = "source"
    id: str
    chatbot_id: str
    name: str
    kind: Annotated[SourceKind, Field(description="What it is made of.")]
    url: str | None
    status: Annotated[SourceStatus, Field(description="Whether the chatbot answers from it already.")]
    reason: str | None
    size_bytes: int | None
    passages_count: int
    created_at: Time
    updated_at: Time


class SourceQuery(NamedQuery):
    """The filters of the list of sources."""

    chatbot_id: Id | None = None
    kind: SourceKind | None = None
    status: SourceStatus | None = None


class ConversationView(View):
    """A conversation. What was said is its list of messages."""

    model_config = example(TALK)

    object: Literal["conversation"] = "conversation"
    id: str
    chatbot_id: str
    channel: Channel
    visitor_id: str | None
    messages_count: int
    created_at: Time
    updated_at: Time


class ConversationQuery(SortedQuery):
    """The filters of the list of conversations."""

    chatbot_id: Id | None = None
    channel: Channel | None = None


class Citation(View):
    """A place in a source that an answer rests on."""

    number: int
    source_id: str
    source_name: str
    place: str
    url: str | None
    quote: str


class ChatMessageView(View):
    """Something said in a conversation."""

    model_config = example(ANSWER)

    object: Literal["chat_message"] = "chat_message"
    id: str
    conversation_id: str
    author: Annotated[Speaker, Field(description="Which of the two said it.")]
    body: str
    citations: list[Citation]
    found: bool | None
    created_at: Time
    updated_at: Time


class ChatMessageQuery(SortedQuery):
    """The parameters of a transcript."""


class NewQuestion(Body):
    """Something said to a chatbot. Without a conversation a new one begins."""

    model_config = example(NEW_QUESTION)

    body: Text
    conversation_id: Id | None = None


class NewLead(Body):
    """An address that somebody left."""

    model_config = example(NEW_LEAD)

    chatbot_id: Id
    conversation_id: Id | None = None
    email: Email
    name: Name | None = None


class LeadView(View):
    """A lead: somebody who left an address."""

    model_config = example(LEAD)

    object: Literal["lead"] = "lead"
    id: str
    chatbot_id: str
    conversation_id: str | None
    email: str
    name: str | None
    created_at: Time
    updated_at: Time


class LeadQuery(SortedQuery):
    """The filters of the list of leads."""

    chatbot_id: Id | None = None
    conversation_id: Id | None = None
    email: Email | None = None
