"""Portal links: made by a host with its key, for one of its users who is a member, and exchanged for a session by their browser.

The session is the member's, bounded by what the key may do at each moment, and ends with the key.
"""

from typing import NamedTuple

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, mint, well_formed
from keyrack.manage import sessions
from keyrack.manage.change import change
from keyrack.manage.desk import Desk
from keyrack.manage.sessions import SignedIn, digest_of
from keyrack.model.events import EventType
from keyrack.model.portal_links import PortalLink
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, LINK_ENDED, NOT_FOUND, Refused
from keyrack.store import lookup, members
from keyrack.store import portal_links as rows

PORTAL_LINK_MADE = EventType("member.portal_link_made", description="The host asked for a link that opens the console for a member.")

VALID_SECONDS_MAX = 60
CLOCK_SECONDS_MAX = 5
"""How far the host's clock may be ahead of ours."""


class Made(NamedTuple):
    """A new portal link and its secret, which leaves here once. The repr hides it."""

    link: PortalLink
    secret: Secret


async def create(
    desk: Desk,
    actor: Principal,
    *,
    member_id: str,
    auth_time: int | None = None,
    origin: str | None = None,
    valid_seconds: int = VALID_SECONDS_MAX,
) -> Made:
    """Make a link that opens the console for a member, once, within `valid_seconds` of at most 60.

    `auth_time` (ms since the epoch) is when the host saw the member prove who they are. `origin` is where the console will stand in a
    frame. Raises Refused: 403 without org-level Admin, and for anybody but a key; 404; 409 for an inactive member; 400 for an origin that
    the operator does not allow, or a time that cannot be.
    """
    actor.require_admin("make portal links")
    if actor.kind is not Kind.KEY:
        raise INSUFFICIENT_PERMISSION("A host makes portal links with its key.")
    now = desk.now()
    if not 1 <= valid_seconds <= VALID_SECONDS_MAX:
        raise INVALID_REQUEST(f"A portal link is good for 1 to {VALID_SECONDS_MAX} seconds.", param="valid_seconds")
    if auth_time is not None and not 0 <= auth_time <= now + CLOCK_SECONDS_MAX * 1000:
        raise INVALID_REQUEST("auth_time lies in the future.", param="auth_time")
    if origin is not None and origin not in desk.outside.portal_origins:
        raise INVALID_REQUEST("The operator does not let this origin frame the console: see the setting portal_origins.", param="origin")
    secret = mint(f"{desk.brand.key_prefix}_portal")
    async with change(desk, actor) as c:
        member = await members.get(c.connection, actor.workspace.id, member_id)
        if not member.active(c.now):
            raise CONFLICT("This member is inactive.", param="member_id")
        expires_at = c.now + valid_seconds * 1000
        # What the host's clock is ahead does not make a proof last longer.
        proved_at = None if auth_time is None else min(auth_time, c.now)
        link = PortalLink(actor.workspace.id, member.id, actor.credential_id, c.now, expires_at, proved_at, origin)
        await rows.add(c.connection, link, digest_of(secret))
        c.record(PORTAL_LINK_MADE, member.id, {"id": member.id, "name": member.name, "origin": origin})
    return Made(link, secret)


async def redeem(desk: Desk, secret_text: str) -> SignedIn:
    """Use a portal link up and begin its session: of many at once, one does. Raises Refused `link_ended`.

    The session's `origin` is the only page that may frame it; None: no page may.
    """
    if not well_formed(secret_text):
        raise LINK_ENDED("This is not a whole link.")
    now = desk.now()
    async with desk.store.changing() as c:
        link = await lookup.use_portal_link(c, digest(secret_text.encode()), now)
        if link is None:
            raise LINK_ENDED("This link was used before, or has expired: open the page again that led here.")
        try:
            member = await members.get(c, link.workspace_id, link.member_id)
        except Refused as refused:
            if refused.refusal is not NOT_FOUND:
                raise
            raise LINK_ENDED("You are no longer a member here.") from None
        if not member.active(now):
            raise LINK_ENDED("You are no longer an active member here.")
        proved_at = link.auth_time or 0
        return await sessions.begin(
            desk, c, member.person_id, link.workspace_id, proved_at=proved_at, through_key_id=link.key_id, origin=link.origin
        )
