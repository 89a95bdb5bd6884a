"""Members as rows, with the name and email of the person behind each."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, insert, or_, select, update

from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.permissions import OrgAccess
from keyrack.model.refusals import CONFLICT, NOT_FOUND
from keyrack.store import rights
from keyrack.store.database import Connection, Duplicate
from keyrack.store.paging import keyset
from keyrack.store.tables import members, people

KIND = "member"
_COLUMNS = {**dict(members.c.items()), "name": people.c.name, "email": people.c.email}


async def get(c: Connection, workspace_id: str, member_id: str) -> Member:
    """Return a member. Raises Refused `not_found`."""
    row = await c.first(_of(workspace_id).where(members.c.id == member_id))
    if row is None:
        raise NOT_FOUND("There is no such member.")
    return read(row)


async def of_person(c: Connection, workspace_id: str, person_id: str) -> Member | None:
    """Return the member that a person is in a workspace, or None."""
    row = await c.first(_of(workspace_id).where(members.c.person_id == person_id))
    return read(row) if row else None


async def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    after: Place | None = None,
    role: Role | None = None,
    status: MemberStatus | None = None,
    search: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[Member]:
    """Return members in an order. `search` is part of a name or an email."""
    found = _of(workspace_id)
    if role is not None:
        found = found.where(members.c.role == role.value)
    if status is not None:
        found = found.where(members.c.status == status.value)
    if search:
        found = found.where(or_(people.c.name.icontains(search, autoescape=True), people.c.email.icontains(search, autoescape=True)))
    paged = keyset(found, _COLUMNS, limit=limit, order=order, after=after, updated_after=updated_after)
    return [read(row) for row in await c.all(paged)]


async def admins(c: Connection, workspace_id: str, *, now: int, limit: int) -> list[Member]:
    """Return those with org-level Admin who may act at a moment, whatever their role: owners first, then the newest."""
    found = _of(workspace_id).where(members.c.org_access == OrgAccess.ADMIN.value, members.c.status == MemberStatus.ACTIVE.value)
    acting = found.where(or_(members.c.access_until.is_(None), members.c.access_until > now))
    order = (members.c.role != Role.OWNER.value, members.c.created_at.desc(), members.c.id.desc())
    return [read(row) for row in await c.all(acting.order_by(*order).limit(limit))]


async def named(c: Connection, workspace_id: str, member_ids: Collection[str]) -> dict[str, Member]:
    """Return the members with these ids, by their ids; an id that is nobody's is missing."""
    rows = await c.all(_of(workspace_id).where(members.c.id.in_(member_ids)))
    return {member.id: member for member in map(read, rows)}


async def count_of_role(c: Connection, workspace_id: str, role: Role) -> int:
    """Return how many active members have a role: the last owner must stay."""
    active = (members.c.role == role.value) & (members.c.status == MemberStatus.ACTIVE.value)
    row = await c.first(select(func.count().label("members")).where(members.c.workspace_id == workspace_id, active))
    return int(row.members) if row else 0


async def add(c: Connection, member: Member) -> None:
    """Add a member with their space roles. Raises Refused `conflict` where the person is one already."""
    try:
        await c.execute(insert(members).values(id=member.id, workspace_id=member.workspace_id, **_columns(member)))
    except Duplicate as duplicate:
        raise CONFLICT("This person is a member already.") from duplicate
    await rights.save_roles(c, member.workspace_id, KIND, member.id, member.rights.spaces)


async def save(c: Connection, member: Member) -> None:
    """Write a member's new state, space roles included. Raises Refused `not_found`."""
    own = (members.c.workspace_id == member.workspace_id) & (members.c.id == member.id)
    if not await c.execute(update(members).where(own).values(**_columns(member))):
        raise NOT_FOUND("There is no such member.")
    await rights.save_roles(c, member.workspace_id, KIND, member.id, member.rights.spaces)


async def remove(c: Connection, workspace_id: str, member_id: str) -> None:
    """Remove a membership with its space roles; the person stays. Raises Refused `not_found`."""
    await rights.save_roles(c, workspace_id, KIND, member_id, {})
    if not await c.execute(delete(members).where(members.c.workspace_id == workspace_id, members.c.id == member_id)):
        raise NOT_FOUND("There is no such member.")


def read(row: Row[Any]) -> Member:
    """Return the member in a row that holds all columns of their table, the person's name and email, and `rights.roles_of(members)`."""
    of = row._mapping
    return Member(
        id=of[members.c.id],
        workspace_id=of[members.c.workspace_id],
        person_id=of[members.c.person_id],
        name=of[people.c.name],
        email=of[people.c.email],
        role=Role(of[members.c.role]),
        status=MemberStatus(of[members.c.status]),
        may_use_api=of[members.c.may_use_api],
        created_at=of[members.c.created_at],
        updated_at=of[members.c.updated_at],
        rights=rights.read(row, members),
        access_until=of[members.c.access_until],
        partner=of[members.c.partner],
    )


def is_former(now: int) -> ColumnElement[bool]:
    """Return what is true of a row, outer-joined with members, whose person is no active member at a time (ms)."""
    over = and_(members.c.access_until.is_not(None), members.c.access_until <= now)
    return or_(members.c.id.is_(None), members.c.status != MemberStatus.ACTIVE.value, over)


def _of(workspace_id: str) -> Select[Any]:
    joined = members.join(people, people.c.id == members.c.person_id)
    found = select(members, people.c.name, people.c.email, rights.roles_of(members)).select_from(joined)
    return found.where(members.c.workspace_id == workspace_id)


def _columns(member: Member) -> dict[str, Any]:
    return {
        "person_id": member.person_id,
        "role": member.role.value,
        "status": member.status.value,
        "may_use_api": member.may_use_api,
        "access_until": member.access_until,
        "partner": member.partner,
        "created_at": member.created_at,
        "updated_at": member.updated_at,
        **rights.columns(member.rights),
    }
