"""Rights that integrations hold and have never used: pointed out, taken with one step, and given back with one more."""

from collections.abc import Sequence
from dataclasses import dataclass

from keyrack.manage import integrations, rights
from keyrack.manage.change import change
from keyrack.manage.desk import Desk
from keyrack.model.brands import Brand
from keyrack.model.catalog import Catalog
from keyrack.model.integrations import Integration
from keyrack.model.permissions import Need, Rights
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT
from keyrack.model.unused_permissions import ORG_ACCESS, PERMISSIONS, Unused, unused
from keyrack.store import call_counts
from keyrack.store import integrations as rows
from keyrack.store import keys as key_rows
from keyrack.store import spaces as space_rows

KNOWN_DAYS = 400
"""How long it is known what a key was used for."""
KEYS_MAX = 100
"""Nothing is said of an integration with more keys than this: one that is not looked at may have used anything."""
_WHO_AM_I = "/me"
"""Ends the path of the operation that tells everybody who they are, and an Admin nothing more."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """An integration before and after what it had never used was taken from it; `permissions` says what that was."""

    before: Integration
    after: Integration
    permissions: tuple[str, ...]


async def of(desk: Desk, actor: Principal, catalog: Catalog, found: Sequence[Integration]) -> dict[str, Unused]:
    """Return what these integrations (a page of them) hold and no key of theirs was ever used for, by their ids.

    Of what was used longer than KNOWN_DAYS ago nothing is known. Those whose keys used nothing at all are left out: of them one would have
    to take everything. Raises Refused 403 without org-level Admin.
    """
    actor.require_admin("see what keys have used")
    parts = _parts(desk.brand)
    if not parts or not found:
        return {}
    needs = await _needs(desk, actor, catalog, found)
    everywhere = any(one.rights.has_all for one in found)
    space_ids = await _space_ids(desk, actor) if everywhere else []
    if space_ids is None:
        found = [one for one in found if not one.rights.has_all]
    narrower = {one.id: unused(one.rights, needs[one.id], desk.categories, space_ids or (), parts) for one in found if one.id in needs}
    return {id_: one for id_, one in narrower.items() if one is not None and not one.narrowed.reach_nothing}


async def narrow(desk: Desk, actor: Principal, catalog: Catalog, integration_id: str) -> Narrowed:
    """Take from an integration what it has never used: when this returns, its keys are refused for that everywhere.

    Raises Refused: 403, 404; 409 where it has used all that it has, or was changed in between.
    """
    before = await integrations.get(desk, actor, integration_id)
    found = (await of(desk, actor, catalog, [before])).get(before.id)
    if found is None:
        raise CONFLICT(f"There is nothing to take from {before.name!r}: it has used all that it may do.")
    after = await _set(desk, actor, before.id, before.updated_at, found.narrowed)
    return Narrowed(before, after, found.permissions)


async def widen(desk: Desk, actor: Principal, integration_id: str, narrowed_at: int, held: Rights) -> Integration:
    """Give an integration back the rights that it held before it was narrowed at that time (ms).

    Raises Refused: 403, 404; 409 where it was changed since.
    """
    actor.require_admin("edit integrations")
    return await _set(desk, actor, integration_id, narrowed_at, held)


async def _set(desk: Desk, actor: Principal, integration_id: str, updated_at: int, held: Rights) -> Integration:
    async with change(desk, actor) as c:
        integration = await rows.get(c.connection, actor.workspace.id, integration_id)
        if integration.updated_at != updated_at:
            raise CONFLICT(f"{integration.name!r} was changed in between: look at its permissions again.")
        return await integrations.apply(desk, c, actor, integration, {part: getattr(held, part) for part in rights.PARTS})


async def _needs(desk: Desk, actor: Principal, catalog: Catalog, found: Sequence[Integration]) -> dict[str, list[Need]]:
    """What the operations needed that keys of these integrations were accepted for, ended keys included."""
    workspace_id = actor.workspace.id
    async with desk.store.reading() as c:
        keys = await key_rows.of_integrations(c, workspace_id, [one.id for one in found], now=desk.now(), each=KEYS_MAX)
    known = {id_: [key.id for key in own] for id_, (own, _) in keys.items() if len(own) < KEYS_MAX}
    async with desk.store.reading_traffic() as c:
        used = await call_counts.operations_used(c, workspace_id, [key_id for own in known.values() for key_id in own])
    needs: dict[str, list[Need]] = {}
    for id_, own in known.items():
        operations = [catalog.find(*way) for way in set().union(*(used.get(key_id, set()) for key_id in own))]
        wanted = [one for one in operations if one is not None and not one.template.endswith(_WHO_AM_I)]
        needs[id_] = [one.need for one in wanted if one.need is not None]
    return needs


async def _space_ids(desk: Desk, actor: Principal) -> list[str] | None:
    """All spaces, or None where there are more than somebody can have roles in."""
    async with desk.store.reading() as c:
        spaces = await space_rows.page(c, actor.workspace.id, limit=rights.SPACES_MAX + 1)
    return [space.id for space in spaces] if len(spaces) <= rights.SPACES_MAX else None


def _parts(brand: Brand) -> list[str]:
    """What the brand has people choose: nothing else is narrowed, for nobody could see it."""
    return [*([ORG_ACCESS] if brand.edits_org_and_spaces else []), *([PERMISSIONS] if brand.edits_levels else [])]
