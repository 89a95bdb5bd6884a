"""What one person holds, in every workspace: seen, and ended, from any of them. Only by themselves, where they signed in."""

from collections.abc import Sequence
from dataclasses import dataclass

from keyrack.manage import people, token_endings, tokens
from keyrack.manage.change import change
from keyrack.manage.desk import Desk
from keyrack.model.members import Member
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, NOT_FOUND
from keyrack.model.tokens import EndReason, HeldThere, Token
from keyrack.model.workspaces import Workspace
from keyrack.store import lookup
from keyrack.store import tokens as rows

TOKENS_SHOWN_MAX = 1000


@dataclass(frozen=True, slots=True)
class There:
    """A workspace that somebody is in. `member` is who they are there, None for a caller who is no person."""

    workspace: Workspace
    member: Member | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class HeldIn:
    """The tokens that somebody holds in one workspace."""

    workspace: Workspace
    tokens: Sequence[tokens.Listed]


async def workspaces(desk: Desk, actor: Principal) -> list[There]:
    """Return the workspaces in which the caller may act.

    With a default token these are all of its member's; a named one was given less, and sees its own alone, as a key does.
    """
    here = actor.workspace.id
    if actor.kind is Kind.PERSONAL_TOKEN:
        async with desk.store.reading() as c:
            sees_all = (await rows.get(c, here, actor.credential_id)).is_default
        found = await people.workspaces_of_person(desk, actor.person_id or "")
        return [There(one.workspace, one.member, one.workspace.id == here) for one in found if sees_all or one.workspace.id == here]
    return [There(actor.workspace, None, True)]


async def held(desk: Desk, session: Principal) -> list[HeldIn]:
    """Return the tokens of the person behind a session that nobody has ended, by workspace. Raises Refused 403."""
    by_workspace: dict[str, list[HeldThere]] = {}
    for one in await _tokens(desk, session):
        by_workspace.setdefault(one.workspace.id, []).append(one)
    return [
        HeldIn(there[0].workspace, await tokens.with_uses(desk, workspace_id, [one.held for one in there]))
        for workspace_id, there in by_workspace.items()
    ]


async def find(desk: Desk, session: Principal, token_id: str) -> HeldThere:
    """Return one of the person's own tokens, in whatever workspace. Raises Refused 403, 404."""
    found = next((one for one in await _tokens(desk, session) if one.held.id == token_id), None)
    if found is None:
        raise NOT_FOUND("There is no such token.")
    return found


async def revoke(desk: Desk, session: Principal, token_id: str) -> Token:
    """End one of the person's own tokens: when this returns, it is refused everywhere. Raises Refused 403, 404."""
    chosen = await find(desk, session, token_id)
    await _end(desk, [chosen])
    return chosen.held.token


async def revoke_all(desk: Desk, session: Principal) -> int:
    """End every token that the person holds, workspace by workspace, and return how many there were. Raises Refused 403."""
    by_workspace: dict[str, list[HeldThere]] = {}
    for one in await _tokens(desk, session):
        by_workspace.setdefault(one.workspace.id, []).append(one)
    return sum([await _end(desk, chosen) for chosen in by_workspace.values()])


async def _tokens(desk: Desk, session: Principal) -> list[HeldThere]:
    if not session.decides_roles or session.person_id is None:
        raise INSUFFICIENT_PERMISSION("Sign in to the console by yourself to do this.")
    async with desk.store.reading() as c:
        return await lookup.tokens_of(c, session.person_id, TOKENS_SHOWN_MAX)


async def _end(desk: Desk, chosen: Sequence[HeldThere]) -> int:
    """End somebody's own tokens in one workspace, as the member that they are there."""
    there = chosen[0]
    acting = people.acting_as(desk, there.workspace, there.held.token.member_id, there.held.name)
    async with change(desk, acting) as c:
        # Read anew: another may have ended some of them since.
        live = await rows.live(c.connection, c.workspace_id, [there.held.token.member_id])
        wanted = {one.held.id for one in chosen}
        ended = await token_endings.end(c, [token for token in live if token.id in wanted], by=there.held.name, reason=EndReason.REVOKED)
        if not ended:
            c.found_done()
    return len(ended)
