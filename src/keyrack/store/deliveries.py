"""Deliveries as rows, as a workspace sees them: listed, counted, and sent again."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, or_, select, update

from keyrack.model.deliveries import Delivery, DeliveryCount, State, Trigger, Why
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Mode
from keyrack.model.refusals import NOT_FOUND
from keyrack.store.database import Connection
from keyrack.store.delivery_tables import deliveries
from keyrack.store.distinct import distinct_after
from keyrack.store.paging import keyset

HOUR_MS = 3_600_000
REPLAYED_AT_ONCE_MAX = 500
DELETED_AT_ONCE_MAX = 500
WORKSPACES_AT_ONCE_MAX = 100
MISSED = (Why.ENDPOINT_DISABLED, Why.GONE, Why.EXHAUSTED)
"""Why a delivery was not made that its endpoint should have had: what "replay all that failed" brings again."""

_rows = deliveries.c


async def get(c: Connection, workspace_id: str, delivery_id: str) -> Delivery:
    """Return a delivery. Raises Refused `not_found`."""
    row = await c.first(select(deliveries).where(_rows.workspace_id == workspace_id, _rows.id == delivery_id))
    if row is None:
        raise NOT_FOUND("There is no such delivery.")
    return read(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    after: Place | None = None,
    endpoint_id: str | None = None,
    within: Collection[str] | None = None,
    event_id: str | None = None,
    event_type: str | None = None,
    state: State | None = None,
    since: int | None = None,
    until: int | None = None,
    order: Order = NEWEST,
) -> list[Delivery]:
    """Return deliveries in an order, from beyond a place in it: of an endpoint, `within` some, of an event, a type, in a state, made in a
    time (ms). `within` endpoints, as their integration sees them: what it may not read happened, for it, never.
    """
    found = select(deliveries).where(_rows.workspace_id == workspace_id, *_told(within))
    wanted = {"endpoint_id": endpoint_id, "event_id": event_id, "event_type": event_type, "state": state.value if state else None}
    for name, value in wanted.items():
        if value is not None:
            found = found.where(_rows[name] == value)
    if since is not None:
        found = found.where(_rows.created_at >= since)
    if until is not None:
        found = found.where(_rows.created_at <= until)
    return [read(row) for row in await c.all(keyset(found, _rows, limit=limit, after=after, order=order))]


async def of_events(
    c: Connection, workspace_id: str, event_ids: Collection[str], *, each: int, within: Collection[str] | None = None
) -> dict[str, list[Delivery]]:
    """Return the deliveries of these events (a page of them) by the events' ids, at most so many of each; `within` as in `page`."""
    wanted = [_rows.workspace_id == workspace_id, _rows.event_id.in_(event_ids), *_told(within)]
    place = func.row_number().over(partition_by=_rows.event_id, order_by=(_rows.created_at, _rows.id)).label("place")
    placed = select(deliveries, place).where(*wanted).subquery()
    found: dict[str, list[Delivery]] = {}
    for row in await c.all(select(placed).where(placed.c.place <= each).order_by(placed.c.place)):
        found.setdefault(row.event_id, []).append(read(row))
    return found


async def counts(c: Connection, workspace_id: str, *, since: int, until: int, endpoint_id: str | None = None) -> list[DeliveryCount]:
    """Return how many deliveries were made in each hour of a time (ms, from `since` and before `until`), by the state they stand in."""
    hour = (_rows.created_at - _rows.created_at % HOUR_MS).label("hour")
    own = [_rows.workspace_id == workspace_id, _rows.created_at >= since, _rows.created_at < until]
    if endpoint_id is not None:
        own.append(_rows.endpoint_id == endpoint_id)
    found = select(hour, _rows.state, func.count().label("deliveries")).where(*own).group_by(hour, _rows.state).order_by(hour)
    return [DeliveryCount(int(row.hour), State(row.state), int(row.deliveries)) for row in await c.all(found)]


async def send_again(c: Connection, workspace_id: str, delivery_id: str, now: int) -> Delivery:
    """Have a delivery attempted at once, and by a new schedule. Raises Refused `not_found`.

    One that is being attempted at this moment, or held, is left as it is.
    """
    own = and_(_rows.workspace_id == workspace_id, _rows.id == delivery_id)
    free = and_(_free(now), _rows.state != State.HELD.value)
    await c.execute(update(deliveries).where(own, free).values(**_again(now)))
    return await get(c, workspace_id, delivery_id)


async def send_missed_again(c: Connection, workspace_id: str, endpoint_id: str, *, since: int, now: int) -> int:
    """Have what an endpoint has missed since a time (ms) attempted again, at most REPLAYED_AT_ONCE_MAX; return how many."""
    some = _missed(workspace_id, endpoint_id, since, now).order_by(_rows.position).limit(REPLAYED_AT_ONCE_MAX)
    # Free is asked of the row itself, too: on PostgreSQL another may claim it between the look and the write.
    return await c.execute(update(deliveries).where(_rows.id.in_(some), _free(now)).values(**_again(now)))


async def count_missed(c: Connection, workspace_id: str, endpoint_id: str, *, since: int, now: int) -> int:
    """Return how many deliveries an endpoint has missed since a time (ms)."""
    row = await c.first(select(func.count().label("missed")).select_from(_missed(workspace_id, endpoint_id, since, now).subquery()))
    return int(row.missed) if row else 0


async def workspace_ids(c: Connection, after: str) -> list[str]:
    """Return ids of workspaces that have deliveries, in order, at most WORKSPACES_AT_ONCE_MAX: those that follow `after`."""
    return [row.id for row in await c.all(distinct_after(_rows.workspace_id, after, WORKSPACES_AT_ONCE_MAX))]


async def delete_before(c: Connection, workspace_id: str, at: int) -> int:
    """Delete deliveries older than a time (ms) that wait for nothing any more, at most DELETED_AT_ONCE_MAX; return how many."""
    old = and_(_rows.workspace_id == workspace_id, _rows.created_at < at, _rows.state != State.PENDING.value)
    some = select(_rows.id).where(old).order_by(_rows.created_at).limit(DELETED_AT_ONCE_MAX)
    return await c.execute(delete(deliveries).where(_rows.id.in_(some)))


def read(row: Row[Any]) -> Delivery:
    """Return the delivery in a row of its table."""
    same = ("id", "workspace_id", "endpoint_id", "event_id", "event_type", "position", "created_at", "updated_at", "attempts", "failures")
    return Delivery(
        **{name: getattr(row, name) for name in same},
        mode=Mode(row.mode),
        state=State(row.state),
        why=Why(row.why) if row.why else None,
        due_at=row.due_at,
        trigger=Trigger(row.trigger),
    )


def _told(within: Collection[str] | None) -> list[ColumnElement[bool]]:
    if within is None:
        return []
    return [_rows.endpoint_id.in_(within), _rows.why.is_distinct_from(Why.NOT_PERMITTED.value)]


def _missed(workspace_id: str, endpoint_id: str, since: int, now: int) -> Select[Any]:
    """What failed since a time: given up, skipped while the endpoint was disabled, or waiting to be tried again."""
    over = and_(_rows.state.in_((State.FAILED.value, State.SKIPPED.value)), _rows.why.in_([why.value for why in MISSED]))
    retrying = and_(_rows.state == State.PENDING.value, _rows.failures > 0, _free(now))
    own = (_rows.workspace_id == workspace_id, _rows.endpoint_id == endpoint_id, _rows.updated_at >= since)
    return select(_rows.id).where(*own, or_(over, retrying))


def _free(now: int) -> ColumnElement[bool]:
    return or_(_rows.claimed_until.is_(None), _rows.claimed_until <= now)


def _again(now: int) -> dict[str, Any]:
    waiting = {"state": State.PENDING.value, "why": None, "trigger": Trigger.MANUAL.value, "failures": 0}
    return {**waiting, "due_at": now, "claimed_until": None, "updated_at": now}
