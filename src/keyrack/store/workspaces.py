"""Workspaces as rows."""

from typing import Any

from sqlalchemy import Row, insert, select, update

from keyrack.model.refusals import CONFLICT, NOT_FOUND
from keyrack.model.workspaces import Workspace
from keyrack.store.database import Connection, Duplicate
from keyrack.store.tables import workspaces


async def get(c: Connection, workspace_id: str) -> Workspace:
    """Return a workspace that was not deleted. Raises Refused `not_found`."""
    row = await c.first(select(workspaces).where(workspaces.c.id == workspace_id, workspaces.c.deleted_at.is_(None)))
    if row is None:
        raise NOT_FOUND("There is no such workspace.")
    return read(row)


async def add(c: Connection, workspace: Workspace) -> None:
    """Add a workspace. Raises Refused `conflict` where its slug is taken, also by a deleted one."""
    try:
        await c.execute(insert(workspaces).values(**_columns(workspace)))
    except Duplicate as duplicate:
        raise CONFLICT("Another workspace has this slug.", param="slug") from duplicate


async def save(c: Connection, workspace: Workspace) -> None:
    """Write a workspace's new state. Raises Refused `not_found`, and `conflict` where its slug is taken."""
    try:
        if not await c.execute(update(workspaces).where(workspaces.c.id == workspace.id).values(**_columns(workspace))):
            raise NOT_FOUND("There is no such workspace.")
    except Duplicate as duplicate:
        raise CONFLICT("Another workspace has this slug.", param="slug") from duplicate


def read(row: Row[Any]) -> Workspace:
    """Return the workspace in a row that holds all columns of its table."""
    of = row._mapping
    return Workspace(
        id=of[workspaces.c.id],
        name=of[workspaces.c.name],
        slug=of[workspaces.c.slug],
        plan=of[workspaces.c.plan],
        api_enabled=of[workspaces.c.api_enabled],
        created_at=of[workspaces.c.created_at],
        updated_at=of[workspaces.c.updated_at],
        deleted_at=of[workspaces.c.deleted_at],
        revealing=of[workspaces.c.revealing],
    )


def _columns(workspace: Workspace) -> dict[str, Any]:
    return {
        "id": workspace.id,
        "name": workspace.name,
        "slug": workspace.slug,
        "plan": workspace.plan,
        "api_enabled": workspace.api_enabled,
        "created_at": workspace.created_at,
        "updated_at": workspace.updated_at,
        "deleted_at": workspace.deleted_at,
        "revealing": workspace.revealing,
    }
