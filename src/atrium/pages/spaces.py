"""Spaces as people see them: what is said in one, and what is to be done."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel

from atrium.dependencies import Rack, Session
from atrium.forms import read_form, understood
from atrium.lists import Pages
from atrium.rows import find_row
from atrium.screens import Screens
from atrium.spaces.authors import written_by
from atrium.spaces.events import ITEM_UPDATED, MESSAGE_CREATED
from atrium.spaces.meters import MESSAGES
from atrium.spaces.models import Item, ItemState, Message
from atrium.spaces.schemas import ItemQuery, MessageQuery, NewMessage
from keyrack import Caller, Keyrack, refusals

SPACES_SHOWN_MAX = 100

router = APIRouter(prefix="/spaces", include_in_schema=False)
may_read = [Keyrack.signed_in("messages:read", space="path:space_id")]


class Ticked(BaseModel):
    """An item's new state as its form sends it."""

    state: Literal[ItemState.OPEN, ItemState.DONE]


class Cursor(BaseModel):
    """Where the messages that are shown begin."""

    cursor: str | None = None


@router.get("", dependencies=[Keyrack.signed_in()])
async def show_spaces(rack: Rack, caller: Caller, screen: Screens) -> HTMLResponse:
    """Show the spaces whose content the member may read."""
    reached = caller.spaces("messages:read")
    found = await rack.spaces.list(caller.workspace_id, limit=SPACES_SHOWN_MAX + 1, within=reached)
    return screen.show("spaces/list.html", spaces=found[:SPACES_SHOWN_MAX], more=len(found) > SPACES_SHOWN_MAX)


@router.get("/{space_id}", dependencies=may_read)
async def show_space(
    space_id: str, query: Annotated[Cursor, Query()], rack: Rack, caller: Caller, pages: Pages, screen: Screens
) -> HTMLResponse:
    """Show what is said in a space, newest first, and the newest of what is to be done."""
    space = await rack.spaces.find(caller.workspace_id, space_id)
    if space is None:
        return screen.show_missing("space")
    scope: dict[str, Any] = {"workspace_id": caller.workspace_id, "space_id": space_id}
    messages = await pages.read(Message, MessageQuery(cursor=query.cursor), **scope)
    items = await pages.read(Item, ItemQuery(limit=100), **scope)
    names = {one: await rack.members.find(caller.workspace_id, one) for one in {item.assignee_id for item in items.data} if one}
    return screen.show(
        "spaces/space.html",
        space=space,
        messages=messages.data,
        older=screen.older(messages.next_cursor),
        items=items.data,
        assignees={one: member.name for one, member in names.items() if member is not None},
        may_write=caller.may("messages:write", space=space_id),
    )


@router.post("/{space_id}/messages", dependencies=[Keyrack.signed_in("messages:write", space="path:space_id")])
async def post_message(space_id: str, request: Request, caller: Caller, rack: Rack, session: Session) -> RedirectResponse:
    """Post a message. Raises Refused 400 for one that nobody can read."""
    written, problems = understood(NewMessage, (await read_form(request)).fields("body"))
    if written is None:
        raise refusals.INVALID_REQUEST(f"Your message: {problems['body']}", param="body")
    rack.transaction(session)
    message = Message(body=written.body, **written_by(caller), space_id=space_id)
    session.add(message)
    rack.record(session, MESSAGE_CREATED, message)
    await rack.count(MESSAGES)
    return _back(request, space_id)


@router.post("/{space_id}/items/{item}", dependencies=[Keyrack.signed_in("items:write", space="path:space_id")])
async def tick_item(
    space_id: str, item: str, ticked: Annotated[Ticked, Form()], request: Request, caller: Caller, rack: Rack, session: Session
) -> RedirectResponse:
    """Say that an item is done, or open again."""
    rack.transaction(session)
    found = await find_row(session, Item, item, lock=True, workspace_id=caller.workspace_id, space_id=space_id)
    if found.change({"state": ticked.state}):
        rack.record(session, ITEM_UPDATED, found)
    return _back(request, space_id)


def _back(request: Request, space_id: str) -> RedirectResponse:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/spaces/{space_id}", 303)
