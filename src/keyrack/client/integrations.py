"""Integrations, with the spaces that each reaches."""

from datetime import datetime
from typing import Any

from msgspec import UNSET

from keyrack.client.keys import IssuedKey
from keyrack.client.objects import (
    Object,
    Perhaps,
    Permissions,
    SpaceRole,
    SpaceRoles,
    changed,
    deleted,
    got,
    listed,
    made,
    page_reader,
    put,
)
from keyrack.client.operations import Listing, Operation, Page, Part, S
from keyrack.client.requests import Request, path_of, request_of


class Integration(Object, frozen=True, kw_only=True):
    """An integration, with its rights."""

    id: str
    name: str
    partner: str | None
    org_access: str
    permissions: dict[str, str]
    spaces: list[SpaceRole]
    made_by: str
    made_by_name: str
    created_at: datetime
    updated_at: datetime


class ReachedSpace(Object, frozen=True, kw_only=True):
    """A space that an integration has a role in; `id` is the space's."""

    id: str
    space_id: str
    role: str


class Integrations(Part[S]):
    """Integrations."""

    def list(self, **filters: Any) -> Listing[S, Integration]:
        """List integrations: `search`, `sort`, `updated_after`, `limit`, `cursor`, `starting_after`."""
        return Listing(self._sender, listed(Integration, "integrations", **filters))

    @Operation
    def get(self, integration_id: str) -> Request[Integration]:
        """Get an integration."""
        return got(Integration, "integrations", integration_id)

    @Operation
    def create(
        self,
        *,
        name: str,
        partner: str | None = None,
        org_access: Perhaps[str] = UNSET,
        permissions: Perhaps[Permissions] = UNSET,
        spaces: Perhaps[SpaceRoles] = UNSET,
        idempotency_key: str | None = None,
    ) -> Request[Integration]:
        """Create an integration with these rights and no other. It has no key yet."""
        fields = {"name": name, "partner": partner, "org_access": org_access, "permissions": permissions, "spaces": spaces}
        return made(Integration, "integrations", idempotency_key=idempotency_key, **fields)

    @Operation
    def update(
        self,
        integration_id: str,
        *,
        name: Perhaps[str] = UNSET,
        partner: Perhaps[str | None] = UNSET,
        org_access: Perhaps[str] = UNSET,
        permissions: Perhaps[Permissions] = UNSET,
        spaces: Perhaps[SpaceRoles] = UNSET,
    ) -> Request[Integration]:
        """Change an integration's name or rights, each as a whole; what is not named stays as it is."""
        fields = {"name": name, "partner": partner, "org_access": org_access, "permissions": permissions, "spaces": spaces}
        return changed(Integration, "integrations", integration_id, **fields)

    @Operation
    def delete(self, integration_id: str) -> Request[None]:
        """Delete an integration and end its keys."""
        return deleted("integrations", integration_id)

    @Operation
    def rotate(self, integration_id: str, *, mode: str = "live", idempotency_key: str | None = None) -> Request[IssuedKey]:
        """End all its keys of one mode at once, and get the one that takes their place."""
        return made(IssuedKey, "integrations", integration_id, "rotate", mode=mode, idempotency_key=idempotency_key)

    @Operation
    def spaces(self, integration_id: str) -> Request[Page[ReachedSpace]]:
        """Get the spaces that it has a role in, all on one page."""
        return listed(ReachedSpace, "integrations", integration_id, "spaces")

    @Operation
    def set_spaces(self, integration_id: str, spaces: SpaceRoles) -> Request[Page[ReachedSpace]]:
        """Say which spaces it has a role in: these and no others."""
        path = path_of("integrations", integration_id, "spaces")
        return request_of("PUT", path, page_reader(ReachedSpace), body={"spaces": spaces})

    @Operation
    def set_space(self, integration_id: str, space_id: str, role: str) -> Request[ReachedSpace]:
        """Give it a role in one space."""
        return put(ReachedSpace, "integrations", integration_id, "spaces", space_id, role=role)

    @Operation
    def remove_space(self, integration_id: str, space_id: str) -> Request[None]:
        """Take its role in one space away."""
        return deleted("integrations", integration_id, "spaces", space_id)
