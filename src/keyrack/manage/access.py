"""Access from outside: what one person, or one partner, could call the API with, ended in one change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from keyrack.manage import grants, members, token_endings
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.model.events import EventType
from keyrack.model.grants import EndReason as GrantEndReason
from keyrack.model.grants import Grant
from keyrack.model.integrations import Integration
from keyrack.model.keys import EndReason as KeyEndReason
from keyrack.model.members import Member, Role
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT, NOT_FOUND
from keyrack.model.tokens import EndReason, Token
from keyrack.store import grants as grant_rows
from keyrack.store import integrations as integration_rows
from keyrack.store import keys as key_rows
from keyrack.store import members as member_rows
from keyrack.store import partners as partner_rows
from keyrack.store import tokens as rows
from keyrack.store.database import Connection

ACCESS_REVOKED = EventType("access.revoked", description="Whatever one person or one partner could call the API with was ended at once.")
PARTNERS_MAX = 200
HOLDERS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody could call the API with. `keys` are those of a partner's integrations that are accepted; `known_keys` those that the
    members have made or were shown, of other integrations too, which go on: they may have copies of them.
    """

    members: Sequence[Member]
    tokens: Sequence[Token]
    grants: Sequence[Grant]
    integrations: Sequence[Integration]
    keys: int
    known_keys: int

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to end: no token, no app that acts for them, no key, and nobody who may make tokens."""
        return not self.tokens and not self.grants and not self.keys and not any(member.may_use_api for member in self.members)


async def partners(desk: Desk, actor: Principal) -> list[str]:
    """Return the partners of the workspace's members and integrations, by name. Raises Refused 403 without org-level Admin."""
    actor.require_admin("list partners")
    async with desk.store.reading() as c:
        return await partner_rows.names(c, actor.workspace.id, limit=PARTNERS_MAX)


async def of(desk: Desk, actor: Principal, *, member_id: str | None = None, partner: str | None = None) -> Access:
    """Return what a member, or all of a partner, could call the API with.

    Raises Refused: 403 without org-level Admin; 404 for an unknown member or partner; 409 for a partner of too many to be ended at once.
    """
    actor.require_admin("see what others hold")
    async with desk.store.reading() as c:
        return await _read(desk, c, actor.workspace.id, member_id, partner)


async def revoke(
    desk: Desk, actor: Principal, *, member_id: str | None = None, partner: str | None = None, for_good: bool = True
) -> Access:
    """End all tokens and grants of a member, or of a partner's members with the keys of its integrations, in one change.

    When this returns, each is refused everywhere. With `for_good` they may use the API no more, so that they make no others. Returns what
    there was. Raises Refused as `of` does, and 403 for an owner's right, which only an owner takes.
    """
    actor.require_admin("revoke what others hold")
    async with change(desk, actor) as c:
        found = await _read(desk, c.connection, c.workspace_id, member_id, partner)
        ended = await token_endings.end(c, found.tokens, by=actor.credential_name, reason=EndReason.REVOKED)
        released = await grants.end(c, found.grants, by=actor.credential_name, reason=GrantEndReason.REVOKED)
        keys_ended = sum([await _end_keys(c, actor, integration) for integration in found.integrations])
        changed = [await _forbid(c, actor, member) for member in found.members if for_good and member.may_use_api]
        if not (ended or released or found.integrations or changed):
            c.found_done()
            return found
        told: dict[str, Any] = {"member_id": member_id, "partner": partner, "tokens_ended": len(ended), "keys_ended": keys_ended}
        others = {"grants_ended": len(released), "members_changed": len(changed)}
        c.record(ACCESS_REVOKED, member_id or c.workspace_id, {**told, **others})
    return found


async def _read(desk: Desk, c: Connection, workspace_id: str, member_id: str | None, partner: str | None) -> Access:
    now = desk.now()
    if partner is not None:
        ids = await partner_rows.member_ids(c, workspace_id, partner, limit=HOLDERS_MAX + 1)
        theirs = await partner_rows.integration_ids(c, workspace_id, partner, limit=HOLDERS_MAX + 1)
        if not ids and not theirs:
            raise NOT_FOUND("There is no such partner.")
        if len(ids) > HOLDERS_MAX or len(theirs) > HOLDERS_MAX:
            raise CONFLICT(f"{partner} has more than {HOLDERS_MAX} members or integrations: revoke them one by one.")
    else:
        ids, theirs = [member_id or ""], []
    found = [await member_rows.get(c, workspace_id, one) for one in ids]
    named = await integration_rows.named(c, workspace_id, theirs)
    keys = sum([await key_rows.count_of_integration(c, workspace_id, one, now) for one in theirs])
    known = sum([await key_rows.count_accepted(c, workspace_id, now, one) for one in ids])
    held = await rows.live(c, workspace_id, ids)
    return Access(found, held, await grant_rows.live(c, workspace_id, ids), list(named.values()), keys, known)


async def _end_keys(c: Change, actor: Principal, integration: Integration) -> int:
    by, reason = actor.credential_name, KeyEndReason.REVOKED
    ended = await key_rows.end_of_integration(c.connection, c.workspace_id, integration.id, at=c.now, by=by, reason=reason)
    c.touch(integration.id)
    return ended


async def _forbid(c: Change, actor: Principal, member: Member) -> Member:
    if member.role is Role.OWNER:
        await members.require_say(c, actor, Role.OWNER)
    forbidden = replace(member, may_use_api=False, updated_at=c.now)
    await member_rows.save(c.connection, forbidden)
    c.touch(member.id, member.person_id)
    c.record(members.MEMBER_UPDATED, member.id, members.shown(forbidden))
    return forbidden
