"""The request log."""

from datetime import datetime
from typing import Any

from keyrack.client.objects import Object, got, listed
from keyrack.client.operations import Listing, Operation, Part, S
from keyrack.client.requests import Request


class RequestLog(Object, frozen=True, kw_only=True):
    """One call. `reason` is the refusal in words."""

    id: str
    request_id: str
    path: str
    route: str | None
    method: str
    status: int
    code: str | None
    reason: str | None
    credential_kind: str | None
    credential_id: str | None
    credential_name: str | None
    integration_id: str | None
    member_id: str | None
    app_id: str | None
    grant_id: str | None
    mode: str | None
    ip_address: str | None
    user_agent: str | None
    duration_ms: float
    created_at: datetime


class RequestLogs(Part[S]):
    """The calls of the caller's integration; for an org-level Admin all of the workspace."""

    def list(self, **filters: Any) -> Listing[S, RequestLog]:
        """List calls: `path`, `method`, `status`, `credential_id`, `mode`, `since`, `until`, `sort`, and where a page begins."""
        return Listing(self._sender, listed(RequestLog, "logs", **filters))

    @Operation
    def get(self, request_id: str) -> Request[RequestLog]:
        """Get the line of one call, from the moment of its answer on."""
        return got(RequestLog, "logs", request_id)
