"""Personal tokens: a member's credentials in one workspace. A token reaches what it was given and its member may do at that moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from keyrack.model.members import Member
from keyrack.model.permissions import Category, Rights
from keyrack.model.refusals import TOKEN_EXPIRED, TOKEN_REVOKED, Refusal
from keyrack.model.times import iso
from keyrack.model.workspaces import Workspace

DEFAULT_NAME = "Default token"
NAMED_DAYS, NAMED_DAYS_MAX = 90, 365
"""How long a named token works where nobody says, and at most. The default token has no last day: it ends when the next is generated."""

NAMED_MAX = 50
"""How many named tokens a member has at once in one workspace, expired ones included."""


class EndReason(StrEnum):
    """Why a token ended."""

    REVOKED = "revoked"
    REPLACED = "replaced"
    MAKER_ENDED = "maker_ended"
    API_ACCESS_REMOVED = "api_access_removed"
    MEMBER_DEACTIVATED = "member_deactivated"
    MEMBER_REMOVED = "member_removed"
    LEAKED = "leaked"


_WHY = {
    EndReason.REVOKED: "{by} revoked it",
    EndReason.REPLACED: "{by} generated a new one",
    EndReason.MAKER_ENDED: "the token that it was made with ended, by {by}",
    EndReason.API_ACCESS_REMOVED: "{by} took away its member's right to use the API",
    EndReason.MEMBER_DEACTIVATED: "{by} deactivated its member",
    EndReason.MEMBER_REMOVED: "its member left, or was removed, by {by}",
    EndReason.LEAKED: "it was revoked because it has leaked, as {by} told",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One personal token. Times are milliseconds since the epoch.

    Each member has at most one default token at a time, whose `rights` are None: it reaches all that the member may do. Those of a named
    one were chosen. `prefix` and `digest` are as a key's. `made_with` is the token that made this one, with which it ends.
    """

    id: str
    workspace_id: str
    member_id: str
    person_id: str
    name: str
    is_default: bool
    prefix: str
    digest: bytes
    created_at: int
    updated_at: int
    rights: Rights | None = None
    expires_at: int | None = None
    made_with: str | None = None
    ended_at: int | None = None
    ended_by: str | None = None
    end_reason: EndReason | None = None
    api_version: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether somebody ended the token, for good. Expiry is another thing: nobody decided it."""
        return self.ended_at is not None

    def state(self, now: int) -> str:
        """The one word the list shows: active, expired or ended."""
        if self.has_ended:
            return "ended"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    def end(self, *, by: str, at: int, reason: EndReason) -> "Token":
        """Return this token ended."""
        return replace(self, ended_at=at, ended_by=by, end_reason=reason, updated_at=at)

    def why(self) -> str:
        """Say who ended the token, how and when, as a sentence for whoever still calls with it; empty where nobody did."""
        if self.ended_at is None or self.end_reason is None:
            return ""
        why = _WHY[self.end_reason].format(by=self.ended_by)
        return f"At {iso(self.ended_at)}, {why}."

    def reach(self, member: Rights, categories: Mapping[str, Category]) -> Rights:
        """Return what the token reaches while its member has these rights: never more than either has."""
        return member if self.rights is None else self.rights.within(member, categories)


@dataclass(frozen=True, slots=True)
class Held:
    """A token with who holds it. `member` is None where the person is no longer one."""

    token: Token
    name: str
    email: str
    member: Member | None

    @property
    def id(self) -> str:
        """The token's id."""
        return self.token.id

    @property
    def created_at(self) -> int:
        """When the token was made, in ms since the epoch."""
        return self.token.created_at

    def is_former(self, now: int) -> bool:
        """Whether whoever holds it is no active member at this moment: gone, deactivated, or over by the clock."""
        return self.member is None or not self.member.active(now)

    def is_accepted(self, now: int) -> bool:
        """Whether a call with the token is accepted, where the API of the workspace is on."""
        member = self.member
        return self.token.state(now) == "active" and member is not None and member.active(now) and member.may_use_api


@dataclass(frozen=True, slots=True)
class FoundToken(Held):
    """A token and all that decides what it may do, as one snapshot shows it.

    `space_ids` are all spaces of the workspace where the member holds the wildcard; `revision` is the newest that the snapshot has.
    """

    workspace: Workspace
    space_ids: tuple[str, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class HeldThere:
    """One of somebody's own tokens, with the workspace in which they hold it."""

    held: Held
    workspace: Workspace


def end_of(member: Member | None, expires_at: int | None) -> tuple[int | None, Refusal]:
    """Return when a token that acts for a member ends (ms): by itself, or with their access; and as what it is refused from then on."""
    access_until = None if member is None else member.access_until
    if access_until is not None and (expires_at is None or access_until <= expires_at):
        return access_until, TOKEN_REVOKED
    return expires_at, TOKEN_EXPIRED
