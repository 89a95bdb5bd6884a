"""Examples of the management API, as they stand in its description and in the docs."""

from typing import Any

_MADE = {"made_by": "cl9bn00of0002g7l8a1b2c3d4", "made_by_name": "Robin Vale"}
_TIMES = {"created_at": "2026-05-26T17:21:09.412Z", "updated_at": "2026-05-26T17:21:09.412Z"}
_SPACE = "cl9bn00of0003g7l8e5f6a7b8"
_RIGHTS = {
    "org_access": "none",
    "permissions": {"customers": "write", "onboardings": "read"},
    "spaces": [{"space_id": _SPACE, "role": "contributor"}],
}

NEW_INTEGRATION: dict[str, Any] = {"name": "Support desk", **_RIGHTS}
INTEGRATION: dict[str, Any] = {
    "object": "integration",
    "id": "cl9bn00of0004g7l8c9d0e1f2",
    "name": "Support desk",
    "partner": None,
    **_RIGHTS,
    **_MADE,
    **_TIMES,
}
NEW_KEY: dict[str, Any] = {"name": "local-dev", "mode": "live"}
KEY: dict[str, Any] = {
    "object": "key",
    "id": "cl9bn00of0005g7l8a3b4c5d6",
    "name": "local-dev",
    "prefix": "atrium_abc1",
    "mode": "live",
    "state": "active",
    "enabled": True,
    "integration_id": INTEGRATION["id"],
    "integration_name": "Support desk",
    "org_access": "none",
    "permissions": _RIGHTS["permissions"],
    "ip_ranges": ["203.0.113.0/24"],
    "api_version": "2026-10-01",
    "expires_at": None,
    "last_used_at": "2026-05-26T18:02:41.007Z",
    "last_used_from": "203.0.113.7",
    "ends_at": None,
    "ended_by": None,
    "end_reason": None,
    "successor_id": None,
    **_MADE,
    **_TIMES,
}
ISSUED_KEY: dict[str, Any] = {**KEY, "last_used_at": None, "last_used_from": None, "secret": "atrium_REPLACE_ME"}
TOKEN: dict[str, Any] = {
    "object": "token",
    "id": "cl9bn00of0009g7l8b3c4d5e6",
    "name": "Zapier",
    "prefix": "atrium_pat_abc1",
    "state": "active",
    "is_default": False,
    "member_id": _MADE["made_by"],
    "member_name": "Robin Vale",
    "member_email": "robin@vml.example",
    "org_access": "none",
    "permissions": {"customers": "read"},
    "spaces": [],
    "api_version": "2026-10-01",
    "expires_at": "2026-08-24T17:21:09.412Z",
    "last_used_at": "2026-05-26T18:02:41.007Z",
    "last_used_from": "203.0.113.7",
    "made_with": None,
    "ended_at": None,
    "ended_by": None,
    "end_reason": None,
    **_TIMES,
}
NEW_TOKEN: dict[str, Any] = {"name": "Zapier", "permissions": {"customers": "read"}}
ISSUED_TOKEN: dict[str, Any] = {**TOKEN, "last_used_at": None, "last_used_from": None, "secret": "atrium_pat_REPLACE_ME"}
NEW_EMBED_KEY: dict[str, Any] = {
    "name": "Our website",
    "object_type": "chatbot",
    "object_id": "cl9bn00of000eg7l8b1c2d3e4",
    "origins": ["https://www.example.com"],
}
EMBED_KEY: dict[str, Any] = {
    "object": "embed_key",
    "id": "cl9bn00of000fg7l8c4d5e6f7",
    **NEW_EMBED_KEY,
    "key": "atrium_embed_4fXk2Qv8Lr1Tn6Yd3Wz9Bc7Hs5Jm0P2kX9aQ",
    "calls_per_minute": 30,
    "state": "active",
    "enabled": True,
    "last_used_at": "2026-05-26T18:02:41.007Z",
    "ended_at": None,
    "ended_by": None,
    "end_reason": None,
    "successor_id": None,
    **_MADE,
    **_TIMES,
}
IDENTITY: dict[str, Any] = {
    "object": "api_key_identity",
    "id": KEY["id"],
    "key_name": "local-dev",
    "key_prefix": "atrium_abc1",
    "org_id": "org_l9bn00of0000g7l8gcq8c4xk",
    "org_slug": "vml",
    "mode": "live",
    "integration_id": INTEGRATION["id"],
    "member_id": None,
    "member_name": None,
    "member_email": None,
    **_RIGHTS,
}
WORKSPACE: dict[str, Any] = {
    "object": "workspace",
    "id": IDENTITY["org_id"],
    "name": "VML",
    "slug": "vml",
    "plan": "team",
    "api_enabled": True,
    "revealing": False,
    **_TIMES,
}
MEMBERSHIP: dict[str, Any] = {
    "object": "membership",
    "id": IDENTITY["org_id"],
    "name": "VML",
    "slug": "vml",
    "is_current": True,
    "member_id": _MADE["made_by"],
    "role": "admin",
    "may_use_api": True,
}
MEMBER: dict[str, Any] = {
    "object": "member",
    "id": _MADE["made_by"],
    "person_id": "cl9bn00of0006g7l8e7f8a9b0",
    "name": "Robin Vale",
    "email": "robin@vml.example",
    "role": "admin",
    "status": "active",
    "may_use_api": True,
    "partner": None,
    "access_until": None,
    "org_access": "admin",
    "permissions": {},
    "spaces": [],
    **_TIMES,
}
SPACE: dict[str, Any] = {"object": "space", "id": _SPACE, "name": "Launch", "role": "manager", **_TIMES}
HOLDER: dict[str, Any] = {
    "object": "space_member",
    "id": INTEGRATION["id"],
    "kind": "integration",
    "name": "Support desk",
    "space_id": _SPACE,
    "role": "contributor",
}
NEW_INVITATION: dict[str, Any] = {
    "email": "mira@vml.example",
    "role": "member",
    "org_access": "none",
    "permissions": {"customers": "read"},
    "spaces": [],
    "may_use_api": True,
}
INVITATION: dict[str, Any] = {
    "object": "invitation",
    "id": "cl9bn00of0007g7l8c1d2e3f4",
    **NEW_INVITATION,
    "state": "open",
    **_MADE,
    "created_at": _TIMES["created_at"],
    "expires_at": "2026-06-02T17:21:09.412Z",
}
INVITED: dict[str, Any] = {**INVITATION, "url": "https://atrium.example/console/invitation#REPLACE_ME"}
EVENT: dict[str, Any] = {
    "object": "event",
    "id": "cl9bn00of0008g7l8a5b6c7d8",
    "type": "key.created",
    "object_type": "key",
    "object_id": KEY["id"],
    "actor": {"kind": "session", "id": _MADE["made_by"], "name": "Robin Vale", "integration_id": None, "member_id": _MADE["made_by"]},
    "mode": "live",
    "request_id": "req_019e5a1b2c3d4e5f6071800002a",
    "data": {"name": "local-dev", "mode": "live"},
    "created_at": _TIMES["created_at"],
    "deliveries": [
        {"delivery_id": "cl9bn00of000bg7l8e1f2a3b4", "endpoint_id": "cl9bn00of0009g7l8a7b8c9d0", "state": "succeeded", "why": None}
    ],
}
LOG: dict[str, Any] = {
    "object": "log",
    "id": EVENT["request_id"],
    "request_id": EVENT["request_id"],
    "path": "/api/v1/customers",
    "route": "/api/v1/customers",
    "method": "POST",
    "status": 403,
    "code": "insufficient_permission",
    "reason": "This needs customers:write; local-dev has customers:read.",
    "credential_kind": "key",
    "credential_id": KEY["id"],
    "credential_name": "local-dev",
    "integration_id": INTEGRATION["id"],
    "member_id": None,
    "app_id": None,
    "grant_id": None,
    "mode": "live",
    "ip_address": "203.0.113.7",
    "user_agent": "curl/8.5.0",
    "duration_ms": 1.4,
    "created_at": _TIMES["created_at"],
}
PORTAL_LINK: dict[str, Any] = {
    "object": "portal_link",
    "member_id": _MADE["made_by"],
    "origin": None,
    "url": "https://atrium.example/console/portal#REPLACE_ME",
    "created_at": _TIMES["created_at"],
    "expires_at": "2026-05-26T17:22:09.412Z",
}
