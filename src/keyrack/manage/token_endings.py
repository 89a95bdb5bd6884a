"""How personal tokens end, inside a change under way: alone, with the token that made them, or, as grants do, with their member's right."""

from collections.abc import Collection, Sequence
from typing import Any

from keyrack.manage import grants
from keyrack.manage import rights as choices
from keyrack.manage.change import Change
from keyrack.model.events import EventType
from keyrack.model.grants import EndReason as GrantEndReason
from keyrack.model.members import Member, MemberStatus
from keyrack.model.times import iso
from keyrack.model.tokens import EndReason, Token
from keyrack.store import tokens as rows

TOKEN_ENDED = EventType("token.ended", description="A personal token was ended for good.")


async def end(c: Change, tokens: Sequence[Token], *, by: str, reason: EndReason) -> list[Token]:
    """End tokens that nobody has ended, with those that were made with them. Returns all of them as they are now."""
    if not tokens:
        return []
    chosen = {token.id for token in tokens}
    made = [token for token in await rows.made_with(c.connection, c.workspace_id, chosen) if token.id not in chosen]
    ended = []
    for of_reason, why in ((tokens, reason), (made, EndReason.MAKER_ENDED)):
        ids = [token.id for token in of_reason]
        if ids:
            await rows.end(c.connection, c.workspace_id, ids, at=c.now, by=by, reason=why)
        ended += [token.end(by=by, at=c.now, reason=why) for token in of_reason]
    for token in ended:
        c.touch(token.id)
        c.record(TOKEN_ENDED, token.id, shown(token))
    return ended


async def end_of(c: Change, member_ids: Collection[str], *, by: str, reason: EndReason) -> list[Token]:
    """End all tokens of members, and the grants of apps that act for them. Returns the tokens."""
    await grants.end_of(c, member_ids, by=by, reason=GrantEndReason(reason.value))
    return await end(c, await rows.live(c.connection, c.workspace_id, member_ids), by=by, reason=reason)


async def end_of_changed(c: Change, before: Member, member: Member) -> None:
    """End the tokens of a member who may hold none any more."""
    if before.holds_tokens and not member.holds_tokens:
        inactive = member.status is not MemberStatus.ACTIVE
        reason = EndReason.MEMBER_DEACTIVATED if inactive else EndReason.API_ACCESS_REMOVED
        await end_of(c, [member.id], by=c.actor_name, reason=reason)


def shown(token: Token) -> dict[str, Any]:
    """What events tell of a token."""
    rights = None if token.rights is None else choices.shown(token.rights)
    return {
        "id": token.id,
        "name": token.name,
        "prefix": token.prefix,
        "member_id": token.member_id,
        "is_default": token.is_default,
        "rights": rights,
        "expires_at": None if token.expires_at is None else iso(token.expires_at),
        "end_reason": token.end_reason.value if token.end_reason else None,
    }
