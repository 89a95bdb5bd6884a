"""Grants as rows. Those that ended stay, also when their member is gone."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Join, Row, Select, Table, and_, func, insert, not_, or_, select, update

from keyrack.model.grants import EndReason, Grant, HeldGrant
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.refusals import NOT_FOUND
from keyrack.store import apps as app_rows
from keyrack.store import members as member_rows
from keyrack.store import rights as rights_rows
from keyrack.store.database import Connection
from keyrack.store.oauth_tables import apps, grants
from keyrack.store.paging import keyset
from keyrack.store.tables import members, people, workspaces

_SAME = ("app_id", "member_id", "person_id", "created_at", "updated_at", "ended_at", "ended_by")


async def held(c: Connection, workspace_id: str, grant_id: str) -> HeldGrant:
    """Return a grant, ended or not, with its app and who gave it. Raises Refused `not_found`."""
    row = await c.first(_held(workspace_id).where(grants.c.id == grant_id))
    if row is None:
        raise NOT_FOUND("There is no such grant.")
    return read_held(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    now: int,
    limit: int,
    after: Place | None = None,
    order: Order = NEWEST,
    member_id: str | None = None,
    app_id: str | None = None,
    partner: str | None = None,
    former: bool | None = None,
    ended: bool | None = None,
    search: str | None = None,
    updated_after: int | None = None,
) -> list[HeldGrant]:
    """Return grants with their apps and who gave them, in an order.

    `ended` chooses those that ended, also with their app, or the others; `former` those of people who are no active member at `now`, or
    the others; `partner` is the label of a member, or of an app of the workspace's own; `search` part of a name or of an email.
    """
    found = _held(workspace_id)
    if partner is not None:
        found = found.where(or_(members.c.partner == partner, and_(apps.c.partner == partner, apps.c.workspace_id == workspace_id)))
    if former is not None:
        found = found.where(member_rows.is_former(now) if former else not_(member_rows.is_former(now)))
    if search:
        found = found.where(or_(*(one.icontains(search, autoescape=True) for one in (apps.c.name, people.c.name, people.c.email))))
    if member_id is not None:
        found = found.where(grants.c.member_id == member_id)
    if app_id is not None:
        found = found.where(grants.c.app_id == app_id)
    if ended is not None:
        going = and_(grants.c.ended_at.is_(None), apps.c.deleted_at.is_(None))
        found = found.where(not_(going) if ended else going)
    paged = keyset(found, grants.c, limit=limit, order=order, after=after, updated_after=updated_after)
    return [read_held(row) for row in await c.all(paged)]


async def live(c: Connection, workspace_id: str, member_ids: Collection[str], app_id: str | None = None) -> list[Grant]:
    """Return the grants of members that nobody has ended, for one app or for all."""
    own = and_(grants.c.workspace_id == workspace_id, grants.c.member_id.in_(member_ids), grants.c.ended_at.is_(None))
    found = select(grants).where(own if app_id is None else and_(own, grants.c.app_id == app_id))
    return [read(row) for row in await c.all(found.order_by(grants.c.created_at, grants.c.id))]


async def live_of_apps(c: Connection, workspace_id: str, app_ids: Collection[str], *, limit: int) -> list[Grant]:
    """Return grants for apps that nobody has ended, the oldest first."""
    own = and_(grants.c.workspace_id == workspace_id, grants.c.app_id.in_(app_ids), grants.c.ended_at.is_(None))
    return [read(row) for row in await c.all(select(grants).where(own).order_by(grants.c.created_at, grants.c.id).limit(limit))]


async def count_of_apps(c: Connection, workspace_id: str, app_ids: Collection[str]) -> dict[str, int]:
    """Return how many grants of a workspace for each of these apps nobody has ended; an app without any is missing."""
    own = and_(grants.c.workspace_id == workspace_id, grants.c.app_id.in_(app_ids), grants.c.ended_at.is_(None))
    counted = select(grants.c.app_id, func.count().label("grants")).where(own).group_by(grants.c.app_id)
    return {row.app_id: int(row.grants) for row in await c.all(counted)}


async def add(c: Connection, grant: Grant) -> None:
    """Add a grant. The one before it of the same member and app has ended."""
    scopes = list(grant.scopes)
    await c.execute(insert(grants).values(id=grant.id, workspace_id=grant.workspace_id, scopes=scopes, **_values(grant)))


async def widen(c: Connection, workspace_id: str, grant_id: str, scopes: Collection[str], at: int) -> None:
    """Save the scopes of a grant that goes on. Touch it."""
    own = and_(grants.c.workspace_id == workspace_id, grants.c.id == grant_id, grants.c.ended_at.is_(None))
    await c.execute(update(grants).where(own).values(scopes=list(scopes), updated_at=at))


async def end(c: Connection, workspace_id: str, grant_ids: Collection[str], *, at: int, by: str, reason: EndReason) -> int:
    """End grants that nobody has ended, and return how many. Touch each."""
    own = and_(grants.c.workspace_id == workspace_id, grants.c.id.in_(grant_ids), grants.c.ended_at.is_(None))
    return await c.execute(update(grants).where(own).values(ended_at=at, ended_by=by, end_reason=reason.value, updated_at=at))


def read(row: Row[Any]) -> Grant:
    """Return the grant in a row that holds all columns of its table."""
    of = row._mapping
    reason = of[grants.c.end_reason]
    return Grant(
        id=of[grants.c.id],
        workspace_id=of[grants.c.workspace_id],
        scopes=tuple(of[grants.c.scopes]),
        end_reason=EndReason(reason) if reason else None,
        **{name: of[grants.c[name]] for name in _SAME},
    )


def everywhere(*columns: ColumnElement[Any] | Table) -> Select[Any]:
    """Return the statement that `read_held` reads the rows of, with their workspaces and further columns: for `lookup`."""
    joined = joined_with_holders().join(workspaces, workspaces.c.id == grants.c.workspace_id)
    return select(grants, apps, members, people.c.name, people.c.email, rights_rows.roles_of(members), workspaces, *columns).select_from(
        joined
    )


def read_held(row: Row[Any]) -> HeldGrant:
    """Return the grant in a row with its app and who gave it."""
    of = row._mapping
    member = member_rows.read(row) if of[members.c.id] is not None else None
    return HeldGrant(read(row), app_rows.read(row), of[people.c.name], of[people.c.email], member)


def joined_with_holders() -> Join:
    """Return grants with their apps, their people and, where they still are, their members."""
    own = and_(members.c.id == grants.c.member_id, members.c.workspace_id == grants.c.workspace_id)
    of_people = grants.join(apps, apps.c.id == grants.c.app_id).join(people, people.c.id == grants.c.person_id)
    return of_people.outerjoin(members, own)


def _held(workspace_id: str) -> Select[Any]:
    found = select(grants, apps, members, people.c.name, people.c.email, rights_rows.roles_of(members)).select_from(joined_with_holders())
    return found.where(grants.c.workspace_id == workspace_id)


def _values(grant: Grant) -> dict[str, Any]:
    return {"end_reason": grant.end_reason.value if grant.end_reason else None, **{name: getattr(grant, name) for name in _SAME}}
