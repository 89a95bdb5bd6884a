"""Workspaces: made, renamed, given a plan and deleted by the operator; their API is switched off by admins and on by people.

What a workspace's rows hold stays when it is deleted, and nobody reaches it any more.
"""

import re
from dataclasses import replace
from typing import Any

from keyrack.manage import members
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.operators import operator
from keyrack.model.events import EventType
from keyrack.model.members import Role
from keyrack.model.orders import Place
from keyrack.model.principals import Principal
from keyrack.model.principals import operator as principal_of
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, INVALID_REQUEST
from keyrack.model.workspaces import Workspace
from keyrack.store import lookup
from keyrack.store import workspaces as rows
from keyrack.store.ids import new_workspace_id

WORKSPACE_CREATED = EventType("workspace.created", description="A workspace was made.")
WORKSPACE_UPDATED = EventType(
    "workspace.updated", description="A workspace's name, slug or plan was changed, or its API switched on or off."
)
WORKSPACE_DELETED = EventType("workspace.deleted", description="A workspace was deleted, with everything in it.")
NAME_LENGTH_MAX = 100
SLUG_LENGTH_MAX = 64
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


async def get(desk: Desk, actor: Principal) -> Workspace:
    """Return the actor's workspace as it is now. Raises Refused 403 without org-level Admin, 404."""
    actor.require_admin("read the workspace's settings")
    async with desk.store.reading() as c:
        return await rows.get(c, actor.workspace.id)


async def rename(desk: Desk, actor: Principal, name: str) -> Workspace:
    """Give the actor's workspace another name. Raises Refused 403 without org-level Admin, 400."""
    actor.require_admin("rename the workspace")
    return await _save(desk, actor, name=name.strip())


async def switch_api(desk: Desk, actor: Principal, enabled: bool) -> Workspace:
    """Switch the API of a workspace off, for all its credentials at once, or on again.

    Raises Refused 403: without org-level Admin, and for a credential that would switch it on.
    """
    actor.require_admin("switch the API")
    if enabled and not actor.decides_roles:
        raise INSUFFICIENT_PERMISSION("A credential never switches the API on: sign in to the console to do that.", param="api_enabled")
    return await _save(desk, actor, api_enabled=enabled)


def made(desk: Desk, name: str, slug: str | None = None, plan: str | None = None) -> Workspace:
    """Return a workspace to be added: on the first plan, with a slug made from its name, unless others are given. Raises Refused 400."""
    now = desk.now()
    chosen = plan if plan is not None else next(iter(desk.plans))
    called = _slug_of(name) if slug is None else slug
    api_enabled, revealing = desk.brand.api_enabled_at_first, desk.brand.reveals
    workspace = Workspace(new_workspace_id(), name.strip(), called, chosen, api_enabled, now, now, revealing=revealing)
    _check(desk, workspace)
    return workspace


async def add(c: Change, workspace: Workspace) -> None:
    """Add a workspace inside a change under way, made as its operator. Raises Refused 409 where the slug is taken."""
    await rows.add(c.connection, workspace)
    c.record(WORKSPACE_CREATED, workspace.id, shown(workspace))


def shown(workspace: Workspace) -> dict[str, Any]:
    """What events tell of a workspace."""
    return {
        "id": workspace.id,
        "name": workspace.name,
        "slug": workspace.slug,
        "plan": workspace.plan,
        "api_enabled": workspace.api_enabled,
        "revealing": workspace.revealing,
    }


class Workspaces:
    """All workspaces of the host, for its own code and the command line, which act as the operator.

    Changes take effect everywhere before they return; made while `rack.transaction` is open they raise `change_inside_transaction`.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def find(self, name: str) -> Workspace | None:
        """Return the workspace with this id or slug, or None."""
        async with self._desk.store.reading() as c:
            return await lookup.workspace(c, name)

    async def list(self, *, limit: int = 100, after: Place | None = None) -> list[Workspace]:
        """Return a page of workspaces, newest first, from below the place (`created_at` and `id`) where the last one ended."""
        async with self._desk.store.reading() as c:
            return await lookup.all_workspaces(c, limit=limit, after=after)

    async def create(
        self, name: str, *, slug: str | None = None, plan: str | None = None, owner_email: str | None = None, owner_name: str | None = None
    ) -> Workspace:
        """Make a workspace: on the first plan unless one is named, with a slug made from its name unless one is given.

        `owner_email` names the person who becomes its owner; one without a login gets one, called `owner_name`. Raises Refused: 409 where
        the slug is taken; 400 for a name, slug, plan or email that cannot be.
        """
        desk = self._desk
        workspace = made(desk, name, slug, plan)
        actor = principal_of(workspace, dict(desk.categories))
        async with change(desk, actor) as c:
            await add(c, workspace)
            if owner_email is not None:
                await members.join(desk, c, actor, email=owner_email, name=owner_name or "", role=Role.OWNER, may_use_api=True)
        return workspace

    async def rename(self, workspace_id: str, *, name: str | None = None, slug: str | None = None) -> Workspace:
        """Give a workspace another name, or another slug. Raises Refused 400, 404, 409."""
        given = {"name": name and name.strip(), "slug": slug}
        return await self._change(workspace_id, **{field: value for field, value in given.items() if value is not None})

    async def set_plan(self, workspace_id: str, plan: str) -> Workspace:
        """Put a workspace on a plan. One without API access refuses its keys at once. Raises Refused 400, 404."""
        return await self._change(workspace_id, plan=plan)

    async def switch_api(self, workspace_id: str, enabled: bool) -> Workspace:
        """Switch a workspace's API on or off. Raises Refused 404."""
        return await self._change(workspace_id, api_enabled=enabled)

    async def delete(self, workspace_id: str) -> Workspace:
        """Delete a workspace: when this returns, nobody reaches anything in it. Its slug is not given again. Raises Refused 404."""
        desk = self._desk
        actor = await operator(desk, workspace_id)
        async with change(desk, actor) as c:
            workspace = await rows.get(c.connection, workspace_id)
            deleted = replace(workspace, deleted_at=c.now, updated_at=c.now)
            await rows.save(c.connection, deleted)
            c.touch(workspace_id)
            c.record(WORKSPACE_DELETED, workspace_id, shown(workspace))
        return deleted

    async def operator(self, workspace_id: str) -> Principal:
        """Return the operator as an actor in a workspace, for what keys and integrations ask. Raises Refused 404."""
        return await operator(self._desk, workspace_id)

    async def _change(self, workspace_id: str, **fields: Any) -> Workspace:
        return await _save(self._desk, await operator(self._desk, workspace_id), **fields)


async def _save(desk: Desk, actor: Principal, **fields: Any) -> Workspace:
    async with change(desk, actor) as c:
        workspace = await rows.get(c.connection, actor.workspace.id)
        edited = replace(workspace, **fields)
        if edited == workspace:
            c.found_done()
            return workspace
        _check(desk, edited)
        edited = replace(edited, updated_at=c.now)
        await rows.save(c.connection, edited)
        c.touch(edited.id)
        c.record(WORKSPACE_UPDATED, edited.id, shown(edited))
    return edited


def _check(desk: Desk, workspace: Workspace) -> None:
    if not 1 <= len(workspace.name) <= NAME_LENGTH_MAX or not workspace.name.isprintable():
        raise INVALID_REQUEST(f"A name has 1 to {NAME_LENGTH_MAX} printable characters.", param="name")
    if len(workspace.slug) > SLUG_LENGTH_MAX or not _SLUG.fullmatch(workspace.slug):
        raise INVALID_REQUEST("A slug is made of a-z and 0-9, with single - between them.", param="slug")
    if workspace.plan not in desk.plans:
        raise INVALID_REQUEST(f"There is no plan {workspace.plan[:60]!r}: use {', '.join(desk.plans)}.", param="plan")


def _slug_of(name: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:SLUG_LENGTH_MAX].strip("-") or "workspace"
