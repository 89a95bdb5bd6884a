"""Members of the workspace."""

from datetime import datetime
from typing import Any

from msgspec import UNSET

from keyrack.client.objects import Object, Perhaps, Permissions, SpaceRole, SpaceRoles, Time, changed, deleted, got, listed
from keyrack.client.operations import Listing, Operation, Part, S
from keyrack.client.requests import Request


class Member(Object, frozen=True, kw_only=True):
    """A member, with their rights."""

    id: str
    person_id: str
    name: str
    email: str
    role: str
    status: str
    may_use_api: bool
    partner: str | None
    access_until: datetime | None
    org_access: str
    permissions: dict[str, str]
    spaces: list[SpaceRole]
    created_at: datetime
    updated_at: datetime


class Members(Part[S]):
    """Members. Roles are changed by people who sign in."""

    def list(self, **filters: Any) -> Listing[S, Member]:
        """List members: `role`, `status`, `search`, `sort`, `updated_after`, `limit`, `cursor`, `starting_after`."""
        return Listing(self._sender, listed(Member, "members", **filters))

    @Operation
    def get(self, member_id: str) -> Request[Member]:
        """Get a member."""
        return got(Member, "members", member_id)

    @Operation
    def update(
        self,
        member_id: str,
        *,
        status: Perhaps[str] = UNSET,
        may_use_api: Perhaps[bool] = UNSET,
        partner: Perhaps[str | None] = UNSET,
        access_until: Perhaps[Time | None] = UNSET,
        org_access: Perhaps[str] = UNSET,
        permissions: Perhaps[Permissions] = UNSET,
        spaces: Perhaps[SpaceRoles] = UNSET,
    ) -> Request[Member]:
        """Change what a member may do, each field as a whole; what is not named stays as it is."""
        return changed(
            Member,
            "members",
            member_id,
            status=status,
            may_use_api=may_use_api,
            partner=partner,
            access_until=access_until,
            org_access=org_access,
            permissions=permissions,
            spaces=spaces,
        )

    @Operation
    def remove(self, member_id: str) -> Request[None]:
        """Let a member go."""
        return deleted("members", member_id)
