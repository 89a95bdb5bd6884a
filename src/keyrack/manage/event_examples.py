"""Examples of what Keyrack's own events tell: what the functions called `shown` in this layer return."""

from collections.abc import Mapping
from typing import Any

_ID = "cl9bn00of0005g7l8a3b4c5d6"
_SPACE = "cl9bn00of0003g7l8e5f6a7b8"
_MEMBER = "cl9bn00of0002g7l8a1b2c3d4"
_RIGHTS: dict[str, Any] = {
    "org_access": "none",
    "permissions": {"customers": "write"},
    "spaces": [{"space_id": _SPACE, "role": "contributor"}],
}
_KEY: dict[str, Any] = {
    "id": _ID,
    "name": "local-dev",
    "prefix": "atrium_abc1",
    "mode": "live",
    "integration_id": "cl9bn00of0004g7l8c9d0e1f2",
    "expires_at": None,
    "ends_at": None,
    "enabled": True,
    "successor_id": None,
    "api_version": "2026-10-01",
}
_INTEGRATION: dict[str, Any] = {"id": "cl9bn00of0004g7l8c9d0e1f2", "name": "Support desk", "partner": None, **_RIGHTS}
_ENDPOINT: dict[str, Any] = {
    "id": "cl9bn00of0009g7l8a7b8c9d0",
    "description": "Our CRM",
    "integration_id": None,
    "app_id": None,
    "api_version": "2026-10-01",
    "parallel": 5,
    "in_order": False,
    "url": "https://crm.example.com/hooks/atrium",
    "events": ["customer.*"],
    "mode": "live",
    "signature": "v1",
    "header_names": [],
    "enabled": True,
    "disable_reason": None,
}
_INVITATION: dict[str, Any] = {
    "id": "cl9bn00of0007g7l8c1d2e3f4",
    "email": "mira@vml.example",
    "role": "member",
    **_RIGHTS,
    "may_use_api": False,
}
_TOKEN: dict[str, Any] = {
    "id": _ID,
    "name": "Zapier",
    "prefix": "atrium_pat_abc1",
    "member_id": _MEMBER,
    "is_default": False,
    "rights": {"org_access": "none", "permissions": {"customers": "read"}, "spaces": []},
    "expires_at": "2026-08-24T17:21:09.412Z",
    "end_reason": None,
}
_WORKSPACE: dict[str, Any] = {
    "id": "org_l9bn00of0000g7l8gcq8c4xk",
    "name": "VML",
    "slug": "vml",
    "plan": "team",
    "api_enabled": True,
    "revealing": False,
}

_APP: dict[str, Any] = {
    "id": "cl9bn00of000cg7l8a9b0c1d2",
    "name": "Deal mirror",
    "client_id": "cl9bn00of000dg7l8d3e4f5a6",
    "public": False,
    "redirect_uris": ["https://deals.example.com/oauth/callback"],
    "scopes": ["customers:read"],
    "own_scopes": [],
    "homepage_url": "https://deals.example.com",
    "partner": None,
}
_GRANT: dict[str, Any] = {"id": _ID, "app_id": _APP["id"], "member_id": _MEMBER, "scopes": ["customers:read"], "end_reason": None}
_EMBED_KEY: dict[str, Any] = {
    "id": _ID,
    "name": "Our website",
    "object_type": "chatbot",
    "object_id": "cl9bn00of000eg7l8b1c2d3e4",
    "calls_per_minute": 30,
    "successor_id": None,
    "key": "atrium_embed_4fXk2Qv8Lr1Tn6Yd3Wz9Bc7Hs5Jm0P2kX9aQ",
    "origins": ["https://www.example.com"],
    "enabled": True,
    "end_reason": None,
}
_PLACE: dict[str, Any] = {"found_in": "https://github.com/octocat/hello-world/blob/main/settings.py", "source": "content"}
_BY_NOUN: dict[str, dict[str, Any]] = {
    "app": _APP,
    "embed_key": _EMBED_KEY,
    "grant": _GRANT,
    "endpoint": _ENDPOINT,
    "integration": _INTEGRATION,
    "invitation": _INVITATION,
    "key": _KEY,
    "member": {
        "id": _MEMBER,
        "name": "Robin Vale",
        "role": "member",
        "status": "active",
        "may_use_api": True,
        "partner": None,
        "access_until": None,
        **_RIGHTS,
    },
    "space": {"id": _SPACE, "name": "Launch"},
    "token": _TOKEN,
    "workspace": _WORKSPACE,
}
_BY_NAME: dict[str, dict[str, Any]] = {
    "app.uninstalled": {
        **{name: _APP[name] for name in ("id", "name", "client_id", "scopes")},
        "reason": "revoked",
        "grant_id": _ID,
        "workspace_id": "org_l9bn00of0000g7l8gcq8c4xk",
        "person_id": "cl9bn00of0006g7l8e7f8a9b0",
    },
    "access.revoked": {
        "member_id": None,
        "partner": "Northwind",
        "tokens_ended": 2,
        "keys_ended": 1,
        "grants_ended": 0,
        "members_changed": 1,
    },
    "endpoint.disabled": _ENDPOINT | {"enabled": False, "disable_reason": "gone"},
    "endpoint.rotated": _ENDPOINT | {"overlap_seconds": 86_400},
    "integration.deleted": _INTEGRATION | {"keys_ended": 1, "endpoints_deleted": 0},
    "integration.rotated": _INTEGRATION | {"key_id": _ID, "keys_ended": 1},
    "invitation.accepted": _INVITATION | {"member_id": _MEMBER},
    "key.expires_soon": _KEY | {"expires_at": "2026-06-02T17:21:09.412Z", "days": 7},
    "app.secret_leaked": _APP | _PLACE,
    "app.token_leaked": {"id": _APP["id"], "name": _APP["name"], "prefix": "atrium_oat_abc1"} | _PLACE,
    "app.token_revoked": {"id": _APP["id"], "name": _APP["name"], "prefix": "atrium_oat_abc1"},
    "grant.leaked": _GRANT | {"end_reason": "leaked"} | _PLACE,
    "token.leaked": _TOKEN | {"end_reason": "leaked"} | _PLACE,
    "grant.ended": _GRANT | {"end_reason": "revoked"},
    "key.leaked": _KEY | _PLACE,
    "key.revealed": {"id": _ID, "name": "local-dev", "prefix": "atrium_abc1", "through_key_id": None},
    "member.portal_link_made": {"id": _MEMBER, "name": "Robin Vale", "origin": None},
    "person.identity_linked": {"id": "cl9bn00of0006g7l8e7f8a9b0", "issuer": "https://login.vml.example"},
    "person.password_changed": {"id": "cl9bn00of0006g7l8e7f8a9b0", "by_link": False},
    "person.password_link_made": {"id": "cl9bn00of0006g7l8e7f8a9b0", "member_id": _MEMBER},
    "person.renamed": {"id": "cl9bn00of0006g7l8e7f8a9b0", "name": "Robin Vale"},
    "space.role_removed": {"space_id": _SPACE, "holder_id": _MEMBER, "holder_name": "Robin Vale"},
    "space.role_set": {"space_id": _SPACE, "holder_id": _MEMBER, "holder_kind": "member", "holder_name": "Robin Vale", "role": "viewer"},
    "token.ended": _TOKEN | {"end_reason": "revoked"},
    "workspace.revealing_switched": {"id": "org_l9bn00of0000g7l8gcq8c4xk", "revealing": True, "destroyed": 0},
    "workspace.transferred": {"from_member_id": _MEMBER, "to_member_id": "cl9bn00of000ag7l8b1c2d3e4", "to_name": "Mira Ode"},
}


def example_of(name: str) -> Mapping[str, Any]:
    """Return what an event of one of our own types could tell."""
    return {"id": _ID} | (_BY_NAME.get(name) or _BY_NOUN.get(name.partition(".")[0]) or {})
