"""Endpoints with what decides whether they are told of an event: their workspace, and their integration with its rights."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select

from keyrack.model.endpoints import Endpoint
from keyrack.model.integrations import Integration
from keyrack.model.workspaces import Workspace
from keyrack.store import changes, rights
from keyrack.store import endpoints as endpoint_rows
from keyrack.store import integrations as integration_rows
from keyrack.store import workspaces as workspace_rows
from keyrack.store.database import Connection
from keyrack.store.endpoint_tables import endpoints
from keyrack.store.tables import integrations, workspaces


@dataclass(frozen=True, slots=True)
class FoundRecipient:
    """An endpoint and all that decides what it gets, as one snapshot shows it; `revision` is the newest that the snapshot has."""

    endpoint: Endpoint
    workspace: Workspace
    integration: Integration | None
    space_ids: tuple[str, ...]
    revision: int


async def get(c: Connection, endpoint_id: str) -> FoundRecipient | None:
    """Return an endpoint, also a deleted one."""
    row = await c.first(_found().where(endpoints.c.id == endpoint_id))
    return None if row is None else _read(row)


async def of_workspaces(c: Connection, workspace_ids: Collection[str]) -> list[FoundRecipient]:
    """Return all endpoints of these workspaces that were not deleted, disabled ones too."""
    found = _found().where(endpoints.c.workspace_id.in_(workspace_ids), endpoints.c.deleted_at.is_(None))
    return [_read(row) for row in await c.all(found.order_by(endpoints.c.created_at, endpoints.c.id))]


def _found() -> Select[Any]:
    joined = endpoints.join(workspaces, workspaces.c.id == endpoints.c.workspace_id)
    joined = joined.outerjoin(integrations, integrations.c.id == endpoints.c.integration_id)
    reached = (rights.roles_of(integrations), rights.reached_by_all(integrations))
    return select(endpoints, workspaces, integrations, *reached, changes.newest_column()).select_from(joined)


def _read(row: Row[Any]) -> FoundRecipient:
    of = row._mapping
    integration = None if of[integrations.c.id] is None else integration_rows.read(row)
    return FoundRecipient(endpoint_rows.read(row), workspace_rows.read(row), integration, rights.read_reached(row), of["newest_revision"])
