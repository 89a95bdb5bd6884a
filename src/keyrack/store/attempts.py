"""Attempts of deliveries as rows, as a workspace sees them, and how its endpoints fare."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, and_, delete, select

from keyrack.model.deliveries import Attempt, Trigger
from keyrack.model.endpoints import Health
from keyrack.store.database import Connection
from keyrack.store.delivery_tables import attempts, endpoint_health

DELETED_AT_ONCE_MAX = 500
PLAIN = ("id", "workspace_id", "delivery_id", "endpoint_id", "number", "started_at", "duration_ms", "status", "error", "detail", "address")
"""What stands in an attempt's row as it is."""

_rows = attempts.c


async def page(c: Connection, workspace_id: str, delivery_id: str, *, limit: int, before: int | None = None) -> list[Attempt]:
    """Return a delivery's attempts, the newest first, below a number."""
    found = select(attempts).where(_rows.workspace_id == workspace_id, _rows.delivery_id == delivery_id)
    if before is not None:
        found = found.where(_rows.number < before)
    return [_read(row) for row in await c.all(found.order_by(_rows.number.desc(), _rows.id.desc()).limit(limit))]


async def health(c: Connection, workspace_id: str, endpoint_ids: Collection[str]) -> dict[str, Health]:
    """Return how these endpoints (a page of them) fare, of those to which anything was attempted."""
    own = (endpoint_health.c.workspace_id == workspace_id, endpoint_health.c.endpoint_id.in_(endpoint_ids))
    same = ("endpoint_id", "failing_since", "failures_in_row", "succeeded_at", "failed_at")
    found = await c.all(select(endpoint_health).where(*own))
    return {row.endpoint_id: Health(**{name: getattr(row, name) for name in same}) for row in found}


async def delete_before(c: Connection, workspace_id: str, at: int) -> int:
    """Delete attempts older than a time (ms), at most DELETED_AT_ONCE_MAX; return how many."""
    old = select(_rows.id).where(and_(_rows.workspace_id == workspace_id, _rows.started_at < at))
    return await c.execute(delete(attempts).where(_rows.id.in_(old.order_by(_rows.started_at).limit(DELETED_AT_ONCE_MAX))))


def _read(row: Row[Any]) -> Attempt:
    return Attempt(
        **{name: getattr(row, name) for name in PLAIN},
        trigger=Trigger(row.trigger),
        request_headers=row.request_headers,
        request_body=bytes(row.request_body),
        response_headers=row.response_headers,
        response_body=bytes(row.response_body),
        truncated=row.truncated,
    )
