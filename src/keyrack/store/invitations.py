"""Invitations as rows. The one that a link belongs to is found by the link's digest: see `lookup`."""

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, insert, not_, select, update

from keyrack.model.invitations import Invitation
from keyrack.model.members import Role
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.permissions import Level, OrgAccess, Rights, SpaceRole
from keyrack.model.refusals import NOT_FOUND
from keyrack.store import rights
from keyrack.store.database import Connection
from keyrack.store.paging import keyset
from keyrack.store.tables import invitations

_SAME = ("workspace_id", "email", "made_by", "made_by_name", "created_at", "expires_at", "accepted_at", "revoked_at", "may_use_api")


async def get(c: Connection, workspace_id: str, invitation_id: str) -> Invitation:
    """Return an invitation, whatever came of it. Raises Refused `not_found`."""
    row = await c.first(select(invitations).where(invitations.c.workspace_id == workspace_id, invitations.c.id == invitation_id))
    if row is None:
        raise NOT_FOUND("There is no such invitation.")
    return read(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    now: int,
    limit: int,
    after: Place | None = None,
    is_open: bool | None = None,
    order: Order = NEWEST,
) -> list[Invitation]:
    """Return invitations in an order; `is_open` chooses those that can still be accepted, or the others."""
    found = select(invitations).where(invitations.c.workspace_id == workspace_id)
    if is_open is not None:
        found = found.where(_open(now) if is_open else not_(_open(now)))
    return [read(row) for row in await c.all(keyset(found, invitations.c, limit=limit, order=order, after=after))]


async def open_for(c: Connection, workspace_id: str, email: str, now: int) -> Invitation | None:
    """Return the invitation of an email that can still be accepted, or None."""
    row = await c.first(select(invitations).where(invitations.c.workspace_id == workspace_id, invitations.c.email == email, _open(now)))
    return read(row) if row else None


async def add(c: Connection, invitation: Invitation, digest: bytes) -> None:
    """Add an invitation under the digest of its link."""
    await c.execute(insert(invitations).values(id=invitation.id, digest=digest, **_columns(invitation)))


async def accept(c: Connection, workspace_id: str, invitation_id: str, at: int) -> bool:
    """Use an invitation up. False: somebody did before, or it is over. Of two at once, one does."""
    waiting = and_(invitations.c.workspace_id == workspace_id, invitations.c.id == invitation_id, _open(at))
    return bool(await c.execute(update(invitations).where(waiting).values(accepted_at=at)))


async def renew(c: Connection, workspace_id: str, invitation_id: str, digest: bytes, expires_at: int) -> bool:
    """Give an invitation that nobody accepted another link, in place of the one it had. False: it is accepted or revoked."""
    kept = and_(invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None))
    own = and_(invitations.c.workspace_id == workspace_id, invitations.c.id == invitation_id, kept)
    return bool(await c.execute(update(invitations).where(own).values(digest=digest, expires_at=expires_at)))


async def revoke(c: Connection, workspace_id: str, invitation_id: str, at: int) -> None:
    """End an invitation that was neither accepted nor revoked."""
    kept = and_(invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None))
    own = and_(invitations.c.workspace_id == workspace_id, invitations.c.id == invitation_id, kept)
    await c.execute(update(invitations).where(own).values(revoked_at=at))


async def revoke_made_by(c: Connection, workspace_id: str, made_by: str, at: int) -> int:
    """End every open invitation that somebody made, and return how many: nobody comes in on the word of who may invite no more."""
    theirs = and_(invitations.c.workspace_id == workspace_id, invitations.c.made_by == made_by, _open(at))
    return await c.execute(update(invitations).where(theirs).values(revoked_at=at))


def read(row: Row[Any]) -> Invitation:
    """Return the invitation in a row that holds all columns of its table."""
    of = row._mapping
    role = Role(of[invitations.c.role])
    same = {name: of[invitations.c[name]] for name in _SAME}
    return Invitation(id=of[invitations.c.id], **same, role=role, rights=_rights(row, role))


def _rights(row: Row[Any], role: Role) -> Rights:
    of = row._mapping
    spaces = {space_id: SpaceRole(word) for space_id, word in of[invitations.c.spaces].items()}
    if of[invitations.c.org_access] is None:
        # Made before invitations said more than the role.
        return replace(role.default_rights, spaces=spaces)
    levels = {category: Level.of(word) for category, word in of[invitations.c.permissions].items()}
    return Rights(OrgAccess(of[invitations.c.org_access]), levels, spaces)


def _open(now: int) -> ColumnElement[bool]:
    return and_(invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None), invitations.c.expires_at > now)


def _columns(invitation: Invitation) -> dict[str, Any]:
    return {
        **{name: getattr(invitation, name) for name in _SAME},
        "role": invitation.role.value,
        **rights.columns(invitation.rights),
        "spaces": {space_id: role.value for space_id, role in invitation.spaces.items()},
    }
