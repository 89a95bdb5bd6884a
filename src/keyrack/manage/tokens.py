"""Personal tokens: find, generate, make and revoke them.

A member makes tokens where they signed in by themselves. Of credentials a default token alone makes others, and generates its successor:
what it makes ends with it, so that whoever held it keeps nothing. Nobody makes a token for anybody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, mint
from keyrack.manage import plans, token_endings
from keyrack.manage import rights as choices
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.key_bounds import refuse_past
from keyrack.manage.keys import refuse_haste
from keyrack.model.events import EventType
from keyrack.model.members import Member
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.permissions import Rights
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, NOT_FOUND
from keyrack.model.tokens import DEFAULT_NAME, NAMED_DAYS, NAMED_DAYS_MAX, NAMED_MAX, EndReason, Held, Token
from keyrack.store import credential_uses
from keyrack.store import members as member_rows
from keyrack.store import spaces as space_rows
from keyrack.store import tokens as rows
from keyrack.store.database import Connection
from keyrack.store.ids import new_id

TOKEN_CREATED = EventType("token.created", description="A member made a personal token.")
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Listed:
    """A token as one line of a page: who holds it, and its last use (ms)."""

    held: Held
    last_used_at: int | None = None
    last_used_from: str | None = None

    @property
    def id(self) -> str:
        """The token's id."""
        return self.held.id

    @property
    def created_at(self) -> int:
        """When the token was made, in ms since the epoch."""
        return self.held.created_at

    @property
    def token(self) -> Token:
        """The token itself."""
        return self.held.token


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token and its secret, which leaves here once, with the tokens that ended for it. The repr hides the secret."""

    held: Held
    secret: Secret
    ended: Sequence[Token] = ()


async def get(desk: Desk, actor: Principal, token_id: str) -> Listed:
    """Return a token, ended or not: one's own, or for an org-level Admin any of the workspace. Raises Refused 404."""
    async with desk.store.reading() as c:
        held = await rows.held(c, actor.workspace.id, token_id)
        if not await _may_see(c, actor, held.token):
            raise NOT_FOUND("There is no such token.")
    return (await with_uses(desk, actor.workspace.id, [held]))[0]


async def page(
    desk: Desk, actor: Principal, *, limit: int, after: Place | None = None, order: Order = NEWEST, **filters: Any
) -> list[Listed]:
    """Return tokens in an order: for an org-level Admin those of the workspace, for everybody else their own.

    `filters` are `member_id`, `partner`, `former`, `ended`, `search` and `updated_after`, as `keyrack.store.tokens.page` knows them. A
    named token sees itself alone, unless it reaches org-level Admin; keys have no tokens, and apps see none.
    """
    async with desk.store.reading() as c:
        if not actor.is_admin:
            if actor.member_id is None or actor.kind is Kind.ACCESS_TOKEN or filters.get("member_id") not in (None, actor.member_id):
                return []
            filters["member_id"] = actor.member_id
            filters["only_id"] = actor.credential_id if await _is_named(c, actor) else None
        found = await rows.page(c, actor.workspace.id, now=desk.now(), limit=limit, after=after, order=order, **filters)
    return await with_uses(desk, actor.workspace.id, found)


async def own(desk: Desk, session: Principal) -> list[Listed]:
    """Return the tokens of a signed-in member here that nobody has ended, the default one first. Raises Refused 404."""
    async with desk.store.reading() as c:
        member = await member_rows.get(c, session.workspace.id, session.member_id or "")
        found = await rows.live(c, session.workspace.id, [member.id])
    return await with_uses(desk, session.workspace.id, [Held(token, member.name, member.email, member) for token in found])


async def generate(desk: Desk, actor: Principal, *, end_named: bool = True) -> Issued:
    """Make the actor's default token, which reaches all that they may do. When this returns, the one before is refused everywhere.

    With `end_named` so are the named ones; those that the default token made end with it in any case. Of two at once, one default token
    goes on. Raises Refused 403 as `create` does.
    """
    refuse_haste(desk, actor)
    async with change(desk, actor) as c:
        member = await _maker(desk, c, actor)
        live = await rows.live(c.connection, c.workspace_id, [member.id])
        before = [token for token in live if token.is_default or end_named]
        ended = await token_endings.end(c, before, by=member.name, reason=EndReason.REPLACED)
        return replace(await _issue(desk, c, member, Token(**_new(c, member), name=DEFAULT_NAME, is_default=True)), ended=ended)


async def create(desk: Desk, actor: Principal, *, name: str, rights: Rights, expires_at: int | None = None) -> Issued:
    """Make a named token, which reaches these rights as far as its member has them. It works for 90 days unless another end is given.

    Raises Refused: 403 for anybody but a member who may use the API, where they signed in by themselves or call with their default token,
    for more rights than they have, and `plan_upgrade_required`; 409 for a member with 50 named tokens; 404 for an unknown space; 400 for
    no rights at all, a category that has no level, or an end that is over or more than a year away.
    """
    refuse_haste(desk, actor)
    chosen = choices.checked(desk, actor, rights)
    if chosen.reach_nothing:
        raise INVALID_REQUEST("Say what the token may do: a permission, a role in a space or an org-level access.", param="permissions")
    async with change(desk, actor) as c:
        member = await _maker(desk, c, actor)
        if await rows.count_named(c.connection, c.workspace_id, member.id) >= NAMED_MAX:
            raise CONFLICT(f"You have {NAMED_MAX} named tokens here, with those that have expired: revoke one that nothing uses.")
        await _require_spaces(c, chosen)
        made_with = actor.credential_id if actor.kind is Kind.PERSONAL_TOKEN else None
        bounds: dict[str, Any] = {"rights": chosen, "expires_at": _end(expires_at, c.now), "made_with": made_with}
        return await _issue(desk, c, member, Token(**_new(c, member), name=name, is_default=False, **bounds))


async def revoke(desk: Desk, actor: Principal, token_id: str) -> Token:
    """End a token for good, with those that it made: one's own, or for an org-level Admin any of the workspace.

    When this returns, it is refused everywhere; so it is when it had ended before. A named token ends itself alone. Raises Refused 404.
    """
    async with change(desk, actor) as c:
        token = await rows.get(c.connection, actor.workspace.id, token_id)
        if not await _may_see(c.connection, actor, token):
            raise NOT_FOUND("There is no such token.")
        if token.has_ended:
            c.found_done()
            return token
        return (await token_endings.end(c, [token], by=actor.credential_name, reason=EndReason.REVOKED))[0]


async def with_uses(desk: Desk, workspace_id: str, found: Sequence[Held]) -> list[Listed]:
    """Return tokens of one workspace with their last uses."""
    async with desk.store.reading_traffic() as c:
        uses = await credential_uses.of(c, workspace_id, [one.id for one in found])
    listed = []
    for one in found:
        use = uses.get(one.id)
        served = replace(one, token=replace(one.token, api_version=desk.versions.of_pin(one.token.api_version)))
        listed.append(Listed(served, use.used_at if use else None, use.ip_address if use else None))
    return listed


async def _may_see(c: Connection, actor: Principal, token: Token) -> bool:
    """Whether a token is the actor's to see and to revoke. What has another owner looks like a missing one."""
    if actor.is_admin:
        return True
    if actor.member_id is None or actor.member_id != token.member_id or actor.kind is Kind.ACCESS_TOKEN:
        return False
    return actor.credential_id == token.id or not await _is_named(c, actor)


async def _is_named(c: Connection, actor: Principal) -> bool:
    return actor.kind is Kind.PERSONAL_TOKEN and not (await rows.get(c, actor.workspace.id, actor.credential_id)).is_default


async def _maker(desk: Desk, c: Change, actor: Principal) -> Member:
    """The member who makes a token. Raises Refused 403 for anybody else, and where they may not use the API."""
    if not desk.brand.personal_tokens:
        raise NOT_FOUND(f"{desk.brand.name} has no personal tokens.")
    if actor.kind is Kind.PERSONAL_TOKEN:
        calling = await rows.get(c.connection, c.workspace_id, actor.credential_id)
        if calling.has_ended or not calling.is_default:
            raise INSUFFICIENT_PERMISSION("Of credentials only a member's default token makes tokens: sign in to the console.")
    elif not actor.decides_roles or actor.member_id is None:
        raise INSUFFICIENT_PERMISSION("A personal token is made by its member: sign in to the console by yourself.")
    await plans.require_api(desk, c)
    member = await member_rows.get(c.connection, c.workspace_id, actor.member_id or "")
    if not member.active(c.now) or not member.may_use_api:
        raise INSUFFICIENT_PERMISSION("You may not use the API here. An owner or admin can let you.")
    return member


def _new(c: Change, member: Member) -> dict[str, Any]:
    """What every new token has. Prefix and digest come with its secret."""
    own_fields = {"workspace_id": member.workspace_id, "member_id": member.id, "person_id": member.person_id}
    return {"id": new_id(), **own_fields, "prefix": "", "digest": b"", "created_at": c.now, "updated_at": c.now}


async def _issue(desk: Desk, c: Change, member: Member, token: Token) -> Issued:
    secret = mint(desk.brand.token_prefix)
    made = replace(token, prefix=secret.shown_prefix, digest=digest(secret.text.encode()), api_version=desk.versions.newest)
    await rows.add(c.connection, made)
    c.record(TOKEN_CREATED, made.id, token_endings.shown(made))
    return Issued(Held(made, member.name, member.email, member), secret)


def _end(expires_at: int | None, now: int) -> int:
    if expires_at is None:
        return now + NAMED_DAYS * DAY_MS
    refuse_past(expires_at, now)
    if expires_at > now + NAMED_DAYS_MAX * DAY_MS:
        raise INVALID_REQUEST(f"A named token works for {NAMED_DAYS_MAX} days at most.", param="expires_at")
    return expires_at


async def _require_spaces(c: Change, rights: Rights) -> None:
    known = await space_rows.page(c.connection, c.workspace_id, limit=choices.SPACES_MAX, within=list(rights.spaces))
    if len(known) != len(rights.spaces):
        raise NOT_FOUND("There is no such space.", param="spaces")
