"""Integrations as rows, with their rights."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from keyrack.model.integrations import Integration
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.refusals import NOT_FOUND
from keyrack.store import rights
from keyrack.store.database import Connection
from keyrack.store.paging import keyset
from keyrack.store.tables import integrations

KIND = "integration"


async def get(c: Connection, workspace_id: str, integration_id: str) -> Integration:
    """Return an integration that was not deleted. Raises Refused `not_found`."""
    row = await c.first(_of(workspace_id).where(integrations.c.id == integration_id))
    if row is None:
        raise NOT_FOUND("There is no such integration.")
    return read(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    after: Place | None = None,
    search: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[Integration]:
    """Return integrations in an order, from beyond a place in it. `search` is part of a name."""
    found = _of(workspace_id)
    if search:
        found = found.where(integrations.c.name.icontains(search, autoescape=True))
    paged = keyset(found, integrations.c, limit=limit, order=order, after=after, updated_after=updated_after)
    return [read(row) for row in await c.all(paged)]


async def named(c: Connection, workspace_id: str, integration_ids: Collection[str]) -> dict[str, Integration]:
    """Return these integrations (a page of them) by their ids, also deleted ones: keys and log lines speak of those too."""
    found = select(integrations, rights.roles_of(integrations))
    found = found.where(integrations.c.workspace_id == workspace_id, integrations.c.id.in_(integration_ids))
    return {integration.id: integration for integration in map(read, await c.all(found))}


async def add(c: Connection, integration: Integration) -> None:
    """Add an integration with its space roles."""
    await c.execute(insert(integrations).values(id=integration.id, workspace_id=integration.workspace_id, **_columns(integration)))
    await rights.save_roles(c, integration.workspace_id, KIND, integration.id, integration.rights.spaces)


async def save(c: Connection, integration: Integration) -> None:
    """Write an integration's new state, space roles included. Raises Refused `not_found`."""
    own = (integrations.c.workspace_id == integration.workspace_id) & (integrations.c.id == integration.id)
    if not await c.execute(update(integrations).where(own).values(**_columns(integration))):
        raise NOT_FOUND("There is no such integration.")
    await rights.save_roles(c, integration.workspace_id, KIND, integration.id, integration.rights.spaces)


def read(row: Row[Any]) -> Integration:
    """Return the integration in a row that holds all columns of its table and `rights.roles_of(integrations)`."""
    of = row._mapping
    return Integration(
        id=of[integrations.c.id],
        workspace_id=of[integrations.c.workspace_id],
        name=of[integrations.c.name],
        created_at=of[integrations.c.created_at],
        updated_at=of[integrations.c.updated_at],
        made_by=of[integrations.c.made_by],
        made_by_name=of[integrations.c.made_by_name],
        rights=rights.read(row, integrations),
        deleted_at=of[integrations.c.deleted_at],
        deleted_by=of[integrations.c.deleted_by],
        partner=of[integrations.c.partner],
    )


def _of(workspace_id: str) -> Select[Any]:
    found = select(integrations, rights.roles_of(integrations))
    return found.where(integrations.c.workspace_id == workspace_id, integrations.c.deleted_at.is_(None))


def _columns(integration: Integration) -> dict[str, Any]:
    return {
        "name": integration.name,
        "created_at": integration.created_at,
        "updated_at": integration.updated_at,
        "made_by": integration.made_by,
        "made_by_name": integration.made_by_name,
        "deleted_at": integration.deleted_at,
        "deleted_by": integration.deleted_by,
        "partner": integration.partner,
        **rights.columns(integration.rights),
    }
