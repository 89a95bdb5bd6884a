"""What members let apps do."""

from datetime import datetime
from typing import Any

from keyrack.client.objects import Object, deleted, got, listed
from keyrack.client.operations import Listing, Operation, Part, S
from keyrack.client.requests import Request


class Grant(Object, frozen=True, kw_only=True):
    """What a member lets an app do."""

    id: str
    app_id: str
    app_name: str
    member_id: str
    member_name: str
    member_email: str
    scopes: list[str]
    state: str
    last_used_at: datetime | None
    last_used_from: str | None
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None
    created_at: datetime
    updated_at: datetime


class Grants(Part[S]):
    """What members let apps do: a client with a member's default token sees that member's, one of an org-level Admin all."""

    def list(self, **filters: Any) -> Listing[S, Grant]:
        """List grants: `member_id`, `app_id`, `partner`, `former`, `ended`, `search`, `sort`, `updated_after`, and those of each list."""
        return Listing(self._sender, listed(Grant, "grants", **filters))

    @Operation
    def get(self, grant_id: str) -> Request[Grant]:
        """Get a grant, also an ended one."""
        return got(Grant, "grants", grant_id)

    @Operation
    def revoke(self, grant_id: str) -> Request[None]:
        """End a grant for good. When this returns, every token under it is refused."""
        return deleted("grants", grant_id)
