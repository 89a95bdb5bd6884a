"""Events over HTTP: what happened in the workspace, and who did it."""

import re
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, StringConstraints, WithJsonSchema

from keyrack.api.dependencies import FULL_WRITE, Actor, Desk
from keyrack.api.examples import EVENT
from keyrack.api.fields import Id, ObjectView, Search, Time, View
from keyrack.api.lists import ListQuery, Page, TheLists
from keyrack.manage import events
from keyrack.model.events import Event
from keyrack.model.orders import Place
from keyrack.model.principals import Kind, Mode

router = APIRouter(prefix="/events")
_TYPE = r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*(\.\*)?$"


def _event_type(value: str) -> str:
    if not re.fullmatch(_TYPE, value, re.ASCII):
        raise ValueError("write an event type like customer.deleted, or customer.* for all of a kind")
    return value


TypeAsked = Annotated[
    str,
    StringConstraints(max_length=200),
    AfterValidator(_event_type),
    WithJsonSchema({"type": "string", "maxLength": 200, "pattern": _TYPE}),
]


class EventQuery(ListQuery):
    """The filters of the list of events. `type` is one, or `customer.*` for all of a kind; `actor_id` is the id of the credential or
    member who acted.

    They come in the order in which they were committed, which `created_at` follows as closely as changes are short: an event never
    appears before one that was listed. So `sort=created_at`, again and again with `starting_after`, meets every event once.
    """

    type: TypeAsked | None = None
    object_type: Search | None = None
    object_id: Id | None = None
    actor_id: Id | None = None
    sort: Literal["created_at", "-created_at"] = "-created_at"


class ActorView(View):
    """Who acted, under the name they had then."""

    kind: Kind
    id: str
    name: str
    integration_id: str | None
    member_id: str | None


class EventView(ObjectView):
    """A change that somebody made."""

    EXAMPLE: ClassVar = EVENT

    object: Literal["event"] = "event"
    type: str
    object_type: str
    object_id: str
    actor: ActorView
    mode: Mode
    request_id: str | None
    data: dict[str, Any]
    created_at: Time


@router.get("", dependencies=[FULL_WRITE])
async def list_events(query: Annotated[EventQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[EventView]:
    """List events, newest first unless `sort` says otherwise."""
    place = await lists.after(query, partial(events.get, desk, actor), _place)
    wanted = query.filters()
    kind = wanted.pop("type")
    side = {"before": place and place[0]} if query.order.descending else {"after": place[0] if place else 0}
    found = await events.page(desk, actor, limit=query.limit + 1, kind=kind, **side, **wanted)
    return lists.page(query, found, _view, _place)


def _place(event: Event) -> Place:
    return event.position or 0, event.id


def _view(event: Event) -> EventView:
    who = event.actor
    same = ("id", "type", "object_type", "object_id", "mode", "request_id", "data", "created_at")
    return EventView(
        **{name: getattr(event, name) for name in same},
        actor=ActorView(kind=who.kind, id=who.id, name=who.name, integration_id=who.integration_id, member_id=who.member_id),
    )
