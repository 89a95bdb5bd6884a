"""What fields and filters are said to be in the API's description: one text for a name, wherever it stands."""

from typing import Any

TAGS = (
    {"name": "me", "x-displayName": "Identity", "description": "Who is calling: what a credential says of itself."},
    {"name": "rate_limit", "x-displayName": "Rate limits", "description": "What is left of the limits of the caller. Free."},
    {"name": "usage", "x-displayName": "Usage", "description": "What was used of the workspace's plan. Free."},
    {"name": "workspace", "x-displayName": "Workspace", "description": "The workspace that the caller belongs to, and its API toggle."},
    {
        "name": "integrations",
        "x-displayName": "Integrations",
        "description": "Outside programs that the workspace lets in. Rights live on them; their keys only prove them.",
    },
    {"name": "keys", "x-displayName": "Keys", "description": "What integrations prove themselves with. Secrets are shown once."},
    {"name": "members", "x-displayName": "Members", "description": "The people of the workspace, and what they may do."},
    {"name": "invitations", "x-displayName": "Invitations", "description": "Asking people to become members."},
    {
        "name": "portal-links",
        "x-displayName": "Portal links",
        "description": "Handing a signed-in user of the host's over to the console.",
    },
    {"name": "spaces", "x-displayName": "Spaces", "description": "Named areas inside the workspace, and who is in them."},
    {"name": "events", "x-displayName": "Events", "description": "What happened in the workspace, and who did it: as far as the caller may read it."},
    {"name": "logs", "x-displayName": "Request log", "description": "Every call, answered or refused."},
)

FIELDS = {
    "actor": "Who did it, under the name they had then.",
    "api_enabled": "Whether credentials are accepted at all. Only a signed-in person switches it on again.",
    "api_version": "The version of the API that calls with the key are served at, unless they name another.",
    "app_id": "The app of an access token.",
    "auth_time": "When the host last saw the member prove who they are.",
    "burst": "How much may come at once.",
    "burst_remaining": "All that could be taken at this moment.",
    "code": "The refusal's code; null where the call was not refused.",
    "created_at": "When it was made.",
    "credential_id": "The credential that proved the caller.",
    "credential_kind": "What kind of credential proved the caller.",
    "credential_name": "The credential's name at that time.",
    "data": "What there is on this page.",
    "duration_ms": "From the call's head to its answer, in milliseconds.",
    "email": "The email address.",
    "enabled": "Whether the key is accepted. A disabled key can be enabled again.",
    "end_reason": "Why it ended.",
    "ended_by": "Whoever ended it.",
    "ends_at": "When it ends, or ended: in the future while a rotated key overlaps its successor.",
    "expires_at": "When it is accepted for the last time; null: it does not expire.",
    "grant_id": "The grant of an access token.",
    "has_more": "Whether another page follows.",
    "id": "The object's id. Ids begin with their time, so they sort.",
    "integration_id": "The integration that the key proves.",
    "integration_name": "The integration's name.",
    "ip_address": "The client's address.",
    "ip_ranges": "The addresses from which the key is accepted, as addresses or CIDR ranges; empty: from all.",
    "key_name": "The key's name.",
    "key_prefix": "The part of the secret that may be shown.",
    "kind": "What kind it is.",
    "last_used_at": "When it was last used; null: never.",
    "last_used_from": "The address from which it was last used.",
    "limit": "How much there is in all; null: no end is set.",
    "limits": "What was used of each limit.",
    "live": "What was used by live keys.",
    "made_by": "The id of whoever made it.",
    "made_by_name": "The name that whoever made it had then.",
    "may_use_api": "Whether the member may hold personal tokens.",
    "member_id": "The member.",
    "meters": "What was counted by each meter.",
    "method": "The HTTP method.",
    "mode": "Live or test. A test key changes the same data, and skips calls to the outside.",
    "name": "The name, for people.",
    "next_cursor": "What the next page is asked for with; null: this is the last one.",
    "next_url": "Where the next page is; null: this is the last one.",
    "object": "What kind of object this is.",
    "object_id": "The object that it happened to.",
    "object_type": "The kind of the object that it happened to.",
    "org_access": "Access to the workspace as a whole: none, reader (reads every category) or admin (writes them all, and manages).",
    "org_id": "The id of the caller's workspace.",
    "org_slug": "The short name of the caller's workspace.",
    "origin": "The origin of the page in whose frame the console may stand.",
    "overlap_seconds": "How long the old key goes on working beside its successor, in seconds; 0 ends it at once.",
    "partner": "The other company that the member belongs to, if any.",
    "path": "The path that was called.",
    "per": "Whose calls are counted together.",
    "permissions": 'Levels by category: none, read or write. All of them, also later ones: `{"*": "write"}`.',
    "person_id": "The person, who can be a member of several workspaces.",
    "plan": "The workspace's plan.",
    "policies": "The limits, and what is left of each.",
    "prefix": "The part of the secret that may be shown.",
    "quota": "How much comes back in the window.",
    "reason": "Why the call was refused, in words.",
    "remaining": "What is left.",
    "request_id": "The call's id, as in `X-Request-Id`.",
    "reset_at": "By when all of it is there again.",
    "reset_seconds": "In how many seconds more comes.",
    "revealing": "Whether the workspace keeps secrets of new keys, sealed, for admins who ask to see one again.",
    "role": "The role.",
    "route": "The path template that the call was decided by.",
    "searched_back_to": "How far back the search came before it stopped; null: all of the time was searched.",
    "secret": "The key itself, shown here, this once.",
    "slug": "The short name, for addresses.",
    "space_id": "The space.",
    "spaces": "Roles in spaces: viewer, contributor or manager. What lies in spaces is reached through them alone.",
    "state": "What it is at this moment.",
    "status": "The status.",
    "successor_id": "The key that took its place.",
    "test": "What was used by test keys; null where keys have no modes.",
    "title": "What people call it.",
    "type": "What happened.",
    "unit": "What is counted.",
    "updated_at": "When it was last changed.",
    "url": "Where to send the browser or the person, once.",
    "used": "What was used.",
    "user_agent": "What the client says that it is.",
    "valid_seconds": "How long the link works, in seconds.",
    "window": "Whether it is counted by the day or by the month.",
    "window_seconds": "In how many seconds the quota comes back.",
}

FILTERS = {
    "actor_id": "Only what this credential or member did.",
    "cursor": "Where the page begins: `next_cursor` of the page before, with the same filters.",
    "ended": "True for the keys that have ended, instead of those that go on.",
    "limit": "How many to return, 1 to 100.",
    "open": "True for those that wait, false for those that do not.",
    "path": "Whole segments of the path where it begins with a slash, else any part of path or route.",
    "search": "Part of the name.",
    "since": "From when on.",
    "until": "Up to when.",
    "updated_after": "Only what was changed at this moment or later.",
    "wait_seconds": "How long to wait for the next one where there is none, 0 to 20; with `sort=created_at`.",
    "credential_id": "Only the calls of this credential.",
    "integration_id": "Only those of this integration.",
    "method": "Only calls with this HTTP method.",
    "mode": "Only those of this mode.",
    "object_id": "Only what happened to this object.",
    "role": "Only those with this role.",
    "sort": "The order: by this field, and backwards with a minus before it.",
    "starting_after": "The id of the object after which the page begins, in place of a cursor.",
    "status": "Only those with this status.",
    "type": "Only what is of this type.",
}


def describe(schema: dict[str, Any], model: type[Any]) -> None:
    """Say of each field of a model's JSON schema what it is, and give the model's example: pydantic calls this."""
    for name, field in schema.get("properties", {}).items():
        if name in FIELDS:
            field.setdefault("description", FIELDS[name])
    example = vars(model).get("EXAMPLE")
    if example is not None:
        schema["examples"] = [example]


def name_filters(model: type[Any]) -> None:
    """Say of each parameter of a query model what it is."""
    for name, field in model.model_fields.items():
        if field.description is None:
            field.description = FILTERS.get(name)
