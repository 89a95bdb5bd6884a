"""Examples of endpoints, deliveries and event types, as they stand in the API's description and in the docs."""

from typing import Any

from keyrack.api.examples import EVENT, INTEGRATION

_TIMES = {"created_at": "2026-05-26T17:21:09.412Z", "updated_at": "2026-05-26T17:21:09.412Z"}
_URL = "https://crm.example.com/hooks/atrium"
NEW_ENDPOINT: dict[str, Any] = {"url": _URL, "description": "Our CRM", "events": ["*"]}
ENDPOINT: dict[str, Any] = {
    "object": "endpoint",
    "id": "cl9bn00of0009g7l8a7b8c9d0",
    "url": _URL,
    "description": "Our CRM",
    "events": ["*"],
    "mode": "live",
    "state": "active",
    "enabled": True,
    "disabled_at": None,
    "disable_reason": None,
    "integration_id": None,
    "app_id": None,
    "api_version": "2026-10-01",
    "header_names": ["X-Receiver"],
    "parallel": 5,
    "in_order": False,
    "signature": "v1",
    "signing_keys": [{"public_key": None, "ends_at": None}],
    "health": {"failing_since": None, "failures_in_row": 0, "succeeded_at": "2026-05-26T18:02:41.007Z", "failed_at": None},
    "made_by": INTEGRATION["made_by"],
    "made_by_name": INTEGRATION["made_by_name"],
    **_TIMES,
}
ISSUED_ENDPOINT: dict[str, Any] = {
    **ENDPOINT,
    "health": {"failing_since": None, "failures_in_row": 0, "succeeded_at": None, "failed_at": None},
    "secret": "whsec_REPLACE_ME",
}
EVENT_TYPE: dict[str, Any] = {
    "object": "event_type",
    "id": "key.revoked",
    "name": "key.revoked",
    "description": "A key was ended for good.",
    "category": None,
    "needs": "org-level Admin",
    "data_schema": {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}, "required": ["id", "name"]},
    "example": {"id": EVENT["object_id"], "name": "local-dev"},
}
DELIVERY: dict[str, Any] = {
    "object": "delivery",
    "id": "cl9bn00of000bg7l8e1f2a3b4",
    "endpoint_id": ENDPOINT["id"],
    "event_id": EVENT["id"],
    "event_type": EVENT["type"],
    "mode": "live",
    "state": "pending",
    "why": None,
    "attempt_count": 1,
    "next_attempt_at": "2026-05-26T17:21:14.912Z",
    **_TIMES,
}
ATTEMPT: dict[str, Any] = {
    "object": "attempt",
    "id": "cl9bn00of000cg7l8a5b6c7d8",
    "number": 1,
    "trigger": "schedule",
    "succeeded": False,
    "started_at": "2026-05-26T17:21:09.874Z",
    "duration_ms": 38,
    "address": "203.0.113.80",
    "error": None,
    "detail": None,
    "request": {
        "headers": {"content-type": "application/json", "webhook-id": EVENT["id"], "webhook-timestamp": "1779816069"},
        "body": '{"type":"key.created","timestamp":"2026-05-26T17:21:09.412Z","data":{"object":"key"}}',
    },
    "response": {"status": 503, "headers": {"retry-after": "5"}, "body": "Try again", "truncated": False},
}
WHOLE_DELIVERY: dict[str, Any] = {**DELIVERY, "attempts": [ATTEMPT]}
REPLAY: dict[str, Any] = {"object": "replay", "endpoint_id": ENDPOINT["id"], "since": "2026-05-26T17:00:00.000Z", "deliveries": 12}
