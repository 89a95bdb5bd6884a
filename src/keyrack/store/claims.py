"""Claiming rows that are due, over many lanes and many processes: nobody takes what another holds, and no lane holds up the others.

A lane table has the columns `id`, `position` (the order in a lane), `state`, `due_at` (null where nothing is to come any more) and
`claimed_until`, and one that names the lane. A claimed row is due again when its claim ends, so what a process has taken that dies comes
back by itself. A lane is found by a look into an index, whatever waits in it; no backlog is ever read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Row, Table, func, select, update

from keyrack.model.deliveries import State
from keyrack.store import postgresql
from keyrack.store.database import Connection
from keyrack.store.distinct import distinct_after

COUNTED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Lanes:
    """A lane table, and its column that names the lane."""

    table: Table
    lane: Column[str]


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: how many of its rows may be claimed at the same time, and whether nothing in it overtakes what came before."""

    id: str
    at_once: int
    in_order: bool = False


async def next_due(c: Connection, lanes: Lanes) -> int | None:
    """Return when the first row of all is due (ms); None where none will be."""
    row = await c.first(select(func.min(lanes.table.c.due_at).label("due_at")).where(lanes.table.c.due_at.is_not(None)))
    return None if row is None else row.due_at


async def waiting(c: Connection, lanes: Lanes) -> int:
    """Return how many rows something is to come for; COUNTED_MAX where there are more."""
    some = select(lanes.table.c.due_at).where(lanes.table.c.due_at.is_not(None)).limit(COUNTED_MAX).subquery()
    row = await c.first(select(func.count().label("rows")).select_from(some))
    return 0 if row is None else int(row.rows)


async def due_lanes(c: Connection, lanes: Lanes, *, now: int, after: str, limit: int) -> tuple[list[str], str | None]:
    """Return lanes in which a row is due, and the lane from which to look on; None: there are no more.

    Looks at up to `limit` lanes with anything to come, in the order of their ids, beyond `after`.
    """
    rows, lane = lanes.table.c, lanes.lane
    found = distinct_after(lane, after, limit, rows.due_at.is_not(None)).cte("waiting")
    first = select(func.min(rows.due_at)).where(lane == found.c.id, rows.due_at.is_not(None)).correlate(found).scalar_subquery()
    looked = await c.all(select(found.c.id, first.label("due_at")))
    last = max((row.id for row in looked), default=None)
    return [row.id for row in looked if row.due_at <= now], last if len(looked) == limit else None


async def claim(c: Connection, lanes: Lanes, wanted: Sequence[Lane], *, now: int, until: int, limit: int) -> list[Row[Any]]:
    """Take rows that are due, so that nobody else has them before `until`: of every lane at most its share of `limit`, oldest first.

    A lane never has more claimed at a moment than it may, over all processes.
    """
    if c.dialect == postgresql.DIALECT:
        # One claims at a time: what another has taken is committed before this one counts. On SQLite the writer's lock does that.
        await c.all(postgresql.lock(postgresql.Lock.CLAIMS, lanes.table.name))
    busy = await _busy(c, lanes, [lane.id for lane in wanted], now)
    share = max(1, limit // max(1, len(wanted)))
    claimed: list[Row[Any]] = []
    for lane in wanted:
        free = min(lane.at_once - busy.get(lane.id, 0), share, limit - len(claimed))
        if free > 0:
            claimed += await _claim(c, lanes, lane, now=now, until=until, limit=free)
    return claimed


async def _claim(c: Connection, lanes: Lanes, lane: Lane, *, now: int, until: int, limit: int) -> list[Row[Any]]:
    rows = lanes.table.c
    own = lanes.lane == lane.id
    due = select(rows.id).where(own, rows.due_at <= now)
    if lane.in_order:
        due = due.where(rows.position == await _first_position(c, lanes, lane.id))
    ids = due.order_by(rows.due_at, rows.position).limit(limit)
    taken = update(lanes.table).where(rows.id.in_(ids)).values(due_at=until, claimed_until=until).returning(lanes.table)
    return sorted(await c.all(taken), key=lambda row: int(row.position))


async def _busy(c: Connection, lanes: Lanes, lane_ids: Sequence[str], now: int) -> dict[str, int]:
    """How many rows of these lanes are claimed."""
    held = select(lanes.lane.label("lane"), func.count().label("claimed"))
    held = held.where(lanes.lane.in_(lane_ids), lanes.table.c.claimed_until > now).group_by(lanes.lane)
    return {row.lane: int(row.claimed) for row in await c.all(held)}


async def _first_position(c: Connection, lanes: Lanes, lane_id: str) -> int:
    """Where the first row of a lane stands that is not done with: also one that is held, or waits for its next attempt."""
    rows = lanes.table.c
    # Two looks into the index; one statement for both states would sort what waits.
    found = [
        select(func.min(rows.position)).where(lanes.lane == lane_id, rows.state == state.value).scalar_subquery()
        for state in (State.PENDING, State.HELD)
    ]
    row = await c.first(select(found[0].label("pending"), found[1].label("held")))
    positions = [] if row is None else [int(position) for position in row if position is not None]
    return min(positions, default=-1)
