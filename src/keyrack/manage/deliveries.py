"""Deliveries of events to endpoints, for whoever manages the endpoints: listed, counted, sent again."""

from collections.abc import Collection
from dataclasses import replace

from keyrack.manage import endpoints
from keyrack.manage.desk import Desk
from keyrack.model.deliveries import Attempt, Delivery, DeliveryCount, State, Why
from keyrack.model.endpoints import Health
from keyrack.model.events import may_read
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT, NOT_FOUND
from keyrack.store import attempts as attempt_rows
from keyrack.store import deliveries as rows
from keyrack.store import endpoints as endpoint_rows
from keyrack.store import events as event_rows
from keyrack.store.deliveries import REPLAYED_AT_ONCE_MAX

_NEVER_SENT = {
    Why.TEST_MODE: "What a test key did goes to test endpoints alone: to this one it is never sent.",
    Why.NOT_PERMITTED: "This endpoint's integration may not read what the event tells of: it is never sent there.",
}
REPLAYED_MAX = 100_000
"""How many deliveries one "replay all that failed" brings again at most."""


async def get(desk: Desk, actor: Principal, delivery_id: str) -> Delivery:
    """Return a delivery. Raises Refused 404, for an integration's key also of what its own endpoints are not told; 403 as endpoints do."""
    integration_id = endpoints.managed_by(actor)
    async with desk.store.reading_traffic() as c:
        delivery = await rows.get(c, actor.workspace.id, delivery_id)
    if integration_id is not None:
        is_own = await _own(desk, actor, {delivery.endpoint_id}, integration_id)
        if not is_own or delivery.why is Why.NOT_PERMITTED:
            raise NOT_FOUND("There is no such delivery.")
    return delivery


async def page(
    desk: Desk,
    actor: Principal,
    *,
    limit: int,
    after: Place | None = None,
    endpoint_id: str | None = None,
    event_id: str | None = None,
    event_type: str | None = None,
    state: State | None = None,
    since: int | None = None,
    until: int | None = None,
    order: Order = NEWEST,
) -> list[Delivery]:
    """Return deliveries in an order, from beyond a place in it: of an endpoint, of an event or a type, in a state, made in a time (ms).

    Deleted endpoints' are there, too. Whoever manages an integration's endpoints alone sees those to them; to a deleted one where it is
    named. Raises Refused 403 as endpoints do.
    """
    within = await _within(desk, actor, endpoint_id)
    if within is not None and not within:
        return []
    async with desk.store.reading_traffic() as c:
        return await rows.page(
            c,
            actor.workspace.id,
            limit=limit,
            after=after,
            endpoint_id=endpoint_id,
            within=within,
            event_id=event_id,
            event_type=event_type,
            state=state,
            since=since,
            until=until,
            order=order,
        )


async def of_events(desk: Desk, actor: Principal, event_ids: Collection[str], *, each: int) -> dict[str, list[Delivery]]:
    """Return where events (a page of them) were sent and where not, as far as the actor manages the endpoints, by the events' ids.

    At most `each` of an event. Whoever manages no endpoints sees none.
    """
    if not event_ids or not endpoints.manages_any(actor):
        return {}
    within = await _within(desk, actor, None)
    async with desk.store.reading_traffic() as c:
        return await rows.of_events(c, actor.workspace.id, event_ids, each=each, within=within)


async def attempts(desk: Desk, actor: Principal, delivery_id: str, *, limit: int, before: int | None = None) -> list[Attempt]:
    """Return a delivery's attempts, the newest first, below a number. Raises Refused as `get` does.

    What was sent is left out for whoever may not be told of the event at this moment: rights end, and an endpoint may have been told of
    what lies in spaces that the actor has no role in.
    """
    delivery = await get(desk, actor, delivery_id)
    async with desk.store.reading_traffic() as c:
        made = await attempt_rows.page(c, delivery.workspace_id, delivery.id, limit=limit, before=before)
    if made and not await _may_be_told(desk, actor, delivery.event_id):
        return [replace(one, request_body=b"") for one in made]
    return made


async def counts(desk: Desk, actor: Principal, *, since: int, until: int, endpoint_id: str | None = None) -> list[DeliveryCount]:
    """Return how many deliveries were made in each hour (ms, from `since` and before `until`), by the state they stand in.

    Raises Refused 404 for an endpoint that the actor does not manage; 403 as endpoints do, and without one for an integration's key.
    """
    if endpoint_id is None:
        actor.require_admin("count the deliveries of all endpoints")
    else:
        await endpoints.get(desk, actor, endpoint_id)
    async with desk.store.reading_traffic() as c:
        return await rows.counts(c, actor.workspace.id, since=since, until=until, endpoint_id=endpoint_id)


async def health(desk: Desk, actor: Principal, endpoint_ids: Collection[str]) -> dict[str, Health]:
    """Return how these endpoints (a page of them) fare, of those to which anything was attempted. Raises Refused 403 as endpoints do."""
    integration_id = endpoints.managed_by(actor)
    ids = set(endpoint_ids) if integration_id is None else await _own(desk, actor, endpoint_ids, integration_id)
    async with desk.store.reading_traffic() as c:
        return await attempt_rows.health(c, actor.workspace.id, ids)


async def resend(desk: Desk, actor: Principal, delivery_id: str) -> Delivery:
    """Have a delivery attempted at once, whatever came of it before, and by a new schedule; its `webhook-id` stays the same.

    Raises Refused: as `get` does; 403 for a live endpoint with a test key; 409 where the endpoint is disabled, or is none for the event.
    """
    delivery = await get(desk, actor, delivery_id)
    if delivery.why in (Why.TEST_MODE, Why.NOT_PERMITTED):
        raise CONFLICT(_NEVER_SENT[delivery.why])
    await _require_enabled(desk, actor, delivery.endpoint_id)
    async with desk.store.writing_traffic() as c:
        return await rows.send_again(c, actor.workspace.id, delivery_id, desk.now())


async def replay_failed(desk: Desk, actor: Principal, endpoint_id: str, since: int) -> int:
    """Have everything sent again at once that failed since a time (ms): what was given up, what waits to be tried again, and what was
    skipped while the endpoint was disabled.

    Returns how many deliveries that are: REPLAYED_MAX at most. They go out in the background, at the endpoint's pace.
    Raises Refused: 404; 403 and 409 as `resend` does.
    """
    await _require_enabled(desk, actor, endpoint_id)
    now, replayed = desk.now(), 0
    for _ in range(REPLAYED_MAX // REPLAYED_AT_ONCE_MAX):
        async with desk.store.writing_traffic() as c:
            some = await rows.send_missed_again(c, actor.workspace.id, endpoint_id, since=since, now=now)
        replayed += some
        # Fewer than were looked at may only mean that some were being attempted.
        if not some:
            break
    return replayed


async def count_failed(desk: Desk, actor: Principal, endpoint_id: str, since: int) -> int:
    """Return how many deliveries `replay_failed` would send again. Raises Refused 403, 404."""
    await endpoints.get(desk, actor, endpoint_id)
    async with desk.store.reading_traffic() as c:
        return await rows.count_missed(c, actor.workspace.id, endpoint_id, since=since, now=desk.now())


async def _may_be_told(desk: Desk, actor: Principal, event_id: str) -> bool:
    async with desk.store.reading() as c:
        event = (await event_rows.by_ids(c, {event_id})).get(event_id)
    return event is not None and may_read(event, desk.event_types, desk.categories, actor.masks)


async def _require_enabled(desk: Desk, actor: Principal, endpoint_id: str) -> None:
    endpoint = await endpoints.get(desk, actor, endpoint_id)
    endpoints.refuse_live(actor, endpoint)
    if endpoint.disabled_at is not None:
        raise CONFLICT("The endpoint is disabled: enable it first.")


async def _within(desk: Desk, actor: Principal, endpoint_id: str | None) -> set[str] | None:
    """The endpoints whose deliveries the actor may see, None for all; of a deleted one where it is named."""
    integration_id = endpoints.managed_by(actor)
    if integration_id is None:
        return None
    if endpoint_id is not None:
        return await _own(desk, actor, {endpoint_id}, integration_id)
    async with desk.store.reading() as c:
        return {one.id for one in await endpoint_rows.of_workspace(c, actor.workspace.id) if one.integration_id == integration_id}


async def _own(desk: Desk, actor: Principal, endpoint_ids: Collection[str], integration_id: str) -> set[str]:
    """Return those of these endpoints that belong to an integration, deleted ones too."""
    async with desk.store.reading() as c:
        found = await endpoint_rows.named(c, actor.workspace.id, endpoint_ids)
    return {endpoint.id for endpoint in found.values() if endpoint.integration_id == integration_id}
