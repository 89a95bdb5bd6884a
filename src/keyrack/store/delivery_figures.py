"""How endpoints fare, counted from their deliveries and attempts for those who look at them."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Row, and_, func, select

from keyrack.model.call_counts import Durations, duration_class
from keyrack.model.deliveries import State
from keyrack.store.database import Connection
from keyrack.store.delivery_tables import attempts, deliveries

HOUR_MS = 3_600_000
ATTEMPTS_READ_MAX = 10_000
"""Durations are those of the newest attempts, so that a busy endpoint's page is as quick as any."""

_deliveries, _attempts = deliveries.c, attempts.c


class HourCount(NamedTuple):
    """How many deliveries of an endpoint, made in an hour (its beginning in ms), stand in a state."""

    endpoint_id: str
    hour: int
    state: State
    deliveries: int


class Answer(NamedTuple):
    """What the last attempt of a delivery came to: a status, or an error with its detail. `at` is ms since the epoch."""

    delivery_id: str
    at: int
    status: int | None
    error: str | None
    detail: str | None


class Backlog(NamedTuple):
    """What an endpoint has not got: deliveries that were tried and are tried again, and those that were given up since a time."""

    retrying: int
    given_up: int


async def by_hour(c: Connection, workspace_id: str, endpoint_ids: Collection[str], since: int) -> list[HourCount]:
    """Return how many deliveries of these endpoints were made in each hour since a time (ms), by the state that they stand in."""
    hour = (_deliveries.created_at - _deliveries.created_at % HOUR_MS).label("hour")
    by = (_deliveries.endpoint_id, hour, _deliveries.state)
    own = (_is(_deliveries.workspace_id, workspace_id), _deliveries.endpoint_id.in_(endpoint_ids), _deliveries.created_at >= since)
    rows = await c.all(select(*by, func.count().label("deliveries")).where(*own).group_by(*by).order_by(hour))
    return [HourCount(row.endpoint_id, int(row.hour), State(row.state), int(row.deliveries)) for row in rows]


async def durations(c: Connection, workspace_id: str, endpoint_id: str, since: int) -> dict[int, Durations]:
    """Return how long the attempts since a time (ms) took, by the hour in which they began: of the newest ATTEMPTS_READ_MAX."""
    own = (_is(_attempts.workspace_id, workspace_id), _attempts.endpoint_id == endpoint_id, _attempts.started_at >= since)
    newest = (
        select(_attempts.started_at, _attempts.duration_ms)
        .where(*own)
        .order_by(_attempts.started_at.desc())
        .limit(ATTEMPTS_READ_MAX)
        .subquery()
    )
    hour = (newest.c.started_at - newest.c.started_at % HOUR_MS).label("hour")
    by = (hour, newest.c.duration_ms)
    found: dict[int, Durations] = {}
    for row in await c.all(select(*by, func.count().label("attempts")).group_by(*by)):
        taken = found.setdefault(int(row.hour), {})
        class_ = duration_class(int(row.duration_ms) * 1000)
        taken[class_] = taken.get(class_, 0) + int(row.attempts)
    return found


async def last_answers(c: Connection, workspace_id: str, delivery_ids: Collection[str]) -> dict[str, Answer]:
    """Return what the last attempt of each of these deliveries came to, of those that were attempted."""
    own = and_(_is(_attempts.workspace_id, workspace_id), _attempts.delivery_id.in_(delivery_ids))
    last = select(_attempts.delivery_id, func.max(_attempts.number).label("number")).where(own).group_by(_attempts.delivery_id).subquery()
    found = select(_attempts.delivery_id, _attempts.started_at, _attempts.status, _attempts.error, _attempts.detail).join(
        last, and_(_attempts.delivery_id == last.c.delivery_id, _attempts.number == last.c.number)
    )
    return {row.delivery_id: _answer(row) for row in await c.all(found.where(own))}


async def last_answer(c: Connection, workspace_id: str, endpoint_id: str) -> Answer | None:
    """Return what the newest attempt of an endpoint came to, or None where there was none."""
    own = (_is(_attempts.workspace_id, workspace_id), _attempts.endpoint_id == endpoint_id)
    columns = (_attempts.delivery_id, _attempts.started_at, _attempts.status, _attempts.error, _attempts.detail)
    row = await c.first(select(*columns).where(*own).order_by(_attempts.started_at.desc()).limit(1))
    return None if row is None else _answer(row)


async def backlog(c: Connection, workspace_id: str, endpoint_id: str, since: int) -> Backlog:
    """Return what an endpoint has not got; of what was given up, only since a time (ms)."""
    own = (_is(_deliveries.workspace_id, workspace_id), _deliveries.endpoint_id == endpoint_id)
    retrying = (_deliveries.state == State.PENDING.value, _deliveries.attempts > 0)
    given_up = (_deliveries.state == State.FAILED.value, _deliveries.updated_at >= since)
    counted = [select(func.count().label("deliveries")).select_from(deliveries).where(*own, *wanted) for wanted in (retrying, given_up)]
    rows = [await c.first(one) for one in counted]
    return Backlog(*(int(row.deliveries) if row is not None else 0 for row in rows))


async def waiting(c: Connection, workspace_id: str, endpoint_ids: Collection[str]) -> int:
    """Return how many deliveries to these endpoints wait, or are held."""
    unsent = _deliveries.state.in_((State.PENDING.value, State.HELD.value))
    own = (_is(_deliveries.workspace_id, workspace_id), _deliveries.endpoint_id.in_(endpoint_ids), unsent)
    row = await c.first(select(func.count().label("deliveries")).select_from(deliveries).where(*own))
    return int(row.deliveries) if row is not None else 0


def _is(column: Column[str], workspace_id: str) -> ColumnElement[bool]:
    """Rows of a workspace. Written so that no index goes by it: SQLite would read all of the workspace's for a few of an endpoint's."""
    return column + "" == workspace_id


def _answer(row: Row[Any]) -> Answer:
    return Answer(row.delivery_id, row.started_at, row.status, row.error, row.detail)
