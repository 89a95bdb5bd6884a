"""The apps that one person has let in, in every workspace: seen, and shut out, from any. Only by themselves, where they signed in."""

from keyrack.manage import grants, people
from keyrack.manage.change import change
from keyrack.manage.desk import Desk
from keyrack.model.grants import EndReason, HeldGrant
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, NOT_FOUND
from keyrack.model.workspaces import Workspace
from keyrack.store import grants as rows
from keyrack.store import oauth_lookup

GRANTS_SHOWN_MAX = 1000


async def held(desk: Desk, session: Principal) -> list[tuple[grants.Listed, Workspace]]:
    """Return the grants of the person behind a session that nobody has ended, by workspace. Raises Refused 403."""
    by_workspace: dict[Workspace, list[HeldGrant]] = {}
    for one, workspace in await _grants(desk, session):
        by_workspace.setdefault(workspace, []).append(one)
    there = [(await grants.with_uses(desk, workspace.id, own), workspace) for workspace, own in by_workspace.items()]
    return [(one, workspace) for listed, workspace in there for one in listed]


async def find(desk: Desk, session: Principal, grant_id: str) -> tuple[HeldGrant, Workspace]:
    """Return one of the person's own grants, in whatever workspace. Raises Refused 403, 404."""
    found = next((one for one in await _grants(desk, session) if one[0].id == grant_id), None)
    if found is None:
        raise NOT_FOUND("You have let no such app in.")
    return found


async def revoke(desk: Desk, session: Principal, grant_id: str) -> HeldGrant:
    """End one of the person's own grants: when this returns, its tokens are refused everywhere. Raises Refused 403, 404."""
    chosen, workspace = await find(desk, session, grant_id)
    await _end(desk, chosen, workspace)
    return chosen


async def revoke_all(desk: Desk, session: Principal) -> int:
    """End every grant of the person, and return how many there were. Raises Refused 403."""
    found = await _grants(desk, session)
    for chosen, workspace in found:
        await _end(desk, chosen, workspace)
    return len(found)


async def _grants(desk: Desk, session: Principal) -> list[tuple[HeldGrant, Workspace]]:
    if not session.decides_roles or session.person_id is None:
        raise INSUFFICIENT_PERMISSION("Sign in to the console by yourself to do this.")
    async with desk.store.reading() as c:
        return await oauth_lookup.grants_of(c, session.person_id, GRANTS_SHOWN_MAX)


async def _end(desk: Desk, chosen: HeldGrant, workspace: Workspace) -> None:
    async with change(desk, people.acting_as(desk, workspace, chosen.grant.member_id, chosen.name)) as c:
        # Read anew: another may have ended it since.
        present = await rows.held(c.connection, c.workspace_id, chosen.id)
        if present.grant.ended_at is not None:
            c.found_done()
            return
        await grants.end(c, [present.grant], by=chosen.name, reason=EndReason.REVOKED)
