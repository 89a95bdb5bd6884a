"""Examples of connectors and their calls, as they stand in the API's description and in the docs."""

from typing import Any

from keyrack.api.examples import INTEGRATION

_TIMES = {"created_at": "2026-05-26T17:21:09.412Z", "updated_at": "2026-05-26T17:21:09.412Z"}

NEW_CONNECTOR: dict[str, Any] = {
    "vendor": "slack",
    "settings": {"token": "xoxb-REPLACE-ME-0000", "channel": "C0123456789"},
    "events": ["customer.created", "onboarding.created"],
}
CONNECTOR: dict[str, Any] = {
    "object": "connector",
    "id": "cl9bn00of000cg7l8d5e6f7a8",
    "vendor": "slack",
    "name": "Slack",
    "events": NEW_CONNECTOR["events"],
    "settings": {"channel": "C0123456789"},
    "tails": {"token": "…0000"},
    "state": "active",
    "enabled": True,
    "disable_reason": None,
    "problem": None,
    "made_by": INTEGRATION["made_by"],
    "made_by_name": INTEGRATION["made_by_name"],
    **_TIMES,
}
CONNECTOR_CHECK: dict[str, Any] = {
    "object": "connector_check",
    "id": CONNECTOR["id"],
    "ok": True,
    "detail": "Slack knows the token as atrium in Aurora.",
}
CONNECTOR_CALL: dict[str, Any] = {
    "object": "connector_call",
    "id": "cl9bn00of000dg7l8e6f7a8b9",
    "connector_id": CONNECTOR["id"],
    "event_id": "cl9bn00of0008g7l8a2b3c4d5",
    "event_type": "customer.created",
    "object_id": "cl9bn00of0000g7l8gcq8c4xk",
    "mode": "live",
    "state": "succeeded",
    "why": None,
    "trigger": "schedule",
    "attempts": 1,
    "due_at": None,
    "request": {"channel": "C0123456789", "text": "local-dev created the customer Aurora Outfitters (onboarding)."},
    "status": 200,
    "code": None,
    "detail": "Posted.",
    "vendor_object_id": "1763758800.000100",
    "duration_ms": 214,
    **_TIMES,
}
