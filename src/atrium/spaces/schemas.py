"""Messages and items as they are on the wire."""

from typing import Literal

from pydantic import MISSING

from atrium.examples import CALL, HELLO, NEW_CALL, NEW_HELLO
from atrium.fields import Body, Name, Reference, Text, Time, View, example
from atrium.spaces.models import ItemState
from keyrack import SortedQuery


class Author(View):
    """Who wrote something, with the name they had then."""

    id: str
    name: str
    kind: str


class NewMessage(Body):
    """A message to post."""

    model_config = example(NEW_HELLO)

    body: Text


class MessageChanges(Body):
    """The fields of a message that change."""

    model_config = example({"body": "Aurora goes live on Thursday."})

    body: Text | MISSING = MISSING


class MessageView(View):
    """A message."""

    model_config = example(HELLO)

    object: Literal["message"] = "message"
    id: str
    space_id: str
    body: str
    author: Author
    created_at: Time
    updated_at: Time


class MessageQuery(SortedQuery):
    """The parameters of the list of messages."""


class NewItem(Body):
    """An item to create."""

    model_config = example(NEW_CALL)

    title: Name
    assignee_id: Reference | None = None
    state: ItemState = ItemState.OPEN


class ItemChanges(Body):
    """The fields of an item that change. `assignee_id: null` leaves it to nobody."""

    model_config = example({"state": "done", "assignee_id": None})

    title: Name | MISSING = MISSING
    assignee_id: Reference | MISSING | None = MISSING
    state: ItemState | MISSING = MISSING


class ItemView(View):
    """An item."""

    model_config = example(CALL)

    object: Literal["item"] = "item"
    id: str
    space_id: str
    title: str
    assignee_id: str | None
    state: ItemState
    author: Author
    created_at: Time
    updated_at: Time


class ItemQuery(SortedQuery):
    """The filters of the list of items."""

    state: ItemState | None = None
    assignee_id: Reference | None = None
