"""Spaces as rows, and who has a role in them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update

from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.permissions import SpaceRole
from keyrack.model.refusals import NOT_FOUND
from keyrack.model.spaces import Holder, Space
from keyrack.store import integrations as integration_rows
from keyrack.store import members as member_rows
from keyrack.store.database import Connection
from keyrack.store.paging import keyset
from keyrack.store.tables import integrations, members, people, space_roles, spaces


async def get(c: Connection, workspace_id: str, space_id: str) -> Space:
    """Return a space that was not deleted. Raises Refused `not_found`."""
    found = select(spaces).where(spaces.c.workspace_id == workspace_id, spaces.c.id == space_id, spaces.c.deleted_at.is_(None))
    row = await c.first(found)
    if row is None:
        raise NOT_FOUND("There is no such space.")
    return read(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    after: Place | None = None,
    within: Collection[str] | None = None,
    search: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[Space]:
    """Return spaces in an order: those whose ids are `within`, or all. `search` is part of a name."""
    found = select(spaces).where(spaces.c.workspace_id == workspace_id, spaces.c.deleted_at.is_(None))
    if within is not None:
        found = found.where(spaces.c.id.in_(within))
    if search:
        found = found.where(spaces.c.name.icontains(search, autoescape=True))
    paged = keyset(found, spaces.c, limit=limit, order=order, after=after, updated_after=updated_after)
    return [read(row) for row in await c.all(paged)]


async def add(c: Connection, space: Space, *, made_by: str) -> None:
    """Add a space. `made_by` is the owner id of whoever made it."""
    await c.execute(insert(spaces).values(id=space.id, workspace_id=space.workspace_id, made_by=made_by, **_columns(space)))


async def save(c: Connection, space: Space) -> None:
    """Write a space's new state; with a deleted one everybody's roles in it go, which changes them too. Raises Refused `not_found`."""
    own = (spaces.c.workspace_id == space.workspace_id) & (spaces.c.id == space.id)
    if not await c.execute(update(spaces).where(own).values(**_columns(space))):
        raise NOT_FOUND("There is no such space.")
    if space.deleted_at is not None:
        theirs = select(space_roles.c.holder_id).where(space_roles.c.workspace_id == space.workspace_id, space_roles.c.space_id == space.id)
        await _changed(c, space.workspace_id, theirs, space.deleted_at)
        await c.execute(delete(space_roles).where(space_roles.c.workspace_id == space.workspace_id, space_roles.c.space_id == space.id))


async def holders(
    c: Connection, workspace_id: str, space_id: str, *, limit: int, after: str | None = None, kind: str | None = None
) -> list[Holder]:
    """Return who has a role in a space, by id, from beyond the id `after`: those of one kind, or all. Deleted integrations have none."""
    found = _holders(workspace_id, space_id)
    if after is not None:
        found = found.where(space_roles.c.holder_id > after)
    if kind is not None:
        found = found.where(space_roles.c.holder_kind == kind)
    return [_read_holder(row) for row in await c.all(found.order_by(space_roles.c.holder_id).limit(limit))]


async def holder(c: Connection, workspace_id: str, space_id: str, holder_id: str) -> Holder:
    """Return the role that somebody has in a space. Raises Refused `not_found`."""
    found = await c.all(_holders(workspace_id, space_id).where(space_roles.c.holder_id == holder_id))
    if not found:
        raise NOT_FOUND("They have no role in this space.")
    return _read_holder(found[0])


async def count_holders(c: Connection, workspace_id: str, space_ids: Collection[str]) -> dict[tuple[str, str], int]:
    """Return how many have a role in each of these spaces (a page of them), by the space's id and the kind of holder."""
    of = space_roles.c
    counted = select(of.space_id, of.holder_kind, func.count().label("holders"))
    counted = counted.where(of.workspace_id == workspace_id, of.space_id.in_(space_ids)).group_by(of.space_id, of.holder_kind)
    return {(row.space_id, row.holder_kind): row.holders for row in await c.all(counted)}


async def set_role(c: Connection, workspace_id: str, space_id: str, *, kind: str, holder_id: str, role: SpaceRole, at: int) -> None:
    """Give somebody this role in a space, in place of the one they had. `kind` is integration or member. Raises Refused `not_found`."""
    await get(c, workspace_id, space_id)
    if kind == member_rows.KIND:
        await member_rows.get(c, workspace_id, holder_id)
    else:
        await integration_rows.get(c, workspace_id, holder_id)
    await remove_role(c, workspace_id, space_id, holder_id, at)
    own = {"workspace_id": workspace_id, "space_id": space_id, "holder_kind": kind, "holder_id": holder_id}
    await c.execute(insert(space_roles).values(**own, role=role.value))


async def remove_role(c: Connection, workspace_id: str, space_id: str, holder_id: str, at: int) -> bool:
    """Take somebody's role in a space away. False: they had none."""
    await _changed(c, workspace_id, [holder_id], at)
    held = (space_roles.c.workspace_id == workspace_id) & (space_roles.c.space_id == space_id) & (space_roles.c.holder_id == holder_id)
    return bool(await c.execute(delete(space_roles).where(held)))


async def _changed(c: Connection, workspace_id: str, holder_ids: Any, at: int) -> None:
    """Note that members and integrations have changed: their roles in spaces are a part of them."""
    for table in (members, integrations):
        theirs = (table.c.workspace_id == workspace_id) & table.c.id.in_(holder_ids)
        await c.execute(update(table).where(theirs).values(updated_at=at))


def read(row: Row[Any]) -> Space:
    """Return the space in a row that holds all columns of its table."""
    of = row._mapping
    return Space(
        id=of[spaces.c.id],
        workspace_id=of[spaces.c.workspace_id],
        name=of[spaces.c.name],
        created_at=of[spaces.c.created_at],
        updated_at=of[spaces.c.updated_at],
        deleted_at=of[spaces.c.deleted_at],
    )


def _holders(workspace_id: str, space_id: str) -> Select[Any]:
    name = func.coalesce(people.c.name, integrations.c.name).label("name")
    joined = (
        space_roles.outerjoin(members, members.c.id == space_roles.c.holder_id)
        .outerjoin(people, people.c.id == members.c.person_id)
        .outerjoin(integrations, integrations.c.id == space_roles.c.holder_id)
    )
    return (
        select(space_roles, name)
        .select_from(joined)
        .where(space_roles.c.workspace_id == workspace_id, space_roles.c.space_id == space_id, integrations.c.deleted_at.is_(None))
    )


def _read_holder(row: Row[Any]) -> Holder:
    return Holder(row.space_id, row.holder_kind, row.holder_id, row.name, SpaceRole(row.role))


def _columns(space: Space) -> dict[str, Any]:
    return {"name": space.name, "created_at": space.created_at, "updated_at": space.updated_at, "deleted_at": space.deleted_at}
