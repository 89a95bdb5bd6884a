"""What the widget sends and gets: nothing of what the workspace's own API tells beyond it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from atrium.chat.examples import ANSWER, HELPER, TALK
from atrium.chat.models import Speaker
from atrium.fields import Body, Email, Name, Reference, Text, Time, View, example

WIDGET = {"object": "widget", **{name: HELPER[name] for name in ("id", "name", "greeting")}, "color": "#3451b2"}
VISIT = {
    "object": "widget_session",
    "id": "cl9bn00of0014g7l8r1s2t3u4",
    "token": "atrium_visit_REPLACE_ME",
    "expires_at": TALK["created_at"],
}
SAID = {**{name: value for name, value in ANSWER.items() if name != "updated_at"}, "object": "widget_message"}
SAID["citations"] = [{name: value for name, value in cited.items() if name != "source_id"} for cited in ANSWER["citations"]]


class KeyNamed(BaseModel):
    """The embed key in the address: what browsers ask before they call carries nothing else that says whose page it is."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str | None, Field(max_length=100, description="The embed key. It is public, so it may stand in an address.")] = None


class TranscriptAsked(KeyNamed):
    """The same, and which conversation is asked for."""

    conversation_id: Reference


class WidgetView(View):
    """What a page shows of a chatbot."""

    model_config = example(WIDGET)

    object: Literal["widget"] = "widget"
    id: str
    name: str
    greeting: str
    color: Annotated[str, Field(description="The accent, as #rrggbb.")]


class NewWidgetSession(Body):
    """A session to open. With the token of one before, it is the same visitor's."""

    token: Annotated[
        str | None, StringConstraints(max_length=2000), Field(description="The token of an earlier session, over for a day at most.")
    ] = None


class WidgetSessionView(View):
    """A visitor's session. `id` is the visitor's, and the same in each of their sessions."""

    model_config = example(VISIT)

    object: Literal["widget_session"] = "widget_session"
    id: str
    token: Annotated[str, Field(description="What proves the visitor: `Authorization: Bearer <token>`.")]
    expires_at: Annotated[Time, Field(description="When another one is needed.")]


class WidgetQuestion(Body):
    """Something that a visitor says. Without a conversation a new one begins."""

    body: Annotated[Text, StringConstraints(max_length=4000)]
    conversation_id: Reference | None = None


class WidgetCitation(View):
    """A place that an answer rests on."""

    number: int
    source_name: str
    place: str
    url: str | None
    quote: str


class WidgetMessageView(View):
    """Something said in the visitor's conversation."""

    model_config = example(SAID)

    object: Literal["widget_message"] = "widget_message"
    id: str
    conversation_id: str
    author: Annotated[Speaker, Field(description="Which of the two said it.")]
    body: str
    citations: list[WidgetCitation]
    found: bool | None
    created_at: Time


class TranscriptView(View):
    """All that was said in a conversation, oldest first."""

    object: Literal["list"] = "list"
    data: Annotated[list[WidgetMessageView], Field(description="What was said.")]
    has_more: Annotated[Literal[False], Field(description="It is all on one page.")] = False
    next_cursor: Annotated[None, Field(description="It is all on one page.")] = None


class WidgetLead(Body):
    """An address that a visitor leaves."""

    email: Email
    name: Name | None = None
    conversation_id: Reference | None = None


class WidgetLeadView(View):
    """An address that was left."""

    object: Literal["widget_lead"] = "widget_lead"
    id: str
    email: str
    name: str | None
    created_at: Time
