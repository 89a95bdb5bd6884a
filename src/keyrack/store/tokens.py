"""Personal tokens as rows. Those that ended stay, also when their member is gone."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Join, Row, Select, and_, func, insert, not_, or_, select, update

from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.permissions import Level, OrgAccess, Rights, SpaceRole
from keyrack.model.refusals import NOT_FOUND
from keyrack.model.tokens import EndReason, Held, Token
from keyrack.store import members as member_rows
from keyrack.store import rights as rights_rows
from keyrack.store.database import Connection
from keyrack.store.paging import keyset
from keyrack.store.tables import members, people, workspaces
from keyrack.store.token_tables import tokens

_HELD = (tokens, members, people.c.name, people.c.email)


async def get(c: Connection, workspace_id: str, token_id: str) -> Token:
    """Return a token, ended or not. Raises Refused `not_found`."""
    row = await c.first(select(tokens).where(tokens.c.workspace_id == workspace_id, tokens.c.id == token_id))
    if row is None:
        raise NOT_FOUND("There is no such token.")
    return read(row)


async def held(c: Connection, workspace_id: str, token_id: str) -> Held:
    """Return a token with who holds it. Raises Refused `not_found`."""
    row = await c.first(_held(workspace_id).where(tokens.c.id == token_id))
    if row is None:
        raise NOT_FOUND("There is no such token.")
    return read_held(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    now: int,
    limit: int,
    after: Place | None = None,
    member_id: str | None = None,
    partner: str | None = None,
    former: bool | None = None,
    ended: bool | None = None,
    search: str | None = None,
    only_id: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[Held]:
    """Return tokens with who holds them, in an order.

    `former` chooses those of people who are no active member at `now`, or the others; `ended` those that somebody ended, or the others;
    `search` is part of a name (the token's or the person's) or of an email, or what a prefix begins with; `partner` the label of a member.
    """
    found = _held(workspace_id)
    if only_id is not None:
        found = found.where(tokens.c.id == only_id)
    if member_id is not None:
        found = found.where(tokens.c.member_id == member_id)
    if partner is not None:
        found = found.where(members.c.partner == partner)
    if former is not None:
        found = found.where(member_rows.is_former(now) if former else not_(member_rows.is_former(now)))
    if ended is not None:
        found = found.where(tokens.c.ended_at.is_not(None) if ended else tokens.c.ended_at.is_(None))
    if search:
        parts = (column.icontains(search, autoescape=True) for column in (tokens.c.name, people.c.name, people.c.email))
        found = found.where(or_(*parts, tokens.c.prefix.startswith(search, autoescape=True)))
    paged = keyset(found, tokens.c, limit=limit, order=order, after=after, updated_after=updated_after)
    return [read_held(row) for row in await c.all(paged)]


async def live(c: Connection, workspace_id: str, member_ids: Collection[str]) -> list[Token]:
    """Return the tokens of members that nobody has ended, the default one first. Each has NAMED_MAX + 1 at most."""
    own = and_(tokens.c.workspace_id == workspace_id, tokens.c.member_id.in_(member_ids), tokens.c.ended_at.is_(None))
    ordered = select(tokens).where(own).order_by(tokens.c.is_default.desc(), tokens.c.created_at.desc(), tokens.c.id.desc())
    return [read(row) for row in await c.all(ordered)]


async def made_with(c: Connection, workspace_id: str, token_ids: Collection[str]) -> list[Token]:
    """Return the tokens that were made with these and that nobody has ended."""
    own = and_(tokens.c.workspace_id == workspace_id, tokens.c.made_with.in_(token_ids), tokens.c.ended_at.is_(None))
    return [read(row) for row in await c.all(select(tokens).where(own))]


async def count_named(c: Connection, workspace_id: str, member_id: str) -> int:
    """Return how many named tokens of a member nobody has ended, those that have expired included."""
    own = and_(tokens.c.workspace_id == workspace_id, tokens.c.member_id == member_id, not_(tokens.c.is_default))
    row = await c.first(select(func.count().label("tokens")).select_from(tokens).where(own, tokens.c.ended_at.is_(None)))
    return int(row.tokens) if row else 0


async def add(c: Connection, token: Token) -> None:
    """Add a token. The default one of a member ends before the next is added."""
    await c.execute(insert(tokens).values(id=token.id, workspace_id=token.workspace_id, **_columns(token)))


async def end(c: Connection, workspace_id: str, token_ids: Collection[str], *, at: int, by: str, reason: EndReason) -> int:
    """End tokens that nobody has ended, and return how many. Touch each."""
    own = and_(tokens.c.workspace_id == workspace_id, tokens.c.id.in_(token_ids), tokens.c.ended_at.is_(None))
    return await c.execute(update(tokens).where(own).values(ended_at=at, ended_by=by, end_reason=reason.value, updated_at=at))


def read(row: Row[Any]) -> Token:
    """Return the token in a row that holds all columns of its table."""
    of = row._mapping
    reason, chosen = of[tokens.c.end_reason], of[tokens.c.rights]
    return Token(
        id=of[tokens.c.id],
        workspace_id=of[tokens.c.workspace_id],
        member_id=of[tokens.c.member_id],
        person_id=of[tokens.c.person_id],
        name=of[tokens.c.name],
        is_default=of[tokens.c.is_default],
        prefix=of[tokens.c.prefix],
        digest=of[tokens.c.digest],
        created_at=of[tokens.c.created_at],
        updated_at=of[tokens.c.updated_at],
        rights=None if chosen is None else _rights(chosen),
        expires_at=of[tokens.c.expires_at],
        made_with=of[tokens.c.made_with],
        ended_at=of[tokens.c.ended_at],
        ended_by=of[tokens.c.ended_by],
        end_reason=EndReason(reason) if reason else None,
        api_version=of[tokens.c.api_version],
    )


def everywhere(*columns: ColumnElement[Any]) -> Select[Any]:
    """Return the statement that `read_held` reads the rows of, with their workspaces and further columns: for `lookup`."""
    joined = _with_holders().join(workspaces, workspaces.c.id == tokens.c.workspace_id)
    return select(*_HELD, rights_rows.roles_of(members), workspaces, *columns).select_from(joined)


def read_held(row: Row[Any]) -> Held:
    """Return the token in a row with who holds it."""
    of = row._mapping
    member = member_rows.read(row) if of[members.c.id] is not None else None
    return Held(read(row), of[people.c.name], of[people.c.email], member)


def _held(workspace_id: str) -> Select[Any]:
    found = select(*_HELD, rights_rows.roles_of(members)).select_from(_with_holders())
    return found.where(tokens.c.workspace_id == workspace_id)


def _with_holders() -> Join:
    own = and_(members.c.id == tokens.c.member_id, members.c.workspace_id == tokens.c.workspace_id)
    return tokens.join(people, people.c.id == tokens.c.person_id).outerjoin(members, own)


def _rights(chosen: Any) -> Rights:
    return Rights(
        OrgAccess(chosen["org_access"]),
        {category: Level.of(word) for category, word in chosen["permissions"].items()},
        {space_id: SpaceRole(role) for space_id, role in chosen["spaces"].items()},
    )


def _columns(token: Token) -> dict[str, Any]:
    same = ("member_id", "person_id", "name", "is_default", "prefix", "digest", "created_at", "updated_at", "expires_at", "made_with")
    columns = {name: getattr(token, name) for name in (*same, "ended_at", "ended_by", "api_version")}
    columns["end_reason"] = token.end_reason.value if token.end_reason else None
    rights = token.rights
    if rights is not None:
        spaces = {space_id: role.value for space_id, role in rights.spaces.items()}
        columns["rights"] = rights_rows.columns(rights) | {"spaces": spaces}
    return columns
