"""Calls to vendors as rows, with what vendors call their copies of objects."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, delete, func, insert, select, update

from keyrack.model.connector_calls import ConnectorCall, Why
from keyrack.model.deliveries import State, Trigger
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Mode
from keyrack.model.refusals import NOT_FOUND
from keyrack.store.claims import Lanes
from keyrack.store.connector_tables import connector_calls, connector_links
from keyrack.store.database import Connection
from keyrack.store.paging import keyset

LANES = Lanes(connector_calls, connector_calls.c.lane)
PRUNED_MAX = 1000
_PLAIN = (
    "id",
    "workspace_id",
    "connector_id",
    "vendor",
    "event_id",
    "event_type",
    "object_id",
    "position",
    "round",
    "attempts",
    "failures",
    "due_at",
    "status",
    "code",
    "detail",
    "vendor_object_id",
    "duration_ms",
    "created_at",
    "updated_at",
)


async def get(c: Connection, workspace_id: str, call_id: str) -> ConnectorCall:
    """Return a call. Raises Refused `not_found`."""
    row = await c.first(_of(workspace_id).where(connector_calls.c.id == call_id))
    if row is None:
        raise NOT_FOUND("There is no such call.")
    return read(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    connector_id: str | None = None,
    event_id: str | None = None,
    state: State | None = None,
    after: Place | None = None,
    order: Order = NEWEST,
) -> list[ConnectorCall]:
    """Return calls in an order, from beyond a place in it: those of a connector, or what became of an event."""
    found = _of(workspace_id)
    wanted = {"connector_id": connector_id, "event_id": event_id, "state": None if state is None else state.value}
    for name, value in wanted.items():
        if value is not None:
            found = found.where(connector_calls.c[name] == value)
    return [read(row) for row in await c.all(keyset(found, connector_calls.c, limit=limit, order=order, after=after))]


async def count_states(c: Connection, workspace_id: str, connector_id: str) -> dict[State, int]:
    """Return how many calls of a connector are in which state."""
    own = and_(connector_calls.c.workspace_id == workspace_id, connector_calls.c.connector_id == connector_id)
    counted = select(connector_calls.c.state, func.count().label("calls")).where(own).group_by(connector_calls.c.state)
    return {State(row.state): int(row.calls) for row in await c.all(counted)}


async def succeeded_after(c: Connection, workspace_id: str, call: ConnectorCall) -> bool:
    """Whether a later call about the same object has arrived."""
    later = and_(connector_calls.c.lane == call.lane, connector_calls.c.state == State.SUCCEEDED.value)
    found = (
        select(connector_calls.c.id)
        .where(connector_calls.c.workspace_id == workspace_id, later, connector_calls.c.position > call.position)
        .limit(1)
    )
    return await c.first(found) is not None


async def add_new(c: Connection, calls: Sequence[ConnectorCall]) -> int:
    """Add the calls that are not there yet, one per event and connector, and return how many."""
    known = select(connector_calls.c.event_id, connector_calls.c.connector_id)
    known = known.where(connector_calls.c.event_id.in_({call.event_id for call in calls}))
    there = {(row.event_id, row.connector_id) for row in await c.all(known)}
    new = [call for call in calls if (call.event_id, call.connector_id) not in there]
    if new:
        await c.execute(insert(connector_calls), [_columns(call) for call in new])
    return len(new)


async def save(c: Connection, call: ConnectorCall) -> None:
    """Write a call's new state, and let it go where a process held it."""
    own = and_(connector_calls.c.workspace_id == call.workspace_id, connector_calls.c.id == call.id)
    await c.execute(update(connector_calls).where(own).values(**_columns(call), claimed_until=None))


async def save_request(c: Connection, call: ConnectorCall) -> None:
    """Write what a call sends, before it is sent for the first time; whoever holds it goes on holding it."""
    own = and_(connector_calls.c.workspace_id == call.workspace_id, connector_calls.c.id == call.id)
    await c.execute(update(connector_calls).where(own).values(request=_written(call), round=call.round))


async def put_off(c: Connection, workspace_id: str, connector_id: str, until: int) -> None:
    """Let no call of a connector begin before a time."""
    waiting = and_(
        connector_calls.c.workspace_id == workspace_id,
        connector_calls.c.connector_id == connector_id,
        connector_calls.c.due_at < until,
        connector_calls.c.claimed_until.is_(None),
    )
    await c.execute(update(connector_calls).where(waiting).values(due_at=until))


async def held(c: Connection, limit: int) -> list[tuple[str, str]]:
    """Return connectors whose calls are held, by workspace and id."""
    found = select(connector_calls.c.workspace_id, connector_calls.c.connector_id).where(connector_calls.c.state == State.HELD.value)
    return [(row.workspace_id, row.connector_id) for row in await c.all(found.distinct().limit(limit))]


async def release(c: Connection, workspace_id: str, connector_id: str, now: int) -> int:
    """Let the held calls of a connector go on, and return how many."""
    own = and_(
        connector_calls.c.workspace_id == workspace_id,
        connector_calls.c.connector_id == connector_id,
        connector_calls.c.state == State.HELD.value,
    )
    return await c.execute(update(connector_calls).where(own).values(state=State.PENDING.value, why=None, due_at=now, updated_at=now))


async def prune(c: Connection, before: int) -> int:
    """Forget calls that ended before a time, at most PRUNED_MAX, and return how many."""
    over = select(connector_calls.c.id).where(connector_calls.c.due_at.is_(None), connector_calls.c.updated_at < before)
    return await c.execute(delete(connector_calls).where(connector_calls.c.id.in_(over.limit(PRUNED_MAX))))


async def link(c: Connection, workspace_id: str, connector_id: str, object_id: str) -> str | None:
    """Return what a vendor calls its copy of an object; None where it has none."""
    own = and_(connector_links.c.connector_id == connector_id, connector_links.c.object_id == object_id)
    row = await c.first(select(connector_links.c.vendor_object_id).where(own, connector_links.c.workspace_id == workspace_id))
    return None if row is None else str(row.vendor_object_id)


async def save_link(c: Connection, workspace_id: str, connector_id: str, object_id: str, vendor_object_id: str, now: int) -> None:
    """Remember what a vendor calls its copy of an object."""
    own = and_(
        connector_links.c.workspace_id == workspace_id,
        connector_links.c.connector_id == connector_id,
        connector_links.c.object_id == object_id,
    )
    values = {"vendor_object_id": vendor_object_id, "updated_at": now}
    if not await c.execute(update(connector_links).where(own).values(**values)):
        ids = {"workspace_id": workspace_id, "connector_id": connector_id, "object_id": object_id}
        await c.execute(insert(connector_links).values(**ids, **values))


def read(row: Row[Any]) -> ConnectorCall:
    """Return the call in a row that holds all columns of its table."""
    of = row._mapping
    return ConnectorCall(
        **{name: of[connector_calls.c[name]] for name in _PLAIN},
        request=None if row.request is None else json.loads(row.request),
        mode=Mode(of[connector_calls.c.mode]),
        state=State(of[connector_calls.c.state]),
        why=Why(of[connector_calls.c.why]) if of[connector_calls.c.why] else None,
        trigger=Trigger(of[connector_calls.c.trigger]),
    )


def _of(workspace_id: str) -> Select[Any]:
    return select(connector_calls).where(connector_calls.c.workspace_id == workspace_id)


def _columns(call: ConnectorCall) -> dict[str, Any]:
    return {
        **{name: getattr(call, name) for name in _PLAIN},
        "request": _written(call),
        "lane": call.lane,
        "mode": call.mode.value,
        "state": call.state.value,
        "why": None if call.why is None else call.why.value,
        "trigger": call.trigger.value,
    }


def _written(call: ConnectorCall) -> str | None:
    return None if call.request is None else json.dumps(dict(call.request), ensure_ascii=False)
