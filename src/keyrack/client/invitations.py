"""Invitations."""

from datetime import datetime
from typing import Any

from msgspec import UNSET

from keyrack.client.objects import Object, Perhaps, Permissions, SpaceRole, SpaceRoles, deleted, got, listed, made
from keyrack.client.operations import Listing, Operation, Part, S
from keyrack.client.requests import Request


class Invitation(Object, frozen=True, kw_only=True):
    """An invitation."""

    id: str
    email: str
    role: str
    org_access: str
    permissions: dict[str, str]
    spaces: list[SpaceRole]
    may_use_api: bool
    state: str
    made_by: str
    made_by_name: str
    created_at: datetime
    expires_at: datetime


class Invited(Invitation, frozen=True, kw_only=True):
    """An invitation with its link, shown this once, and left out of the repr; None where it went by mail."""

    url: str | None


class Invitations(Part[S]):
    """Invitations. A link that does not go by mail is in what `create` and `renew` return, and nowhere else."""

    def list(self, **filters: Any) -> Listing[S, Invitation]:
        """List invitations: `open`, `sort`, `limit`, `cursor`, `starting_after`."""
        return Listing(self._sender, listed(Invitation, "invitations", **filters))

    @Operation
    def get(self, invitation_id: str) -> Request[Invitation]:
        """Get an invitation."""
        return got(Invitation, "invitations", invitation_id)

    @Operation
    def create(
        self,
        *,
        email: str,
        role: str = "member",
        org_access: Perhaps[str] = UNSET,
        permissions: Perhaps[Permissions] = UNSET,
        spaces: Perhaps[SpaceRoles] = UNSET,
        may_use_api: bool = False,
        idempotency_key: str | None = None,
    ) -> Request[Invited]:
        """Invite somebody. Rights that are not named are the role's own."""
        rights = {"org_access": org_access, "permissions": permissions, "spaces": spaces}
        who = {"email": email, "role": role, "may_use_api": may_use_api}
        return made(Invited, "invitations", idempotency_key=idempotency_key, **who, **rights)

    @Operation
    def renew(self, invitation_id: str, *, idempotency_key: str | None = None) -> Request[Invited]:
        """Give an invitation a new link for another week; the one before works no more."""
        return made(Invited, "invitations", invitation_id, "renew", idempotency_key=idempotency_key)

    @Operation
    def revoke(self, invitation_id: str) -> Request[None]:
        """Take an invitation back."""
        return deleted("invitations", invitation_id)
