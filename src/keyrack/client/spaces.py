"""Spaces, and who is in them."""

from datetime import datetime
from typing import Any

from keyrack.client.objects import Object, changed, deleted, got, listed, made, put
from keyrack.client.operations import Listing, Operation, Part, S
from keyrack.client.requests import Request


class Space(Object, frozen=True, kw_only=True):
    """A space. `role` is the caller's in it."""

    id: str
    name: str
    role: str | None
    created_at: datetime
    updated_at: datetime


class SpaceMember(Object, frozen=True, kw_only=True):
    """A member or an integration (`kind`) that has a role in a space; `id` is theirs."""

    id: str
    kind: str
    name: str
    space_id: str
    role: str


class Spaces(Part[S]):
    """Spaces."""

    def list(self, **filters: Any) -> Listing[S, Space]:
        """List the spaces that the caller can see: `search`, `sort`, `updated_after`, `limit`, `cursor`, `starting_after`."""
        return Listing(self._sender, listed(Space, "spaces", **filters))

    @Operation
    def get(self, space_id: str) -> Request[Space]:
        """Get a space."""
        return got(Space, "spaces", space_id)

    @Operation
    def create(self, *, name: str, idempotency_key: str | None = None) -> Request[Space]:
        """Create a space. The caller is its manager."""
        return made(Space, "spaces", name=name, idempotency_key=idempotency_key)

    @Operation
    def rename(self, space_id: str, name: str) -> Request[Space]:
        """Rename a space."""
        return changed(Space, "spaces", space_id, name=name)

    @Operation
    def delete(self, space_id: str) -> Request[None]:
        """Delete a space: nobody reaches what lies in it any more."""
        return deleted("spaces", space_id)

    def members(self, space_id: str, **filters: Any) -> Listing[S, SpaceMember]:
        """List who has a role in a space: `limit`, `cursor`, `starting_after`."""
        return Listing(self._sender, listed(SpaceMember, "spaces", space_id, "members", **filters))

    @Operation
    def set_role(self, space_id: str, holder_id: str, role: str) -> Request[SpaceMember]:
        """Give a member or an integration a role in a space."""
        return put(SpaceMember, "spaces", space_id, "members", holder_id, role=role)

    @Operation
    def remove_role(self, space_id: str, holder_id: str) -> Request[None]:
        """Take somebody's role in a space away."""
        return deleted("spaces", space_id, "members", holder_id)
