"""Lines of the request log as a test needs them: whole, and each its own."""

from typing import Any

from keyrack.model.principals import Kind, Mode
from keyrack.model.request_logs import RequestLog
from keyrack.store.ids import RequestIds

NOW = 1_700_000_000_000
_ids = RequestIds()


def a_line(workspace_id: str | None = "org_acme", at: int = NOW, **fields: Any) -> RequestLog:
    """A call that listed customers with a key."""
    told: dict[str, Any] = {
        "path": "/api/v1/customers",
        "route": "/api/v1/customers",
        "method": "GET",
        "status": 200,
        "credential_kind": Kind.KEY,
        "credential_id": "key_1",
        "credential_name": "Production",
        "integration_id": "integration_1",
        "mode": Mode.LIVE,
        "ip_address": "203.0.113.7",
        "user_agent": "curl/8.5.0",
        "duration_us": 1234,
    }
    return RequestLog(request_id=_ids.new(at), created_at=at, workspace_id=workspace_id, **told | fields)
