"""Event types over HTTP: what can happen, and what an endpoint is told of it."""

from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from keyrack.api.dependencies import ANYBODY, PLAIN, Actor, Desk
from keyrack.api.endpoint_examples import EVENT_TYPE
from keyrack.api.fields import ObjectView
from keyrack.api.lists import ListQuery, Page, TheLists
from keyrack.manage import event_types
from keyrack.manage.event_types import Described

router = APIRouter(prefix="/event-types")

TypeName = Annotated[
    str, Path(max_length=200, pattern=r"^[A-Za-z0-9_.]+$", description="The type, like `customer.created`.", examples=["key.created"])
]


class EventTypeView(ObjectView):
    """A kind of change that events tell of."""

    EXAMPLE: ClassVar = EVENT_TYPE

    object: Literal["event_type"] = "event_type"
    id: Annotated[str, Field(description="The same as `name`.")]
    name: Annotated[str, Field(description="What the event's `type` says.")]
    description: Annotated[str, Field(description="What has happened then.")]
    category: Annotated[str | None, Field(description="The category of what it tells of; null: of the workspace itself.")]
    needs: Annotated[str, Field(description="What it takes to be told of it.")]
    data_schema: Annotated[dict[str, Any], Field(description="The JSON Schema of its `data`, as endpoints get it.")]
    example: Annotated[dict[str, Any], Field(description="Such `data`.")]


@router.get("", dependencies=[ANYBODY])
async def list_event_types(query: Annotated[ListQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[EventTypeView]:
    """List the event types that the caller may be told of, by name: those that it can name in an endpoint; for an org-level Admin all."""
    place = await lists.after(query, _itself, lambda name: (0, name))
    found = event_types.page(desk, actor, limit=query.limit + 1, after=place and place[1])
    return lists.page(query, found, view, lambda one: (0, one.name))


@router.get("/{event_type}", dependencies=[ANYBODY, PLAIN])
async def get_event_type(event_type: TypeName, actor: Actor, desk: Desk) -> EventTypeView:
    """Get an event type, with the JSON Schema of its data and an example."""
    return view(event_types.get(desk, actor, event_type))


async def _itself(name: str) -> str:
    # The list is in the order of names: each is its own place, whether there is such a type or not.
    return name


def view(one: Described) -> EventTypeView:
    """Return an event type as it is on the wire."""
    return EventTypeView(
        id=one.name,
        name=one.name,
        description=one.kind.description,
        category=one.kind.category,
        needs=one.needs,
        data_schema=dict(one.schema),
        example=dict(one.example),
    )
