"""The `webhooks` of the OpenAPI document: what is sent to endpoints, one for each event type, with the headers that prove it."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from keyrack.docs.openapi_schemas import PREFIX, tidy_one
from keyrack.manage.event_types import sample, schema_of
from keyrack.model.events import EventType, needed_for
from keyrack.model.permissions import Category

_ANSWERS: Mapping[str, Any] = {
    "2XX": {"description": "Taken. What the body of the answer says does not matter."},
    "410": {"description": "The receiver wants no more: the endpoint is disabled."},
    "default": {"description": "Not taken: it is sent again by the schedule. Redirects are not followed."},
}
_EXAMPLE: Mapping[str, Any] = {
    "timestamp": "2026-05-26T17:21:09.412Z",
    "object": "event",
    "id": "cl9bn00of0008g7l8a5b6c7d8",
    "mode": "live",
    "workspace_id": "org_l9bn00of0000g7l8gcq8c4xk",
    "actor": {"kind": "key", "id": "cl9bn00of0005g7l8a3b4c5d6", "name": "local-dev"},
    "request_id": "req_019e5a1b2c3d4e5f6071800002a",
}
_ID = {"type": "string", "description": "The object's id."}
_KIND = {"type": "string", "description": "What kind of object it is."}

SCHEMAS: Mapping[str, Any] = {
    "WebhookEvent": {
        "type": "object",
        "description": "What is sent to an endpoint: an event. Members may be added: read the ones that you know.",
        "required": ["type", "timestamp", "object", "id", "mode", "workspace_id", "actor", "request_id", "data"],
        "properties": {
            "type": {"type": "string", "description": "What happened."},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "object": {"const": "event", "description": "What kind of object this is."},
            "id": {"type": "string", "description": "The event's id, the same for all endpoints."},
            "mode": {"enum": ["live", "test"], "description": "Whether a live or a test call caused it."},
            "workspace_id": {"type": "string", "description": "The workspace in which it happened."},
            "actor": {
                "type": "object",
                "description": "Who did it, under the name they had then.",
                "required": ["kind", "id", "name"],
                "properties": {
                    "kind": {"type": "string", "description": "What kind of credential proved them."},
                    "id": {"type": "string", "description": "The credential, or the member."},
                    "name": {"type": "string", "description": "Its name at that time."},
                },
            },
            "request_id": {"type": ["string", "null"], "description": "The call that caused it, as in the request log."},
            "data": {"type": "object", "description": "What it tells of, in the shape of the endpoint's version."},
            "truncated": {"type": "boolean", "description": "True: `data` would be too large, and is `object` and `id` alone: fetch it."},
        },
    },
    "TruncatedData": {
        "type": "object",
        "description": "What is sent of an object that is too large: fetch it.",
        "required": ["object", "id"],
        "properties": {"object": _KIND, "id": _ID},
    },
}


def _header(name: str, description: str, example: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "description": description, "schema": {"type": "string"}, "example": example}


PARAMETERS: Mapping[str, Any] = {
    "WebhookId": _header(
        "webhook-id", "The event's id, the same each time that it is sent: work each one in once.", "cl9bn00of0008g7l8a5b6c7d8"
    ),
    "WebhookTimestamp": _header(
        "webhook-timestamp",
        "When this attempt was signed, in seconds since the epoch. Refuse what is older than 5 minutes.",
        "1779816069",
    ),
    "WebhookSignature": _header(
        "webhook-signature",
        "Signatures, with blanks between them: `v1,` and HMAC-SHA256 of `id.timestamp.body` in base 64, or `v1a,` and ed25519.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}


def data_schemas(kinds: Iterable[EventType]) -> dict[str, Any]:
    """Return the schemas in which a host's events speak, by the names of their classes, as frameworks write them."""
    found: dict[str, Any] = {}
    for kind in kinds:
        if kind.schema is not None:
            schema = TypeAdapter(kind.schema).json_schema(mode="serialization", ref_template=PREFIX + "{model}")
            found |= {**schema.pop("$defs", {}), kind.schema.__name__: schema}
    return found


def webhooks(kinds: Mapping[str, EventType], categories: Mapping[str, Category], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a webhook for each event type. `names` are those of the document's schemas, by the ones that frameworks gave them."""
    return {name: {"post": _webhook(kind, categories, names)} for name, kind in sorted(kinds.items())}


def _webhook(kind: EventType, categories: Mapping[str, Category], names: Mapping[str, str]) -> dict[str, Any]:
    example = {"type": kind.name, **_EXAMPLE, "data": {"object": kind.name.split(".")[0], **sample(kind)}}
    described = kind.description or f"`{kind.name}` happened."
    return {
        "operationId": "on" + "".join(word.capitalize() for word in kind.name.replace("_", ".").split(".")),
        "summary": kind.name,
        "description": f"{described}\n\nTo be told of it, an endpoint needs {_marked(needed_for(kind, categories))}.",
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in PARAMETERS],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _sent(kind, names), "example": example}}},
        "responses": dict(_ANSWERS),
        "security": [],
    }


def _sent(kind: EventType, names: Mapping[str, str]) -> dict[str, Any]:
    raw = {"$ref": PREFIX + kind.schema.__name__} if kind.schema is not None else schema_of(kind)
    data = {"anyOf": [tidy_one(raw, names), {"$ref": PREFIX + "TruncatedData"}], "description": "What it tells of."}
    own = {"type": "object", "properties": {"type": {"const": kind.name, "description": "What happened."}, "data": data}}
    return {"allOf": [{"$ref": PREFIX + "WebhookEvent"}, own]}


def _marked(needed: str) -> str:
    return f"`{needed}`" if ":" in needed else needed
