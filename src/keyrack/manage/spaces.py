"""Spaces: make, rename, delete, say who is in them, and find them.

Nobody learns of a space that they cannot see: without a role in it, it looks exactly like a missing one. Org-level Admins see all spaces
and say who is in them, without reading what lies in them.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.operators import acting
from keyrack.model.events import EventType
from keyrack.model.integrations import Integration
from keyrack.model.members import Member
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.permissions import SpaceRole
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, NOT_FOUND
from keyrack.model.spaces import Holder, Space
from keyrack.store import integrations as integration_rows
from keyrack.store import members as member_rows
from keyrack.store import spaces as rows
from keyrack.store.ids import new_id

SPACE_CREATED = EventType("space.created", description="A space was made.")
SPACE_UPDATED = EventType("space.updated", description="A space was renamed.")
SPACE_DELETED = EventType("space.deleted", description="A space was deleted, with everybody's roles in it.")
SPACE_ROLE_SET = EventType("space.role_set", description="Somebody was given a role in a space.")
SPACE_ROLE_REMOVED = EventType("space.role_removed", description="Somebody's role in a space was taken away.")


@dataclass(frozen=True, slots=True)
class Listed:
    """A space as one line of the page, with how many have a role in it."""

    space: Space
    members: int
    integrations: int


async def get(desk: Desk, actor: Principal, space_id: str) -> Space:
    """Return a space that the actor can see. Raises Refused 404."""
    _require_sight(actor, space_id)
    async with desk.store.reading() as c:
        return await rows.get(c, actor.workspace.id, space_id)


async def page(
    desk: Desk,
    actor: Principal,
    *,
    limit: int,
    after: Place | None = None,
    search: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[Space]:
    """Return the spaces that the actor can see, in an order. `search` is part of a name; `updated_after` (ms) includes that moment."""
    within = None if actor.is_admin or actor.rights.has_all else actor.masks.spaces.keys()
    async with desk.store.reading() as c:
        return await rows.page(
            c, actor.workspace.id, limit=limit, after=after, within=within, search=search, order=order, updated_after=updated_after
        )


async def listed_page(
    desk: Desk, actor: Principal, *, limit: int, after: Place | None = None, search: str | None = None, order: Order = NEWEST
) -> list[Listed]:
    """Return the spaces that the actor can see, with how many are in each, as `page` does."""
    found = await page(desk, actor, limit=limit, after=after, search=search, order=order)
    async with desk.store.reading() as c:
        counted = await rows.count_holders(c, actor.workspace.id, [space.id for space in found])
    kinds = (member_rows.KIND, integration_rows.KIND)
    return [Listed(space, *(counted.get((space.id, kind), 0) for kind in kinds)) for space in found]


async def named(desk: Desk, actor: Principal, space_ids: Collection[str]) -> list[Space]:
    """Return those of these spaces that there are, newest first. Raises Refused 403 without org-level Admin."""
    actor.require_admin("see all spaces")
    async with desk.store.reading() as c:
        return await rows.page(c, actor.workspace.id, limit=len(space_ids), within=space_ids)


async def holders(
    desk: Desk, actor: Principal, space_id: str, *, limit: int, after: str | None = None, kind: str | None = None
) -> list[Holder]:
    """Return who has a role in a space that the actor can see, by id, from beyond the id `after`: members, integrations, or all.

    Whoever has all permissions reaches every space without a role of its own, and is not listed. Raises Refused 404.
    """
    _require_sight(actor, space_id)
    async with desk.store.reading() as c:
        await rows.get(c, actor.workspace.id, space_id)
        return await rows.holders(c, actor.workspace.id, space_id, limit=limit, after=after, kind=kind)


async def holder(desk: Desk, actor: Principal, space_id: str, holder_id: str) -> Holder:
    """Return the role of somebody, for whoever may change it. Raises Refused 403, 404 as `set_role` does."""
    _require_manager(actor, space_id)
    async with desk.store.reading() as c:
        await rows.get(c, actor.workspace.id, space_id)
        return await rows.holder(c, actor.workspace.id, space_id, holder_id)


def manages(actor: Principal, space_id: str) -> bool:
    """Whether the actor says who is in a space."""
    return actor.is_admin or actor.masks.spaces.get(space_id) is SpaceRole.MANAGER


async def create(desk: Desk, actor: Principal, name: str) -> Space:
    """Make a space; whoever makes it is its manager. Raises Refused 403 without org-level Admin."""
    actor.require_admin("create spaces")
    async with change(desk, actor) as c:
        space = Space(new_id(), actor.workspace.id, name, c.now, c.now)
        await rows.add(c.connection, space, made_by=actor.owner_id)
        maker = actor.integration_id or actor.member_id
        if maker is not None:
            kind = integration_rows.KIND if actor.integration_id else member_rows.KIND
            await rows.set_role(c.connection, space.workspace_id, space.id, kind=kind, holder_id=maker, role=SpaceRole.MANAGER, at=c.now)
        # Whoever has all permissions reaches the new space too, and a cache does not know them one by one.
        c.touch(space.workspace_id)
        c.record(SPACE_CREATED, space.id, shown(space))
    return space


async def rename(desk: Desk, actor: Principal, space_id: str, name: str) -> Space:
    """Give a space another name. Raises Refused 403 without org-level Admin, 404."""
    actor.require_admin("rename spaces")
    async with change(desk, actor) as c:
        space = await rows.get(c.connection, actor.workspace.id, space_id)
        if space.name != name:
            space = replace(space, name=name, updated_at=c.now)
            await rows.save(c.connection, space)
            c.record(SPACE_UPDATED, space.id, shown(space))
    return space


async def delete(desk: Desk, actor: Principal, space_id: str) -> Space:
    """Delete a space with everybody's roles in it: when this returns, nobody reaches what lay there. Raises Refused 403, 404."""
    actor.require_admin("delete spaces")
    async with change(desk, actor) as c:
        space = await rows.get(c.connection, actor.workspace.id, space_id)
        deleted = replace(space, deleted_at=c.now, updated_at=c.now)
        await rows.save(c.connection, deleted)
        c.touch(space.id, space.workspace_id)
        c.record(SPACE_DELETED, space.id, shown(space))
    return deleted


async def set_role(desk: Desk, actor: Principal, space_id: str, holder_id: str, role: SpaceRole) -> Holder:
    """Give a member or an integration a role in a space, in place of the one they had.

    Raises Refused: 404 for a space that the actor cannot see, and for an unknown holder; 403 unless the actor manages the space or is an
    org-level Admin.
    """
    _require_manager(actor, space_id)
    async with change(desk, actor) as c:
        space = await rows.get(c.connection, actor.workspace.id, space_id)
        kind, found = await _named_holder(c, space, holder_id)
        holder = Holder(space.id, kind, found.id, found.name, role)
        if found.rights.spaces.get(space.id) is role:
            c.found_done()
        else:
            await rows.set_role(c.connection, space.workspace_id, space.id, kind=kind, holder_id=found.id, role=role, at=c.now)
            c.touch(found.id)
            c.record(SPACE_ROLE_SET, space.id, _told(holder))
    return holder


async def remove_role(desk: Desk, actor: Principal, space_id: str, holder_id: str) -> None:
    """Take somebody's role in a space away: when this returns, they reach nothing there. Raises Refused 403, 404 as `set_role` does."""
    _require_manager(actor, space_id)
    async with change(desk, actor) as c:
        space = await rows.get(c.connection, actor.workspace.id, space_id)
        _, found = await _named_holder(c, space, holder_id)
        if space.id in found.rights.spaces:
            await rows.remove_role(c.connection, space.workspace_id, space.id, found.id, c.now)
            c.touch(found.id)
            c.record(SPACE_ROLE_REMOVED, space.id, {"space_id": space.id, "holder_id": found.id, "holder_name": found.name})
        else:
            c.found_done()


def shown(space: Space) -> dict[str, Any]:
    """What events tell of a space."""
    return {"id": space.id, "name": space.name}


class Spaces:
    """The spaces of workspaces, for the host's own code. Where no `actor` is named, the host acts by itself, as the operator.

    Changes take effect everywhere before they return; made while `rack.transaction` is open they raise `change_inside_transaction`.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def find(self, workspace_id: str, space_id: str) -> Space | None:
        """Return a space, or None."""
        async with self._desk.store.reading() as c:
            found = await rows.page(c, workspace_id, limit=1, within=[space_id])
        return found[0] if found else None

    async def list(
        self, workspace_id: str, *, limit: int = 100, after: Place | None = None, within: Collection[str] | None = None
    ) -> list[Space]:
        """Return a page of spaces, newest first, from below the place (`created_at` and `id`) where the last one ended.

        `within` are the ids of those that count, as `caller.spaces` gives them.
        """
        async with self._desk.store.reading() as c:
            return await rows.page(c, workspace_id, limit=limit, after=after, within=within)

    async def create(self, workspace_id: str, name: str, *, actor: Principal | None = None) -> Space:
        """Make a space; the actor is its manager. Raises Refused 403, 404."""
        return await create(self._desk, await acting(self._desk, workspace_id, actor), name)

    async def rename(self, workspace_id: str, space_id: str, name: str, *, actor: Principal | None = None) -> Space:
        """Give a space another name. Raises Refused 403, 404."""
        return await rename(self._desk, await acting(self._desk, workspace_id, actor), space_id, name)

    async def delete(self, workspace_id: str, space_id: str, *, actor: Principal | None = None) -> Space:
        """Delete a space with everybody's roles in it. Raises Refused 403, 404."""
        return await delete(self._desk, await acting(self._desk, workspace_id, actor), space_id)

    async def set_role(
        self, workspace_id: str, space_id: str, holder_id: str, role: SpaceRole, *, actor: Principal | None = None
    ) -> Holder:
        """Give a member or an integration a role in a space. Raises Refused 403, 404."""
        return await set_role(self._desk, await acting(self._desk, workspace_id, actor), space_id, holder_id, role)

    async def remove_role(self, workspace_id: str, space_id: str, holder_id: str, *, actor: Principal | None = None) -> None:
        """Take somebody's role in a space away. Raises Refused 403, 404."""
        await remove_role(self._desk, await acting(self._desk, workspace_id, actor), space_id, holder_id)


def _require_sight(actor: Principal, space_id: str) -> None:
    if not actor.is_admin and space_id not in actor.masks.spaces:
        raise NOT_FOUND("There is no such space.")


def _require_manager(actor: Principal, space_id: str) -> None:
    _require_sight(actor, space_id)
    if not manages(actor, space_id):
        role = actor.masks.spaces[space_id].value
        raise INSUFFICIENT_PERMISSION(f"To say who is in a space, be its manager or have org-level Admin; here you are {role}.")


async def _named_holder(c: Change, space: Space, holder_id: str) -> tuple[str, Integration | Member]:
    found = await integration_rows.named(c.connection, space.workspace_id, [holder_id])
    if holder_id in found and found[holder_id].deleted_at is None:
        return integration_rows.KIND, found[holder_id]
    return member_rows.KIND, await member_rows.get(c.connection, space.workspace_id, holder_id)


def _told(holder: Holder) -> dict[str, Any]:
    return {
        "space_id": holder.space_id,
        "holder_id": holder.id,
        "holder_kind": holder.kind,
        "holder_name": holder.name,
        "role": holder.role.value,
    }
