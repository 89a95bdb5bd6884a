"""Grants: what apps may do for members of a workspace; who sees them, and how they end."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.model.apps import App
from keyrack.model.events import Actor, EventType
from keyrack.model.grants import EndReason, Grant, HeldGrant
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import NOT_FOUND
from keyrack.store import apps as app_rows
from keyrack.store import credential_uses, oauth_lookup
from keyrack.store import grants as rows
from keyrack.store import tokens as token_rows
from keyrack.store.database import Connection

GRANT_CREATED = EventType("grant.created", description="A member let an app act for them.")
GRANT_UPDATED = EventType("grant.updated", description="A member let an app act for them again, maybe for more.")
GRANT_ENDED = EventType("grant.ended", description="An app may act for a member no more.")
APP_UNINSTALLED = EventType("app.uninstalled", description="An app may act for somebody no more, in whatever workspace they are.")
GRANT_TOKEN_REVOKED = EventType("grant.token_revoked", description="An app gave one of its access tokens back.")

ENDED_AT_ONCE_MAX = 500
"""How many grants one change ends at most: more go in several."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A grant as one line of a page: with its app, who gave it, and the last use of any token of it (ms)."""

    held: HeldGrant
    last_used_at: int | None = None
    last_used_from: str | None = None

    @property
    def id(self) -> str:
        """The grant's id."""
        return self.held.id

    @property
    def created_at(self) -> int:
        """When the member first let the app in, in ms since the epoch."""
        return self.held.grant.created_at

    @property
    def grant(self) -> Grant:
        """The grant itself."""
        return self.held.grant

    @property
    def app(self) -> App:
        """The app that acts by it."""
        return self.held.app


@dataclass(frozen=True, slots=True)
class Installed:
    """An app, and how many members of the workspace let it act for them at this moment."""

    app: App
    grants: int


async def get(desk: Desk, actor: Principal, grant_id: str) -> Listed:
    """Return a grant, ended or not: one's own, or for an org-level Admin any of the workspace. Raises Refused 404."""
    async with desk.store.reading() as c:
        held = await rows.held(c, actor.workspace.id, grant_id)
        await _require_sight(c, actor, held.grant)
    return (await with_uses(desk, actor.workspace.id, [held]))[0]


async def page(
    desk: Desk, actor: Principal, *, limit: int, after: Place | None = None, order: Order = NEWEST, **filters: Any
) -> list[Listed]:
    """Return grants in an order: for an org-level Admin those of the workspace, for a member their own. `filters` are as the store's.

    Of credentials without that, a member's default token alone sees any: no other learns what its member has let in.
    """
    async with desk.store.reading() as c:
        if not actor.is_admin:
            if not await _sees_own(c, actor) or filters.get("member_id") not in (None, actor.member_id):
                return []
            filters["member_id"] = actor.member_id
        found = await rows.page(c, actor.workspace.id, now=desk.now(), limit=limit, after=after, order=order, **filters)
    return await with_uses(desk, actor.workspace.id, found)


async def with_uses(desk: Desk, workspace_id: str, found: Sequence[HeldGrant]) -> list[Listed]:
    """Return grants of one workspace with their last uses."""
    async with desk.store.reading_traffic() as c:
        uses = await credential_uses.of(c, workspace_id, [one.id for one in found])
    listed = [(one, uses.get(one.id)) for one in found]
    return [Listed(one, use.used_at if use else None, use.ip_address if use else None) for one, use in listed]


async def revoke(desk: Desk, actor: Principal, grant_id: str) -> Grant:
    """End a grant for good: one's own, or for an org-level Admin any of the workspace.

    When this returns, all its tokens are refused everywhere; so they are when it had ended before. Raises Refused 404.
    """
    async with change(desk, actor) as c:
        held = await rows.held(c.connection, c.workspace_id, grant_id)
        await _require_sight(c.connection, actor, held.grant)
        if held.grant.ended_at is not None:
            c.found_done()
            return held.grant
        return (await end(c, [held.grant], by=actor.credential_name, reason=EndReason.REVOKED))[0]


async def installed(desk: Desk, actor: Principal, app_id: str) -> Installed:
    """Return an app as it is let in here: one of the workspace's own, or one that a member has let in.

    Raises Refused: 403 without org-level Admin; 404 for any other app.
    """
    actor.require_admin("see which apps others have let in")
    async with desk.store.reading() as c:
        app = await app_rows.known(c, actor.workspace.id, app_id)
        counted = await rows.count_of_apps(c, actor.workspace.id, [app.id])
    return Installed(app, counted.get(app.id, 0))


async def uninstall(desk: Desk, actor: Principal, app_id: str) -> int:
    """End all grants for an app in the workspace, whoever gave them, and return how many there were.

    When this returns, every token of the app is refused here; so it is where nobody had let it in any more. Raises Refused as `installed`.
    """
    actor.require_admin("shut apps out")
    ended = 0
    while True:
        async with change(desk, actor) as c:
            app = await app_rows.known(c.connection, c.workspace_id, app_id)
            found = await rows.live_of_apps(c.connection, c.workspace_id, [app.id], limit=ENDED_AT_ONCE_MAX)
            await end(c, found, by=actor.credential_name, reason=EndReason.UNINSTALLED)
            if not found:
                c.found_done()
        ended += len(found)
        if len(found) < ENDED_AT_ONCE_MAX:
            return ended


async def end(c: Change, grants: Sequence[Grant], *, by: str, reason: EndReason) -> list[Grant]:
    """End grants that nobody has ended, inside a change under way. Returns them as they are now."""
    if not grants:
        return []
    await rows.end(c.connection, c.workspace_id, [grant.id for grant in grants], at=c.now, by=by, reason=reason)
    ended = [grant.end(by=by, at=c.now, reason=reason) for grant in grants]
    for grant in ended:
        c.touch(grant.id)
        c.record(GRANT_ENDED, grant.id, shown(grant))
    apps = await oauth_lookup.apps_by_ids(c.connection, {grant.app_id for grant in ended})
    for grant in ended:
        _tell(c, apps.get(grant.app_id), grant)
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


def _tell(c: Change, app: App | None, grant: Grant) -> None:
    """Tell the app, in the workspace that it was registered in, what it knew already, and nothing of who ended the grant elsewhere."""
    if app is None or app.workspace_id is None:
        return
    about = {"name": app.name, "client_id": app.client_id, "scopes": list(grant.scopes), "reason": grant.end_reason}
    told = {"id": app.id, **about, "grant_id": grant.id, "workspace_id": grant.workspace_id, "person_id": grant.person_id}
    c.tell(app.workspace_id, APP_UNINSTALLED, app.id, told, Actor(Kind.ACCESS_TOKEN, grant.id, app.name))


async def _require_sight(c: Connection, actor: Principal, grant: Grant) -> None:
    """Raise Refused 404 where a grant is not the actor's to see and to end: it looks like a missing one."""
    if not actor.is_admin and (actor.member_id != grant.member_id or not await _sees_own(c, actor)):
        raise NOT_FOUND("There is no such grant.")


async def _sees_own(c: Connection, actor: Principal) -> bool:
    if actor.member_id is None:
        return False
    if actor.kind is Kind.PERSONAL_TOKEN:
        return (await token_rows.get(c, actor.workspace.id, actor.credential_id)).is_default
    return actor.kind is Kind.SESSION
