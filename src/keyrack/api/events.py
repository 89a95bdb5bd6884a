"""Events over HTTP: what happened in the workspace, and who did it."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from keyrack.api.dependencies import ANYBODY, PLAIN, Actor, Desk, TheAssembly
from keyrack.api.examples import EVENT
from keyrack.api.fields import Id, ObjectView, PathId, Search, Time, View
from keyrack.api.lists import ListQuery, Page, TheLists
from keyrack.gate.callers import CurrentCaller
from keyrack.gate.requires import current_caller
from keyrack.manage import deliveries, events
from keyrack.manage.followers import STOPPING, WAIT_SECONDS_MAX, Followers
from keyrack.model.deliveries import Delivery, State, Why
from keyrack.model.events import Event
from keyrack.model.orders import Place
from keyrack.model.principals import Kind, Mode
from keyrack.model.refusals import INVALID_REQUEST

router = APIRouter(prefix="/events")
SENT_MAX = 20
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
    appears before one that was listed. So `sort=created_at`, again and again with `starting_after`, meets every event once. Where there is
    none yet, the answer waits for the next one, up to `wait_seconds`.
    """

    type: TypeAsked | None = None
    object_type: Search | None = None
    object_id: Id | None = None
    actor_id: Id | None = None
    sort: Literal["created_at", "-created_at"] = "-created_at"
    wait_seconds: Annotated[int, Field(ge=0, le=WAIT_SECONDS_MAX)] = 0


class ActorView(View):
    """Who acted, under the name they had then."""

    kind: Kind
    id: str
    name: str
    integration_id: str | None
    member_id: str | None


class SentView(View):
    """Where an event was sent, or why not."""

    delivery_id: Annotated[str, Field(description="The delivery.")]
    endpoint_id: Annotated[str, Field(description="The endpoint.")]
    state: Annotated[State, Field(description="Where the delivery stands: of a `skipped` one nothing was sent.")]
    why: Annotated[Why | None, Field(description="Why it was skipped, or given up: `test_mode`, `not_permitted` and others.")]


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
    deliveries: Annotated[
        list[SentView], Field(description="Where it was sent, of the endpoints that the caller manages; 20 at most, all in `/deliveries`.")
    ]


@router.get("", dependencies=[ANYBODY])
async def list_events(
    query: Annotated[EventQuery, Query()],
    request: Request,
    caller: Annotated[CurrentCaller, Depends(current_caller)],
    desk: Desk,
    assembly: TheAssembly,
    lists: TheLists,
) -> Page[EventView]:
    """List the events that the caller may read, newest first unless `sort` says otherwise."""
    if query.wait_seconds and query.order.descending:
        raise INVALID_REQUEST("What comes next is behind the newest: wait_seconds needs sort=created_at.", param="wait_seconds")
    place = await lists.after(query, partial(events.position, desk, caller.principal), lambda position: (position, ""))
    wanted = query.filters()
    kind = wanted.pop("type")
    side = {"before": place and place[0]} if query.order.descending else {"after": place[0] if place else 0}

    async def read(numbered: bool = False) -> list[Event]:
        return await events.page(desk, caller.principal, limit=query.limit + 1, kind=kind, numbered=numbered, **side, **wanted)

    found = await read()
    if query.wait_seconds and not found:
        found = await _next(request, caller, assembly.followers, read, query.wait_seconds)
    sent = await deliveries.of_events(desk, caller.principal, [one.id for one in found], each=SENT_MAX)
    return lists.page(query, found, lambda one: _view(one, sent), _place)


@router.get("/{event_id}", dependencies=[ANYBODY, PLAIN])
async def get_event(event_id: PathId, actor: Actor, desk: Desk) -> EventView:
    """Get an event that the caller may read, with where it was sent."""
    event = await events.get(desk, actor, event_id)
    return _view(event, await deliveries.of_events(desk, actor, [event.id], each=SENT_MAX))


async def _next(
    request: Request, caller: CurrentCaller, followers: Followers, read: Callable[[bool], Awaitable[list[Event]]], seconds: int
) -> list[Event]:
    """Wait for the next events, for as long as the caller is accepted. Raises Refused 401 at the moment when it is no more."""

    async def read_anew() -> list[Event]:
        await caller.recheck()
        return await read(True)

    began_ns = time.monotonic_ns()
    waiting = asyncio.create_task(followers.first(caller.principal, read_anew, seconds, partial(_is_over, request)))
    watch = caller.watch(waiting)
    try:
        return await waiting
    except asyncio.CancelledError:
        if not watch.ended:
            raise
        await caller.recheck()
        return []
    finally:
        watch.close()
        waiting.cancel()
        # What it was asked to wait is no time that the answer took: the log and its charts leave it out.
        caller.call.started_ns += time.monotonic_ns() - began_ns


async def _is_over(request: Request) -> bool:
    return bool(request.scope.get("state", {}).get(STOPPING)) or await request.is_disconnected()


def _place(event: Event) -> Place:
    return event.position or 0, event.id


def _view(event: Event, sent: Mapping[str, Sequence[Delivery]]) -> EventView:
    who = event.actor
    told = [SentView(delivery_id=one.id, endpoint_id=one.endpoint_id, state=one.state, why=one.why) for one in sent.get(event.id, ())]
    same = ("id", "type", "object_type", "object_id", "mode", "request_id", "data", "created_at")
    return EventView(
        **{name: getattr(event, name) for name in same},
        actor=ActorView(kind=who.kind, id=who.id, name=who.name, integration_id=who.integration_id, member_id=who.member_id),
        deliveries=told,
    )
