"""Deliveries on their way: derived from events, closed or held with their endpoint, and what came of each attempt. Work of jobs alone."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select, update
from sqlalchemy.dialects import postgresql as on_postgresql
from sqlalchemy.dialects import sqlite as on_sqlite

from keyrack.model.deliveries import Attempt, Delivery, State, Why
from keyrack.store import postgresql
from keyrack.store.attempts import PLAIN
from keyrack.store.claims import Lanes
from keyrack.store.database import Connection
from keyrack.store.delivery_tables import attempts, deliveries, endpoint_health
from keyrack.store.distinct import distinct_after

LANES = Lanes(deliveries, deliveries.c.endpoint_id)
SETTLED_AT_ONCE_MAX = 500

_rows = deliveries.c
_is_held = _rows.state == literal_column("'held'")


async def add(c: Connection, derived: Sequence[Delivery]) -> None:
    """Add deliveries; those that are there already change nothing."""
    if derived:
        new = on_postgresql.insert(deliveries) if c.dialect == postgresql.DIALECT else on_sqlite.insert(deliveries)
        await c.execute(new.on_conflict_do_nothing(), [_columns(delivery) for delivery in derived])


async def settle(c: Connection, endpoint_id: str, state: State, why: Why | None, now: int) -> int:
    """Hold, skip or give up what waits for an endpoint and is not being attempted, at most SETTLED_AT_ONCE_MAX; return how many."""
    waiting = select(_rows.id).where(_rows.endpoint_id == endpoint_id, _rows.due_at.is_not(None), _free(now))
    settled = {"state": state.value, "why": why.value if why else None, "due_at": None, "claimed_until": None, "updated_at": now}
    some = waiting.order_by(_rows.due_at).limit(SETTLED_AT_ONCE_MAX)
    # Free is asked of the row itself, too: on PostgreSQL another may claim it between the look and the write.
    return await c.execute(update(deliveries).where(_rows.id.in_(some), _free(now)).values(**settled))


async def next_due(c: Connection) -> tuple[int | None, bool]:
    """Return when the first delivery of all is due (ms; None: none will be), and whether any is held: asked all the time, so at once."""
    due = select(func.min(_rows.due_at)).where(_rows.due_at.is_not(None)).scalar_subquery().label("due_at")
    held = select(func.min(_rows.endpoint_id)).where(_is_held).scalar_subquery().label("held")
    row = await c.first(select(due, held))
    return (None, False) if row is None else (row.due_at, row.held is not None)


async def held_endpoints(c: Connection, after: str, limit: int) -> list[str]:
    """Return endpoints with deliveries that are held, in order, beyond `after`."""
    return [row.id for row in await c.all(distinct_after(_rows.endpoint_id, after, limit, _is_held))]


async def release(c: Connection, endpoint_id: str, now: int) -> int:
    """Let what is held for an endpoint go on, oldest first, at most SETTLED_AT_ONCE_MAX; return how many."""
    held = select(_rows.id).where(_rows.endpoint_id == endpoint_id, _is_held).order_by(_rows.position).limit(SETTLED_AT_ONCE_MAX)
    waiting = {"state": State.PENDING.value, "due_at": now, "updated_at": now}
    return await c.execute(update(deliveries).where(_rows.id.in_(held), _is_held).values(**waiting))


async def note(c: Connection, noted: Sequence[tuple[Delivery, int]]) -> None:
    """Write where deliveries stand after their attempts. Each comes with the end of the claim under which it was attempted.

    One that was claimed anew since belongs to whoever has it now, and stays as it is.
    """
    own = update(deliveries).where(_rows.id == bindparam("of_id"), _rows.claimed_until == bindparam("of_claim"))
    if noted:
        await c.execute(own, [{**_standing(delivery), "of_id": delivery.id, "of_claim": claim} for delivery, claim in noted])


async def add_attempts(c: Connection, made: Sequence[Attempt]) -> None:
    """Add attempts, each exactly as it was sent and answered; those that are there already change nothing."""
    if made:
        new = on_postgresql.insert(attempts) if c.dialect == postgresql.DIALECT else on_sqlite.insert(attempts)
        await c.execute(new.on_conflict_do_nothing(), [_attempt_columns(attempt) for attempt in made])


async def note_health(c: Connection, made: Sequence[Attempt]) -> None:
    """Note how endpoints fare, by attempts in the order in which they were made."""
    kind = on_postgresql.insert if c.dialect == postgresql.DIALECT else on_sqlite.insert
    # In the order of their ids: two transactions that write the same ones then wait for each other in one direction only.
    for endpoint_id in sorted({attempt.endpoint_id for attempt in made}):
        own = [attempt for attempt in made if attempt.endpoint_id == endpoint_id]
        tail = _failures_at_the_end(own)
        succeeded = [attempt for attempt in own if attempt.succeeded]
        new = kind(endpoint_health).values(
            endpoint_id=endpoint_id,
            workspace_id=own[0].workspace_id,
            failing_since=tail[0].started_at if tail else None,
            failures_in_row=len(tail),
            succeeded_at=succeeded[-1].started_at if succeeded else None,
            failed_at=tail[-1].started_at if tail else None,
        )
        is_well, was = bool(succeeded), endpoint_health.c
        kept = {
            "failing_since": new.excluded.failing_since if is_well else func.coalesce(was.failing_since, new.excluded.failing_since),
            "failures_in_row": new.excluded.failures_in_row if is_well else was.failures_in_row + new.excluded.failures_in_row,
            "succeeded_at": func.coalesce(new.excluded.succeeded_at, was.succeeded_at),
            "failed_at": func.coalesce(new.excluded.failed_at, was.failed_at),
        }
        await c.execute(new.on_conflict_do_update(index_elements=[was.endpoint_id], set_=kept))


async def health(c: Connection, endpoint_ids: Collection[str]) -> dict[str, tuple[int | None, int]]:
    """Return of these endpoints since when they only fail (ms), and how often in a row; those without attempts are left out."""
    found = await c.all(select(endpoint_health).where(endpoint_health.c.endpoint_id.in_(endpoint_ids)))
    return {row.endpoint_id: (row.failing_since, row.failures_in_row) for row in found}


def _failures_at_the_end(made: Sequence[Attempt]) -> list[Attempt]:
    tail: list[Attempt] = []
    for attempt in made:
        tail = [] if attempt.succeeded else [*tail, attempt]
    return tail


def _free(now: int) -> Any:
    return _rows.claimed_until.is_(None) | (_rows.claimed_until <= now)


def _columns(delivery: Delivery) -> dict[str, Any]:
    same = ("id", "workspace_id", "endpoint_id", "event_id", "event_type", "position", "created_at")
    return {**{name: getattr(delivery, name) for name in same}, "mode": delivery.mode.value, **_standing(delivery)}


def _standing(delivery: Delivery) -> dict[str, Any]:
    return {
        **{name: getattr(delivery, name) for name in ("attempts", "failures", "due_at", "updated_at")},
        "state": delivery.state.value,
        "why": delivery.why.value if delivery.why else None,
        "trigger": delivery.trigger.value,
        "claimed_until": None,
    }


def _attempt_columns(attempt: Attempt) -> dict[str, Any]:
    sent = ("request_body", "response_body", "truncated")
    return {
        **{name: getattr(attempt, name) for name in (*PLAIN, *sent)},
        "trigger": attempt.trigger.value,
        "request_headers": dict(attempt.request_headers),
        "response_headers": dict(attempt.response_headers),
    }
