"""Members: people in a workspace. They carry the same three kinds of rights as integrations; their role sets the defaults."""

from dataclasses import dataclass, field
from enum import StrEnum

from keyrack.model.permissions import ALL, Level, OrgAccess, Rights


class Role(StrEnum):
    """What a member may do. The owner is an admin who alone may hand the workspace over."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"

    @property
    def default_rights(self) -> Rights:
        """The rights a new member of this role gets where nothing else is said."""
        if self is Role.MEMBER:
            return Rights(OrgAccess.READER)
        return Rights(OrgAccess.ADMIN, {ALL: Level.WRITE})


class MemberStatus(StrEnum):
    """An inactive member keeps their place and name, and is refused everywhere."""

    ACTIVE = "active"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a workspace. Times are milliseconds since the epoch; `access_until` ends the membership by the clock.

    `partner` says for which outside company somebody works here: a contractor, an agency.
    """

    id: str
    workspace_id: str
    person_id: str
    name: str
    email: str
    role: Role
    status: MemberStatus
    may_use_api: bool
    created_at: int
    updated_at: int
    rights: Rights = field(default_factory=Rights)
    access_until: int | None = None
    partner: str | None = None

    @property
    def invites(self) -> bool:
        """Whether the member may invite others: what they have offered ends when they may no longer."""
        return self.status is MemberStatus.ACTIVE and self.rights.org_access is OrgAccess.ADMIN

    @property
    def holds_tokens(self) -> bool:
        """Whether the member may hold personal tokens: those that they have end when they may no longer."""
        return self.status is MemberStatus.ACTIVE and self.may_use_api

    @property
    def has_rights(self) -> bool:
        """Whether the member may do anything at all: who joined a community by their own wish may not."""
        return self.rights != Rights()

    def active(self, now: int) -> bool:
        """Whether the member may act at this moment."""
        return self.status is MemberStatus.ACTIVE and (self.access_until is None or now < self.access_until)
