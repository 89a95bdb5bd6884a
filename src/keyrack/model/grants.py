"""Grants: a member's consent that an app acts for them in a workspace, and the codes and tokens that come of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from keyrack.model.apps import SPACES, App, levels_of, shared
from keyrack.model.members import Member
from keyrack.model.permissions import Category, Level, Rights, SpaceRole
from keyrack.model.times import iso
from keyrack.model.workspaces import Workspace

CODE_MS = 60 * 1000
"""How long a code waits for its use: it only passes through the browser's address bar."""

ACCESS_MS = 3600 * 1000
"""How long an access token works."""

REFRESH_IDLE_MS = 60 * 24 * 3600 * 1000
"""How long a refresh token waits for its use."""

REFRESH_MS = 365 * 24 * 3600 * 1000
"""How long tokens are refreshed at most, however often, before the member is asked anew."""


class EndReason(StrEnum):
    """Why a grant ended."""

    REVOKED = "revoked"
    UNINSTALLED = "uninstalled"
    APP_REVOKED = "app_revoked"
    CODE_REUSED = "code_reused"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    LEAKED = "leaked"
    API_ACCESS_REMOVED = "api_access_removed"
    MEMBER_DEACTIVATED = "member_deactivated"
    MEMBER_REMOVED = "member_removed"


_WHY = {
    EndReason.REVOKED: "{by} revoked the app's access",
    EndReason.UNINSTALLED: "{by} uninstalled the app, whoever had let it in",
    EndReason.APP_REVOKED: "the app gave its access back",
    EndReason.CODE_REUSED: "its authorization code was used a second time",
    EndReason.REFRESH_TOKEN_REUSED: "one of its refresh tokens was used a second time",
    EndReason.LEAKED: "one of its tokens was found where others can read it ({by})",
    EndReason.API_ACCESS_REMOVED: "{by} took away its member's right to use the API",
    EndReason.MEMBER_DEACTIVATED: "{by} deactivated its member",
    EndReason.MEMBER_REMOVED: "its member left, or was removed, by {by}",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What one member lets one app do in one workspace. Times are ms since the epoch. Each has at most one at a time that goes on."""

    id: str
    workspace_id: str
    app_id: str
    member_id: str
    person_id: str
    scopes: tuple[str, ...]
    created_at: int
    updated_at: int
    ended_at: int | None = None
    ended_by: str | None = None
    end_reason: EndReason | None = None

    def end(self, *, by: str, at: int, reason: EndReason) -> "Grant":
        """Return this grant ended."""
        return replace(self, ended_at=at, ended_by=by, end_reason=reason, updated_at=at)

    def why(self) -> str:
        """Say how the grant ended, as a sentence for whoever still calls with a token of it; empty where it goes on."""
        if self.ended_at is None or self.end_reason is None:
            return ""
        return f"At {iso(self.ended_at)}, {_WHY[self.end_reason].format(by=self.ended_by)}."


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code: used once, by the app that asked, with the verifier to its challenge."""

    digest: bytes = field(repr=False)
    workspace_id: str
    grant_id: str
    app_id: str
    redirect_uri: str
    challenge: str = field(repr=False)
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    used_at: int | None = None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What gets the next access token, once: its successor comes with that. `ends_at` is when the last successor expires at the latest."""

    digest: bytes = field(repr=False)
    workspace_id: str
    grant_id: str
    app_id: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    ends_at: int
    used_at: int | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What an app calls with, for an hour."""

    id: str
    digest: bytes = field(repr=False)
    prefix: str
    workspace_id: str
    grant_id: str
    app_id: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A grant with its app, and with who gave it. `member` is None where the person is no longer one."""

    grant: Grant
    app: App
    name: str
    email: str
    member: Member | None

    @property
    def id(self) -> str:
        """The grant's id."""
        return self.grant.id

    @property
    def is_live(self) -> bool:
        """Whether the app may still act by it, where its member may use the API."""
        return self.grant.ended_at is None and self.app.deleted_at is None

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the member let the app do, as far as the app still asks for it."""
        return shared(self.grant.scopes, self.app.scopes)

    @property
    def state(self) -> str:
        """The one word the list shows: active or ended, also with its app."""
        return "active" if self.is_live else "ended"

    def is_former(self, now: int) -> bool:
        """Whether whoever gave it is no active member at this moment: gone, deactivated, or over by the clock."""
        return self.member is None or not self.member.active(now)

    def is_accepted(self, now: int) -> bool:
        """Whether a call under it is accepted, where the API of the workspace is on."""
        member = self.member
        return self.is_live and member is not None and member.active(now) and member.may_use_api


@dataclass(frozen=True, slots=True)
class FoundAccess(HeldGrant):
    """An access token and all that decides what it may do, as one snapshot shows it.

    `space_ids` are all spaces of the workspace where the member holds the wildcard; `revision` is the newest that the snapshot has.
    """

    token: AccessToken
    workspace: Workspace
    space_ids: tuple[str, ...]
    revision: int


def reach(scopes: Sequence[str], member: Rights, categories: Mapping[str, Category], space_ids: Collection[str]) -> Rights:
    """Return what an app reaches with these scopes while its member has these rights: never more than either, and never org-level access.

    `space_ids` are all spaces there are, where the member holds the wildcard.
    """
    asked = levels_of(scopes)
    flat = [one for one in categories.values() if not one.in_spaces]
    levels = {one.name: min(asked.get(one.name, Level.NONE), member.level(one)) for one in flat}
    roles: dict[str, SpaceRole] = {}
    bound = None if SPACES in {one.name for one in flat} else asked.get(SPACES)
    if bound:
        cap = SpaceRole.VIEWER if bound is Level.READ else SpaceRole.CONTRIBUTOR
        for space_id in {*member.spaces, *space_ids}:
            if role := member.role(space_id):
                roles[space_id] = min(role, cap, key=lambda one: one.rank)
    return Rights(permissions={name: level for name, level in levels.items() if level}, spaces=roles)
