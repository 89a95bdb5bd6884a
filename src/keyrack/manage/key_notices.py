"""Notices that a key expires soon: an event, and a mail to whoever made it, 14 and 3 days before, each exactly once."""

from keyrack.manage import keys, mail
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.operators import itself
from keyrack.model.events import EventType
from keyrack.model.keys import Key
from keyrack.model.members import MemberStatus, Role
from keyrack.model.principals import Principal
from keyrack.model.refusals import NOT_FOUND, Refused
from keyrack.model.workspaces import Workspace
from keyrack.store import key_notices as rows
from keyrack.store import keys as key_rows
from keyrack.store import lookup, members

KEY_EXPIRES_SOON = EventType("key.expires_soon", description="A key expires within the days that `days` names.")

DAYS_BEFORE = (3, 14)
AT_ONCE = 100
OWNERS_TOLD_MAX = 5
_DAY = 24 * 3600 * 1000


class _ToldAlready(Exception):
    """Another process was first: nothing of this notice stays."""


async def tell(desk: Desk) -> int:
    """Tell of every key whose time for a notice has come, and return how many were told of. Of two processes, one tells of each."""
    told = 0
    for days in DAYS_BEFORE:
        async with desk.store.reading() as c:
            found = await lookup.expiring_keys(c, now=desk.now(), days=days, limit=AT_ONCE)
        for key, workspace in found:
            told += await _tell(desk, key, workspace, days)
    return told


async def due(desk: Desk, actor: Principal, *, limit: int) -> list[Key]:
    """Return keys that expire within the days of the first notice, soonest first. Raises Refused 403 without org-level Admin."""
    actor.require_admin("list keys")
    async with desk.store.reading() as c:
        return await key_rows.expiring(c, actor.workspace.id, desk.now(), until=desk.now() + max(DAYS_BEFORE) * _DAY, limit=limit)


async def _tell(desk: Desk, key: Key, workspace: Workspace, days: int) -> bool:
    actor = itself(desk, workspace)
    try:
        async with change(desk, actor) as c:
            if not await rows.add(c.connection, key, days, c.now):
                raise _ToldAlready
            c.record(KEY_EXPIRES_SOON, key.id, {**keys.shown(key), "days": days})
            for email in await _readers(c, key):
                await mail.queue(desk, c.connection, mail.expiry_letter(desk, email, workspace, key, days))
    except _ToldAlready:
        return False
    return True


async def _readers(c: Change, key: Key) -> list[str]:
    """Who is told: the member who made the key, or the owners where a program made it, or whoever did is gone."""
    try:
        maker = await members.get(c.connection, key.workspace_id, key.made_by)
        if maker.active(c.now):
            return [maker.email]
    except Refused as refused:
        if refused.refusal is not NOT_FOUND:
            raise
    owners = await members.page(c.connection, key.workspace_id, limit=OWNERS_TOLD_MAX, role=Role.OWNER, status=MemberStatus.ACTIVE)
    return [owner.email for owner in owners]
