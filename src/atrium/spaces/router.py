"""Messages and items over HTTP. The gate has checked the caller's role in the space before a handler runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from atrium.dependencies import NO_PARAMETERS, Rack, ReadingSession, Session
from atrium.lists import Pages
from atrium.rows import find_row
from atrium.spaces.authors import written_by
from atrium.spaces.events import ITEM_CREATED, ITEM_DELETED, ITEM_UPDATED, MESSAGE_CREATED, MESSAGE_DELETED, MESSAGE_UPDATED
from atrium.spaces.meters import MESSAGES
from atrium.spaces.models import Item, Message
from atrium.spaces.schemas import (
    ItemChanges,
    ItemQuery,
    ItemView,
    MessageChanges,
    MessageQuery,
    MessageView,
    NewItem,
    NewMessage,
)
from keyrack import Caller, Keyrack, Page, refusals

router = APIRouter(prefix="/spaces/{space_id}")
may_list_messages = [Keyrack.requires("messages:read", space="path:space_id")]
may_read_messages = [*may_list_messages, NO_PARAMETERS]
may_write_messages = [Keyrack.requires("messages:write", space="path:space_id"), NO_PARAMETERS]
may_list_items = [Keyrack.requires("items:read", space="path:space_id")]
may_read_items = [*may_list_items, NO_PARAMETERS]
may_write_items = [Keyrack.requires("items:write", space="path:space_id"), NO_PARAMETERS]


@router.get("/messages", response_model=Page[MessageView], dependencies=may_list_messages)
async def list_messages(space_id: str, query: Annotated[MessageQuery, Query()], caller: Caller, pages: Pages) -> Page[Any]:
    """List a space's messages, newest first unless `sort` says otherwise."""
    return await pages.read(Message, query, workspace_id=caller.workspace_id, space_id=space_id)


@router.post("/messages", response_model=MessageView, status_code=201, dependencies=may_write_messages)
async def create_message(space_id: str, body: NewMessage, caller: Caller, rack: Rack, session: Session) -> Message:
    """Post a message."""
    rack.transaction(session)
    message = Message(**body.model_dump(), **written_by(caller), space_id=space_id)
    session.add(message)
    rack.record(session, MESSAGE_CREATED, message)
    await rack.count(MESSAGES)
    return message


@router.get("/messages/{message}", response_model=MessageView, dependencies=may_read_messages)
async def get_message(space_id: str, message: str, caller: Caller, session: ReadingSession) -> Message:
    """Get a message."""
    return await find_row(session, Message, message, workspace_id=caller.workspace_id, space_id=space_id)


@router.patch("/messages/{message}", response_model=MessageView, dependencies=may_write_messages)
async def update_message(space_id: str, message: str, body: MessageChanges, caller: Caller, rack: Rack, session: Session) -> Message:
    """Change a message's text."""
    rack.transaction(session)
    found = await find_row(session, Message, message, lock=True, workspace_id=caller.workspace_id, space_id=space_id)
    if found.change(body.values()):
        rack.record(session, MESSAGE_UPDATED, found)
    return found


@router.delete("/messages/{message}", status_code=204, dependencies=may_write_messages)
async def delete_message(space_id: str, message: str, caller: Caller, rack: Rack, session: Session) -> None:
    """Delete a message."""
    rack.transaction(session)
    found = await find_row(session, Message, message, lock=True, workspace_id=caller.workspace_id, space_id=space_id)
    rack.record(session, MESSAGE_DELETED, found)
    await session.delete(found)


@router.get("/items", response_model=Page[ItemView], dependencies=may_list_items)
async def list_items(space_id: str, query: Annotated[ItemQuery, Query()], caller: Caller, pages: Pages) -> Page[Any]:
    """List a space's items, newest first unless `sort` says otherwise."""
    return await pages.read(Item, query, workspace_id=caller.workspace_id, space_id=space_id)


@router.post("/items", response_model=ItemView, status_code=201, dependencies=may_write_items)
async def create_item(space_id: str, body: NewItem, caller: Caller, rack: Rack, session: Session) -> Item:
    """Create an item."""
    rack.transaction(session)
    await _check_assignee(rack, caller.workspace_id, body.assignee_id)
    item = Item(**body.model_dump(), **written_by(caller), space_id=space_id)
    session.add(item)
    rack.record(session, ITEM_CREATED, item)
    return item


@router.get("/items/{item}", response_model=ItemView, dependencies=may_read_items)
async def get_item(space_id: str, item: str, caller: Caller, session: ReadingSession) -> Item:
    """Get an item."""
    return await find_row(session, Item, item, workspace_id=caller.workspace_id, space_id=space_id)


@router.patch("/items/{item}", response_model=ItemView, dependencies=may_write_items)
async def update_item(space_id: str, item: str, body: ItemChanges, caller: Caller, rack: Rack, session: Session) -> Item:
    """Change fields of an item."""
    rack.transaction(session)
    values = body.values()
    await _check_assignee(rack, caller.workspace_id, values.get("assignee_id"))
    found = await find_row(session, Item, item, lock=True, workspace_id=caller.workspace_id, space_id=space_id)
    if found.change(values):
        rack.record(session, ITEM_UPDATED, found)
    return found


@router.delete("/items/{item}", status_code=204, dependencies=may_write_items)
async def delete_item(space_id: str, item: str, caller: Caller, rack: Rack, session: Session) -> None:
    """Delete an item."""
    rack.transaction(session)
    found = await find_row(session, Item, item, lock=True, workspace_id=caller.workspace_id, space_id=space_id)
    rack.record(session, ITEM_DELETED, found)
    await session.delete(found)


async def _check_assignee(rack: Keyrack, workspace_id: str, assignee_id: str | None) -> None:
    # Asked before the session's first statement: it is another connection, and on SQLite ours would hold the write lock meanwhile.
    if assignee_id is not None and await rack.members.find(workspace_id, assignee_id) is None:
        raise refusals.INVALID_REQUEST(f"No member {assignee_id[:40]} in this workspace.", param="assignee_id")
