"""Connectors as rows. Those of deleted ones stay, without their secrets: their calls are listed under their name."""

from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update

from keyrack.model.connectors import Connector, DisableReason
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.refusals import NOT_FOUND
from keyrack.store.connector_tables import connectors
from keyrack.store.database import Connection
from keyrack.store.paging import keyset

_SAME = (
    "id",
    "workspace_id",
    "vendor",
    "name",
    "settings",
    "tails",
    "created_at",
    "updated_at",
    "made_by",
    "made_by_name",
    "disabled_at",
    "problem",
    "deleted_at",
    "deleted_by",
)


async def get(c: Connection, workspace_id: str, connector_id: str) -> Connector:
    """Return a connector that was not deleted. Raises Refused `not_found`."""
    row = await c.first(_of(workspace_id).where(connectors.c.id == connector_id))
    if row is None:
        raise NOT_FOUND("There is no such connector.")
    return _read(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    after: Place | None = None,
    vendor: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[Connector]:
    """Return connectors in an order, from beyond a place in it."""
    found = _of(workspace_id)
    if vendor is not None:
        found = found.where(connectors.c.vendor == vendor)
    paged = keyset(found, connectors.c, limit=limit, order=order, after=after, updated_after=updated_after)
    return [_read(row) for row in await c.all(paged)]


async def count(c: Connection, workspace_id: str) -> int:
    """Return how many connectors a workspace has."""
    row = await c.first(select(func.count().label("connectors")).select_from(_of(workspace_id).subquery()))
    return int(row.connectors) if row else 0


async def add(c: Connection, connector: Connector) -> None:
    """Add a connector."""
    own = {"id": connector.id, "workspace_id": connector.workspace_id, "vendor": connector.vendor}
    await c.execute(insert(connectors).values(**own, **_columns(connector)))


async def save(c: Connection, connector: Connector) -> None:
    """Write a connector's new state; one that is deleted loses its secrets. Raises Refused `not_found`."""
    own = (connectors.c.workspace_id == connector.workspace_id) & (connectors.c.id == connector.id)
    if not await c.execute(update(connectors).where(own).values(**_columns(connector))):
        raise NOT_FOUND("There is no such connector.")


def _of(workspace_id: str) -> Select[Any]:
    return select(connectors).where(connectors.c.workspace_id == workspace_id, connectors.c.deleted_at.is_(None))


def _read(row: Row[Any]) -> Connector:
    sealed = row.sealed
    return Connector(
        **{name: row._mapping[connectors.c[name]] for name in _SAME},
        events=tuple(row.events),
        sealed=None if sealed is None else bytes(sealed),
        disable_reason=DisableReason(row.disable_reason) if row.disable_reason else None,
    )


def _columns(connector: Connector) -> dict[str, Any]:
    return {
        "name": connector.name,
        "events": list(connector.events),
        "settings": dict(connector.settings),
        "tails": dict(connector.tails),
        "sealed": connector.sealed if connector.deleted_at is None else None,
        "problem": connector.problem,
        "made_by": connector.made_by,
        "made_by_name": connector.made_by_name,
        "created_at": connector.created_at,
        "updated_at": connector.updated_at,
        "disabled_at": connector.disabled_at,
        "disable_reason": connector.disable_reason.value if connector.disable_reason else None,
        "deleted_at": connector.deleted_at,
        "deleted_by": connector.deleted_by,
    }
