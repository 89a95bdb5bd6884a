"""Grants: what apps may do for members of a workspace; who sees them, and how they end."""

from collections.abc import Collection, Sequence
from typing import Any

from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.model.events import EventType
from keyrack.model.grants import EndReason, Grant, HeldGrant
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import NOT_FOUND
from keyrack.store import grants as rows

GRANT_CREATED = EventType("grant.created", description="A member let an app act for them.")
GRANT_UPDATED = EventType("grant.updated", description="A member let an app act for them again, maybe for more.")
GRANT_ENDED = EventType("grant.ended", description="An app may act for a member no more.")
GRANT_TOKEN_REVOKED = EventType("grant.token_revoked", description="An app gave one of its access tokens back.")


async def get(desk: Desk, actor: Principal, grant_id: str) -> HeldGrant:
    """Return a grant, ended or not: one's own, or for an org-level Admin any of the workspace. Raises Refused 404."""
    async with desk.store.reading() as c:
        held = await rows.held(c, actor.workspace.id, grant_id)
    if not _may_see(actor, held.grant):
        raise NOT_FOUND("There is no such grant.")
    return held


async def page(
    desk: Desk, actor: Principal, *, limit: int, after: Place | None = None, order: Order = NEWEST, **filters: Any
) -> list[HeldGrant]:
    """Return grants in an order: for an org-level Admin those of the workspace, for a member their own. `filters` are as the store's.

    Of who is no Admin, only a session sees any: a credential learns nothing of what else its member has let in.
    """
    if not actor.is_admin:
        if actor.member_id is None or actor.kind is not Kind.SESSION or filters.get("member_id") not in (None, actor.member_id):
            return []
        filters["member_id"] = actor.member_id
    async with desk.store.reading() as c:
        return await rows.page(c, actor.workspace.id, limit=limit, after=after, order=order, **filters)


async def revoke(desk: Desk, actor: Principal, grant_id: str) -> Grant:
    """End a grant for good: one's own, or for an org-level Admin any of the workspace.

    When this returns, all its tokens are refused everywhere; so they are when it had ended before. Raises Refused 404.
    """
    async with change(desk, actor) as c:
        held = await rows.held(c.connection, c.workspace_id, grant_id)
        if not _may_see(actor, held.grant):
            raise NOT_FOUND("There is no such grant.")
        if held.grant.ended_at is not None:
            c.found_done()
            return held.grant
        return (await end(c, [held.grant], by=actor.credential_name, reason=EndReason.REVOKED))[0]


async def end(c: Change, grants: Sequence[Grant], *, by: str, reason: EndReason) -> list[Grant]:
    """End grants that nobody has ended, inside a change under way. Returns them as they are now."""
    if not grants:
        return []
    await rows.end(c.connection, c.workspace_id, [grant.id for grant in grants], at=c.now, by=by, reason=reason)
    ended = [grant.end(by=by, at=c.now, reason=reason) for grant in grants]
    for grant in ended:
        c.touch(grant.id)
        c.record(GRANT_ENDED, grant.id, shown(grant))
    return ended


async def end_of(c: Change, member_ids: Collection[str], *, by: str, reason: EndReason) -> list[Grant]:
    """End all grants of members. Returns them."""
    return await end(c, await rows.live(c.connection, c.workspace_id, member_ids), by=by, reason=reason)


def shown(grant: Grant) -> dict[str, Any]:
    """What events tell of a grant."""
    return {
        "id": grant.id,
        "app_id": grant.app_id,
        "member_id": grant.member_id,
        "scopes": list(grant.scopes),
        "end_reason": grant.end_reason.value if grant.end_reason else None,
    }


def _may_see(actor: Principal, grant: Grant) -> bool:
    return actor.is_admin or (actor.kind is Kind.SESSION and actor.member_id is not None and actor.member_id == grant.member_id)
