"""Events over HTTP: what happened in the workspace, and who did it."""

from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Query

from keyrack.api.dependencies import FULL_WRITE, Actor, Desk
from keyrack.api.examples import EVENT
from keyrack.api.fields import Id, ObjectView, Search, Time, View
from keyrack.api.lists import ListQuery, Page, TheLists
from keyrack.manage import events
from keyrack.model.events import Event
from keyrack.model.principals import Kind, Mode

router = APIRouter(prefix="/events")


class EventQuery(ListQuery):
    """The filters of the list of events. `actor_id` is the id of the credential or member who acted."""

    type: Search | None = None
    object_id: Id | None = None
    actor_id: Id | None = None


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
    """List events, newest first."""
    place = lists.place(query)
    found = await events.page(
        desk, actor, limit=query.limit + 1, before=place and place[0], kind=query.type, object_id=query.object_id, actor_id=query.actor_id
    )
    return lists.page(query, found, _view, lambda one: (one.position or 0, one.id))


def _view(event: Event) -> EventView:
    who = event.actor
    same = ("id", "type", "object_type", "object_id", "mode", "request_id", "data", "created_at")
    return EventView(
        **{name: getattr(event, name) for name in same},
        actor=ActorView(kind=who.kind, id=who.id, name=who.name, integration_id=who.integration_id, member_id=who.member_id),
    )
