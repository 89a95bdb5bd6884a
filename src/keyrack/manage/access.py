"""Access from outside: all that calls in people's names, and what one person, or one partner, could call with, ended in one change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from keyrack.manage import grants, members, token_endings, tokens
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.model.events import EventType
from keyrack.model.grants import EndReason as GrantEndReason
from keyrack.model.grants import Grant
from keyrack.model.integrations import Integration
from keyrack.model.keys import EndReason as KeyEndReason
from keyrack.model.keys import Key
from keyrack.model.members import Member, Role
from keyrack.model.orders import NEWEST, Order, Place
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
KNOWN_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody could call the API with.

    `keys` are those of a partner's integrations that are accepted. The members have made, or were shown, `known_keys` others, which go
    on: they may have copies of them. `known` are the newest of those.
    """

    members: Sequence[Member]
    tokens: Sequence[Token]
    grants: Sequence[Grant]
    integrations: Sequence[Integration]
    keys: int
    known: Sequence[Key]
    known_keys: int

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to end: no token, no app that acts for them, no key, and nobody who may make tokens."""
        return not self.tokens and not self.grants and not self.keys and not any(member.may_use_api for member in self.members)


async def partners(desk: Desk, actor: Principal) -> list[str]:
    """Return the partners of the workspace's members, integrations and apps, by name. Raises Refused 403 without org-level Admin."""
    actor.require_admin("list partners")
    async with desk.store.reading() as c:
        return await partner_rows.names(c, actor.workspace.id, limit=PARTNERS_MAX)


async def page(
    desk: Desk, actor: Principal, *, limit: int, after: Place | None = None, order: Order = NEWEST, **filters: Any
) -> list[tokens.Listed | grants.Listed]:
    """Return the tokens and grants of the workspace in one order, by a time. Raises Refused 403 without org-level Admin.

    `filters` are those that both lists have: `member_id`, `partner`, `former`, `ended` and `search`.
    """
    actor.require_admin("see what others hold")
    own = await tokens.page(desk, actor, limit=limit, after=after, order=order, **filters)
    given = await grants.page(desk, actor, limit=limit, after=after, order=order, **filters)
    found: list[tokens.Listed | grants.Listed] = [*own, *given]
    return sorted(found, key=order.place, reverse=order.descending)[:limit]


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
    """End all tokens and grants of a member, or of a partner's members with the keys of its integrations and the grants for its apps.

    It is one change: when this returns, each is refused everywhere. With `for_good` the members may use the API no more, so that they
    make no others. Returns what there was. Raises Refused as `of` does, and 403 for an owner's right, which only an owner takes.
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
    ids, theirs = [member_id or ""], []
    apps: list[str] = []
    if partner is not None:
        ids = await partner_rows.member_ids(c, workspace_id, partner, limit=HOLDERS_MAX + 1)
        theirs = await partner_rows.integration_ids(c, workspace_id, partner, limit=HOLDERS_MAX + 1)
        apps = await partner_rows.app_ids(c, workspace_id, partner, limit=HOLDERS_MAX + 1)
        if not ids and not theirs and not apps:
            raise NOT_FOUND("There is no such partner.")
        if max(len(ids), len(theirs), len(apps)) > HOLDERS_MAX:
            raise CONFLICT(f"{partner} has more than {HOLDERS_MAX} members, integrations or apps: revoke them one by one.")
    found = [await member_rows.get(c, workspace_id, one) for one in ids]
    named = await integration_rows.named(c, workspace_id, theirs)
    keys = sum([await key_rows.count_of_integration(c, workspace_id, one, now) for one in theirs])
    known, known_keys = await key_rows.accepted_of(c, workspace_id, now, known_to=ids, beside=theirs, limit=KNOWN_SHOWN_MAX)
    held = await rows.live(c, workspace_id, ids)
    given = await grant_rows.live(c, workspace_id, ids)
    if apps:
        given += await _of_others(c, workspace_id, apps, given)
    return Access(found, held, given, list(named.values()), keys, known, known_keys)


async def _of_others(c: Connection, workspace_id: str, app_ids: Sequence[str], known: Sequence[Grant]) -> list[Grant]:
    """The grants for a partner's apps that others have given."""
    found = await grant_rows.live_of_apps(c, workspace_id, app_ids, limit=HOLDERS_MAX + 1)
    if len(found) > HOLDERS_MAX:
        raise CONFLICT(f"More than {HOLDERS_MAX} people have let these apps in: revoke them app by app.")
    ids = {grant.id for grant in known}
    return [grant for grant in found if grant.id not in ids]


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
