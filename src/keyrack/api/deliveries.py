"""Deliveries over HTTP: what was sent to endpoints and what they answered, sent again one by one or since an outage, and tried out."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from keyrack.api.dependencies import ANYBODY, PLAIN, Actor, Desk, TheAssembly
from keyrack.api.endpoint_examples import ATTEMPT, DELIVERY, REPLAY, WHOLE_DELIVERY
from keyrack.api.fields import Body, Id, ObjectView, PathId, Time, TimeGiven, View
from keyrack.api.lists import ListQuery, Page, TheLists
from keyrack.manage import deliveries, endpoints, event_types
from keyrack.model.deliveries import Attempt, Delivery, State, Trigger, Why
from keyrack.model.principals import Mode
from keyrack.model.refusals import CONFLICT, saying

router = APIRouter()
ATTEMPTS_MAX = 100

TypeName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.]+$")]


class EndpointDeliveryQuery(ListQuery):
    """The filters of the list of an endpoint's deliveries."""

    event_id: Annotated[Id, Field(description="Only those of this event.")] | None = None
    event_type: Annotated[TypeName, Field(description="Only those of events of this type.")] | None = None
    state: Annotated[State, Field(description="Only those in this state.")] | None = None
    since: TimeGiven | None = None
    until: TimeGiven | None = None
    sort: Literal["created_at", "-created_at"] = "-created_at"


class DeliveryQuery(EndpointDeliveryQuery):
    """The filters of the list of deliveries: of one endpoint, event or type, in a state, begun in a time."""

    endpoint_id: Annotated[Id, Field(description="Only those to this endpoint.")] | None = None


class TypeChosen(Body):
    """The event type that a sample is sent of."""

    EXAMPLE: ClassVar = {"type": "key.created"}

    type: Annotated[TypeName, Field(description="The event type, like `customer.created`.")]


class ReplaySince(Body):
    """From when on what failed is sent again."""

    EXAMPLE: ClassVar = {"since": "2026-05-26T17:00:00.000Z"}

    since: Annotated[TimeGiven, Field(description="What has failed from this moment on.")]


class RequestView(View):
    """What was sent, to the byte."""

    headers: Annotated[dict[str, str], Field(description="The headers; those of yours without their values.")]
    body: Annotated[str, Field(description="The body; empty for who may not be told of the event (any more).")]


class ResponseView(View):
    """What came back."""

    status: Annotated[int, Field(description="The status.")]
    headers: Annotated[dict[str, str], Field(description="The headers.")]
    body: Annotated[str, Field(description="The first 4 KiB of the body.")]
    truncated: Annotated[bool, Field(description="Whether there was more of the body.")]


class AttemptView(ObjectView):
    """One attempt of a delivery. `response` is null where none came: then `error` and `detail` say why."""

    EXAMPLE: ClassVar = ATTEMPT

    object: Literal["attempt"] = "attempt"
    number: Annotated[int, Field(description="1 is the first.")]
    trigger: Annotated[Trigger, Field(description="Whether the schedule asked for it, or somebody.")]
    succeeded: Annotated[bool, Field(description="Whether the receiver took it: any 2xx.")]
    started_at: Annotated[Time, Field(description="When it began.")]
    duration_ms: Annotated[int, Field(description="How long it took, in milliseconds.")]
    address: Annotated[str | None, Field(description="The address that it was sent to.")]
    error: Annotated[str | None, Field(description="Why no answer came, as a code: `timeout`, `address_refused` and others.")]
    detail: Annotated[str | None, Field(description="Why no answer came, in words.")]
    request: Annotated[RequestView, Field(description="What was sent.")]
    response: Annotated[ResponseView | None, Field(description="What came back.")]


class DeliveryView(ObjectView):
    """An event on its way to one endpoint."""

    EXAMPLE: ClassVar = DELIVERY

    object: Literal["delivery"] = "delivery"
    endpoint_id: Annotated[str, Field(description="The endpoint.")]
    event_id: Annotated[str, Field(description="The event: what the receiver gets as `webhook-id`.")]
    event_type: Annotated[str, Field(description="The event's type.")]
    mode: Annotated[Mode, Field(description="The event's mode.")]
    state: Annotated[
        State, Field(description="`pending` (waits for an attempt), `held` (the API is switched off), `succeeded`, `failed` or `skipped`.")
    ]
    why: Annotated[Why | None, Field(description="Why it was skipped, or given up.")]
    attempt_count: Annotated[int, Field(description="How often it was tried.")]
    next_attempt_at: Annotated[Time | None, Field(description="When it is tried next; null: no more.")]
    created_at: Time
    updated_at: Time


class WholeDeliveryView(DeliveryView):
    """A delivery with its attempts."""

    EXAMPLE: ClassVar = WHOLE_DELIVERY

    attempts: Annotated[list[AttemptView], Field(description="The attempts, newest first, at most 100.")]


class ReplayView(View):
    """How much is sent again."""

    EXAMPLE: ClassVar = REPLAY

    object: Literal["replay"] = "replay"
    endpoint_id: Annotated[str, Field(description="The endpoint.")]
    since: Annotated[Time, Field(description="What has failed from this moment on.")]
    deliveries: Annotated[int, Field(description="How many deliveries are sent again, 100,000 at most.")]


@router.get("/deliveries", dependencies=[ANYBODY])
async def list_deliveries(query: Annotated[DeliveryQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[DeliveryView]:
    """List deliveries, newest first unless `sort` says otherwise: to the caller's endpoints; for an org-level Admin to all."""
    return await _page(query, query.filters(), actor, desk, lists)


@router.get("/deliveries/{delivery_id}", dependencies=[ANYBODY, PLAIN])
async def get_delivery(delivery_id: PathId, actor: Actor, desk: Desk) -> WholeDeliveryView:
    """Get a delivery, with what was sent and answered at each attempt."""
    delivery = await deliveries.get(desk, actor, delivery_id)
    made = await deliveries.attempts(desk, actor, delivery_id, limit=ATTEMPTS_MAX)
    return WholeDeliveryView(**_shown(delivery), attempts=[view_attempt(one) for one in made])


@router.post("/deliveries/{delivery_id}/resend", dependencies=[ANYBODY, PLAIN], openapi_extra=saying(CONFLICT))
async def resend_delivery(delivery_id: PathId, actor: Actor, desk: Desk) -> DeliveryView:
    """Send a delivery again at once, whatever came of it, and by a new schedule. Its `webhook-id` stays the same."""
    return view(await deliveries.resend(desk, actor, delivery_id))


@router.get("/endpoints/{endpoint_id}/deliveries", dependencies=[ANYBODY])
async def list_endpoint_deliveries(
    endpoint_id: PathId, query: Annotated[EndpointDeliveryQuery, Query()], actor: Actor, desk: Desk, lists: TheLists
) -> Page[DeliveryView]:
    """List an endpoint's deliveries, newest first unless `sort` says otherwise."""
    await endpoints.get(desk, actor, endpoint_id)
    return await _page(query, {**query.filters(), "endpoint_id": endpoint_id}, actor, desk, lists)


@router.post("/endpoints/{endpoint_id}/replay", status_code=202, dependencies=[ANYBODY, PLAIN], openapi_extra=saying(CONFLICT))
async def replay_endpoint(endpoint_id: PathId, body: ReplaySince, actor: Actor, desk: Desk) -> ReplayView:
    """Send again what an endpoint has missed since a moment: what was given up, what waits for another attempt, and what came while it
    was disabled. It goes out in the background, at the endpoint's pace.
    """
    replayed = await deliveries.replay_failed(desk, actor, endpoint_id, body.since)
    return ReplayView(endpoint_id=endpoint_id, since=body.since, deliveries=replayed)


@router.post("/endpoints/{endpoint_id}/test", dependencies=[ANYBODY, PLAIN], openapi_extra=saying(CONFLICT))
async def test_endpoint(endpoint_id: PathId, body: TypeChosen, actor: Actor, desk: Desk, assembly: TheAssembly) -> AttemptView:
    """Send a sample of an event type to an endpoint, and show what was sent and answered. Nothing of it is kept."""
    kind = event_types.get(desk, actor, body.type)
    return view_attempt(await assembly.deliveries.test(actor, endpoint_id, kind.name, kind.example))


async def _page(query: ListQuery, wanted: Mapping[str, Any], actor: Actor, desk: Desk, lists: TheLists) -> Page[DeliveryView]:
    after = await lists.after(query, partial(deliveries.get, desk, actor))
    found = await deliveries.page(desk, actor, limit=query.limit + 1, after=after, order=query.order, **wanted)
    return lists.page(query, found, view)


def view(delivery: Delivery) -> DeliveryView:
    """Return a delivery as it is on the wire."""
    return DeliveryView(**_shown(delivery))


def view_attempt(attempt: Attempt) -> AttemptView:
    """Return an attempt as it is on the wire. Bodies that are no text are shown as far as they are."""
    response = None
    if attempt.status is not None:
        answered = attempt.response_body.decode("utf-8", "replace")
        response = ResponseView(status=attempt.status, headers=dict(attempt.response_headers), body=answered, truncated=attempt.truncated)
    request = RequestView(headers=dict(attempt.request_headers), body=attempt.request_body.decode("utf-8", "replace"))
    same = ("id", "number", "trigger", "succeeded", "started_at", "duration_ms", "address", "error", "detail")
    return AttemptView(**{name: getattr(attempt, name) for name in same}, request=request, response=response)


def _shown(delivery: Delivery) -> dict[str, object]:
    same = ("id", "endpoint_id", "event_id", "event_type", "mode", "state", "why", "created_at", "updated_at")
    return {**{name: getattr(delivery, name) for name in same}, "attempt_count": delivery.attempts, "next_attempt_at": delivery.due_at}
