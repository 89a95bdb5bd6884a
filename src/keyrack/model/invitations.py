"""Invitations: offers to become a member, each through a link that works once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keyrack.model.members import Role
from keyrack.model.permissions import Rights, SpaceRole


@dataclass(frozen=True, slots=True)
class Invitation:
    """One offer to one email. Times are milliseconds since the epoch; `made_by` is the member, or the operator, who made it.

    Whoever accepts it gets the role and the rights; with `may_use_api` they may hold personal tokens.
    """

    id: str
    workspace_id: str
    email: str
    role: Role
    made_by: str
    made_by_name: str
    created_at: int
    expires_at: int
    rights: Rights = field(default_factory=Rights)
    accepted_at: int | None = None
    revoked_at: int | None = None
    may_use_api: bool = False

    @property
    def spaces(self) -> Mapping[str, SpaceRole]:
        """The roles in spaces that the new member gets, in as far as the spaces are still there."""
        return self.rights.spaces

    def state(self, now: int) -> str:
        """The one word the list shows: accepted, revoked, expired or open."""
        if self.accepted_at is not None:
            return "accepted"
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= now else "open"
