"""Examples of apps, grants and what somebody holds, as they stand in the API's description and in the docs."""

from typing import Any

from keyrack.api.examples import KEY, MEMBER

_MADE = {"made_by": MEMBER["id"], "made_by_name": "Robin Vale"}
_TIMES = {"created_at": "2026-05-26T17:21:09.412Z", "updated_at": "2026-05-26T17:21:09.412Z"}
NEW_APP: dict[str, Any] = {
    "name": "Deal mirror",
    "redirect_uris": ["https://deals.example.com/oauth/callback"],
    "scopes": ["customers:read"],
}
APP: dict[str, Any] = {
    "object": "app",
    "id": "cl9bn00of000cg7l8a9b0c1d2",
    "name": "Deal mirror",
    "client_id": "cl9bn00of000dg7l8d3e4f5a6",
    "public": False,
    "redirect_uris": NEW_APP["redirect_uris"],
    "scopes": NEW_APP["scopes"],
    "own_scopes": [],
    "homepage_url": "https://deals.example.com",
    "partner": None,
    "secret_prefix": "atrium_ocs_abc1",
    "secret_made_at": "2026-05-26T17:21:09.412Z",
    "grants": 2,
    **_MADE,
    **_TIMES,
}
ISSUED_APP: dict[str, Any] = {**APP, "grants": 0, "secret": "atrium_ocs_REPLACE_ME"}
UNINSTALLED: dict[str, Any] = {"object": "uninstallation", "app_id": APP["id"], "grants_ended": 2}
GRANT: dict[str, Any] = {
    "object": "grant",
    "id": "cl9bn00of000eg7l8b7c8d9e0",
    "app_id": APP["id"],
    "app_name": "Deal mirror",
    "member_id": MEMBER["id"],
    "member_name": "Robin Vale",
    "member_email": "robin@vml.example",
    "scopes": ["customers:read"],
    "state": "active",
    "last_used_at": "2026-05-26T18:02:41.007Z",
    "last_used_from": "203.0.113.7",
    "ended_at": None,
    "ended_by": None,
    "end_reason": None,
    **_TIMES,
}
KNOWN_KEY: dict[str, Any] = {
    **{name: KEY[name] for name in ("id", "name", "prefix", "mode", "integration_id", "made_by", "made_by_name", "created_at")},
    "object": "key_reference",
}
ACCESS: dict[str, Any] = {
    "object": "access",
    "member_id": None,
    "partner": "Northwind",
    "members": [MEMBER["id"]],
    "integrations": [],
    "tokens": 2,
    "grants": 1,
    "keys": 0,
    "known_keys": 1,
    "known": [KNOWN_KEY],
}
REVOCATION: dict[str, Any] = {"partner": "Northwind", "for_good": True}
