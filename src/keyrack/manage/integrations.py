"""Integrations: make, edit, say which spaces they reach, delete, and find them. How their keys are rotated stands with the keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from keyrack.manage import rights as choices
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.model.events import EventType
from keyrack.model.integrations import Integration
from keyrack.model.keys import EndReason, Key
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.permissions import OrgAccess, Rights, SpaceRole
from keyrack.model.principals import Principal
from keyrack.store import credential_uses
from keyrack.store import endpoints as endpoint_rows
from keyrack.store import integrations as rows
from keyrack.store import invitations as invitation_rows
from keyrack.store import keys as key_rows
from keyrack.store.ids import new_id

INTEGRATION_CREATED = EventType("integration.created", description="An integration was made.")
INTEGRATION_UPDATED = EventType("integration.updated", description="An integration's name, rights or roles in spaces were changed.")
INTEGRATION_ROTATED = EventType("integration.rotated", description="All keys of an integration in one mode were replaced by a new one.")
INTEGRATION_DELETED = EventType("integration.deleted", description="An integration and its keys were ended for good.")
KEYS_LISTED_MAX = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """An integration as one line of the page: with its newest keys that have not ended, how many those are, and its last use (ms)."""

    integration: Integration
    keys: tuple[Key, ...] = ()
    keys_present: int = 0
    last_used_at: int | None = None
    last_used_from: str | None = None


async def get(desk: Desk, actor: Principal, integration_id: str) -> Integration:
    """Return an integration. Raises Refused 403 without org-level Admin, 404."""
    actor.require_admin("read integrations")
    async with desk.store.reading() as c:
        return await rows.get(c, actor.workspace.id, integration_id)


async def page(
    desk: Desk,
    actor: Principal,
    *,
    limit: int,
    after: Place | None = None,
    search: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[Integration]:
    """Return integrations in an order, from beyond a place in it. `search` is part of a name; `updated_after` (ms) includes that moment.

    Raises Refused 403 without org-level Admin.
    """
    actor.require_admin("list integrations")
    async with desk.store.reading() as c:
        return await rows.page(c, actor.workspace.id, limit=limit, after=after, search=search, order=order, updated_after=updated_after)


async def listed(desk: Desk, actor: Principal, integration_id: str) -> Listed:
    """Return an integration with its keys. Raises Refused 403 without org-level Admin, 404."""
    return (await _listed(desk, actor, [await get(desk, actor, integration_id)]))[0]


async def listed_page(
    desk: Desk,
    actor: Principal,
    *,
    limit: int,
    after: Place | None = None,
    search: str | None = None,
    order: Order = NEWEST,
) -> list[Listed]:
    """Return integrations with their keys, as `page` does. Raises Refused 403 without org-level Admin."""
    return await _listed(desk, actor, await page(desk, actor, limit=limit, after=after, search=search, order=order))


async def create(desk: Desk, actor: Principal, *, name: str, rights: Rights, partner: str | None = None) -> Integration:
    """Make an integration with these rights and no key. `partner` labels it as a program of another company.

    Raises Refused: 403 without org-level Admin or for more rights than the maker has; 404 for a space that there is not; 400 for a
    category that has no level.
    """
    actor.require_admin("create integrations")
    async with change(desk, actor) as c:
        return await add(desk, c, actor, name, rights, partner)


async def add(desk: Desk, c: Change, actor: Principal, name: str, rights: Rights, partner: str | None = None) -> Integration:
    """Add an integration inside a change under way. Raises what `create` raises."""
    integration = Integration(
        id=new_id(),
        workspace_id=actor.workspace.id,
        name=name,
        created_at=c.now,
        updated_at=c.now,
        made_by=actor.owner_id,
        made_by_name=actor.credential_name,
        rights=choices.checked(desk, actor, rights),
        partner=choices.checked_partner(partner),
    )
    await rows.add(c.connection, integration)
    c.record(INTEGRATION_CREATED, integration.id, shown(integration))
    return integration


async def edit(desk: Desk, actor: Principal, integration_id: str, **fields: Any) -> Integration:
    """Change an integration's `name`, `partner`, `org_access`, `permissions` or `spaces`, and nothing else; what is not named stays.

    What is named takes the whole place of what was. A key that bears the integration's name goes on bearing it: that is the name under
    which the integration acts. Raises Refused 403, 404, 400 as `create` does.
    """
    actor.require_admin("edit integrations")
    async with change(desk, actor) as c:
        integration = await rows.get(c.connection, actor.workspace.id, integration_id)
        edited = await apply(desk, c, actor, integration, fields)
        if edited.name != integration.name:
            await key_rows.rename(c.connection, actor.workspace.id, edited.id, integration.name, edited.name, c.now)
        return edited


async def apply(desk: Desk, c: Change, actor: Principal, integration: Integration, fields: Mapping[str, Any]) -> Integration:
    """Edit an integration inside a change under way. Raises what `edit` raises."""
    rights = integration.rights
    if any(name in fields for name in choices.PARTS):
        rights = choices.checked(desk, actor, choices.changed(rights, fields))
    partner = choices.checked_partner(fields.get("partner", integration.partner))
    edited = replace(integration, name=fields.get("name", integration.name), rights=rights, partner=partner)
    if edited == integration:
        c.found_done()
        return integration
    edited = replace(edited, updated_at=c.now)
    await rows.save(c.connection, edited)
    if edited.rights.org_access is not OrgAccess.ADMIN:
        await invitation_rows.revoke_made_by(c.connection, edited.workspace_id, edited.id, c.now)
    c.touch(edited.id)
    c.record(INTEGRATION_UPDATED, edited.id, shown(edited))
    return edited


async def set_space_role(desk: Desk, actor: Principal, integration_id: str, space_id: str, role: SpaceRole | None) -> Integration:
    """Give an integration a role in one space, or with None take the one it has. Raises Refused 403, 404."""
    return await set_space_roles(desk, actor, integration_id, {space_id: role})


async def set_space_roles(desk: Desk, actor: Principal, integration_id: str, roles: Mapping[str, SpaceRole | None]) -> Integration:
    """Give an integration roles in these spaces, and with None take the ones it has; other spaces stay as they are.

    Raises Refused 403, 404.
    """
    actor.require_admin("manage the spaces of integrations")
    async with change(desk, actor) as c:
        integration = await rows.get(c.connection, actor.workspace.id, integration_id)
        chosen = {**integration.rights.spaces, **roles}
        held = {space_id: role for space_id, role in chosen.items() if role is not None}
        return await apply(desk, c, actor, integration, {"spaces": held})


async def delete(desk: Desk, actor: Principal, integration_id: str) -> Integration:
    """Delete an integration with its endpoints, and end its keys: when this returns, they are refused everywhere, and no delivery to its
    endpoints begins. Its name stays on what it wrote.

    Raises Refused 403, 404.
    """
    actor.require_admin("delete integrations")
    async with change(desk, actor) as c:
        integration = await rows.get(c.connection, actor.workspace.id, integration_id)
        ended = await key_rows.end_of_integration(
            c.connection, actor.workspace.id, integration.id, at=c.now, by=actor.credential_name, reason=EndReason.INTEGRATION_DELETED
        )
        deleted = replace(integration, rights=Rights(), deleted_at=c.now, deleted_by=actor.credential_name, updated_at=c.now)
        await rows.save(c.connection, deleted)
        await invitation_rows.revoke_made_by(c.connection, deleted.workspace_id, deleted.id, c.now)
        endpoint_ids = await endpoint_rows.delete_of_integration(
            c.connection, actor.workspace.id, deleted.id, at=c.now, by=actor.credential_name
        )
        c.touch(deleted.id, *endpoint_ids)
        c.record(INTEGRATION_DELETED, deleted.id, shown(integration) | {"keys_ended": ended, "endpoints_deleted": len(endpoint_ids)})
    return deleted


def shown(integration: Integration) -> dict[str, Any]:
    """What events tell of an integration."""
    return {"id": integration.id, "name": integration.name, "partner": integration.partner, **choices.shown(integration.rights)}


async def _listed(desk: Desk, actor: Principal, found: Sequence[Integration]) -> list[Listed]:
    workspace_id, now = actor.workspace.id, desk.now()
    async with desk.store.reading() as c:
        keys = await key_rows.of_integrations(c, workspace_id, [one.id for one in found], now=now, each=KEYS_LISTED_MAX)
    async with desk.store.reading_traffic() as c:
        uses = await credential_uses.of(c, workspace_id, [key.id for own, _ in keys.values() for key in own])
    lines = []
    for integration in found:
        own, present = keys.get(integration.id, ([], 0))
        used = [uses[key.id] for key in own if key.id in uses]
        last = max(used, key=lambda use: use.used_at, default=None)
        at, address = (last.used_at, last.ip_address) if last is not None else (None, None)
        lines.append(Listed(integration, tuple(key for key in own if not key.ended(now)), present, at, address))
    return lines
