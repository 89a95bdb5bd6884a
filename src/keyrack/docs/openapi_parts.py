"""What all operations share in the document: how to prove oneself, headers, parameters, and what every refusal has."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keyrack.model.permissions import EMBED_KEY, VISITOR, Need

HEADERS = "#/components/headers/"
PARAMETERS = "#/components/parameters/"
RESPONSES = "#/components/responses/"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

SECURITY_SCHEMES: Mapping[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer <key>`. A key, a personal token or an access token.",
    },
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same credential in a header of its own."},
    "api_token": {"type": "apiKey", "in": "header", "name": "x-api-token", "description": "The same credential under another name."},
}
OF_PAGES: Mapping[str, Any] = {
    EMBED_KEY.declared: {
        "type": "apiKey",
        "in": "query",
        "name": "key",
        "description": "An embed key, which is public, on a page of its origins. No other credential may stand in an address.",
    },
    VISITOR.declared: {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer <token>`, beside the embed key in the address: the session of whoever looks at the page.",
    },
}
"""How a page of another origin proves itself, by the need that its operations declare."""


def schemes(needs: Iterable[Need | None]) -> dict[str, Any]:
    """Return the ways to prove oneself that operations with these needs take."""
    used = {need.declared for need in needs if need is not None}
    return {**SECURITY_SCHEMES, **{name: told for name, told in OF_PAGES.items() if name in used}}


def proofs(need: Need | None) -> list[dict[str, list[str]]]:
    """Return the ways to prove oneself to an operation: each of them by itself will do."""
    if need is None:
        return []
    names = [need.declared] if need.declared in OF_PAGES else list(SECURITY_SCHEMES)
    return [{name: []} for name in names]


def _text(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", **schema}}


def _number(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "integer", "minimum": 0}}


SHARED_HEADERS: Mapping[str, Any] = {
    "X-Request-Id": _text("The call's id: the same as its line's `request_id` in the request log."),
    "Api-Version": _text("The dated version at which the call was answered."),
    "RateLimit-Policy": _text('The limits that hold, with quota and window in seconds: `"workspace";q=1000;w=1`.'),
    "RateLimit": _text('What is left of each limit, and in how many seconds more comes: `"workspace";r=998;t=1`.'),
    "X-RateLimit-Limit": _number("The quota of the tightest limit."),
    "X-RateLimit-Remaining": _number("What is left of the tightest limit."),
    "X-RateLimit-Reset": _number("Seconds until more of the tightest limit comes."),
    "Retry-After": _number("Seconds to wait before the same call is worth another try."),
    "WWW-Authenticate": _text("How to prove oneself (RFC 6750), and what was wrong with what was sent."),
    "Link": _text('The address of the next page, where there is one: `<…>; rel="next"` (RFC 8288).'),
    "Deprecation": _text("Since when the version or the operation is deprecated (RFC 9745)."),
    "Sunset": _text("When the version or the operation ends (RFC 8594)."),
    "Idempotent-Replayed": _text("`true` where the answer is the stored one of an earlier call with the same `Idempotency-Key`."),
}
ON_EVERY = ("X-Request-Id", "Api-Version")
ON_ANSWERS = ("Deprecation", "Sunset")
ON_PROVEN = ("RateLimit-Policy", "RateLimit", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
ON_STATUS = {401: ("WWW-Authenticate",), 429: ("Retry-After", *ON_PROVEN), 503: ("Retry-After",)}

_PARAMETERS: Mapping[str, Any] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "A text of your own for this one call, best a random UUID like `8e03978e-40d5-43e8-bc93-6894a57f9324`. "
        "Sent again with it, within 24 hours, the call is done once: the stored answer comes back, "
        "or 409 `shown_once` where that held a secret.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r'^([!#-~][!-~]*|"([ !#-\[\]-~]|\\["\\])+")$'},
    },
}


def parameters(versions: Sequence[str]) -> dict[str, Any]:
    """Return the shared parameters of an API that has these versions, the newest last. The document tells of that one alone."""
    others = f" Older ones, which the changelog tells of: {', '.join(versions[:-1])}." if len(versions) > 1 else ""
    version = {
        "name": "Api-Version",
        "in": "header",
        "required": False,
        "description": "The dated version to be answered at; this document describes the newest. Without the header the version "
        f"counts that the key was pinned to when it was made.{others}",
        "schema": {"type": "string", "enum": [versions[-1]]},
        "example": versions[-1],
    }
    return {**_PARAMETERS, "ApiVersion": version}


PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "description": "Why a call was refused (RFC 9457), and what to do about it. Members may be added: read the ones that you know.",
    "required": [
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "code",
        "param",
        "doc_url",
        "request_id",
        "request_log_url",
        "retryable",
        "errors",
    ],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "The page that explains the code."},
        "title": {"type": "string", "description": "The refusal in a few words, the same each time."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The status of the answer."},
        "detail": {"type": "string", "description": "What was wrong with this very call."},
        "instance": {"type": "string", "format": "uri-reference", "description": "The call's line in the request log."},
        "code": {
            "type": "string",
            "description": "The refusal's name, for programs.",
        },
        "param": {"type": ["string", "null"], "description": "The field or parameter at fault."},
        "doc_url": {"type": "string", "format": "uri", "description": "The same page as `type`."},
        "request_id": {"type": "string", "description": "The call's id. Support will ask for it."},
        "request_log_url": {"type": "string", "format": "uri", "description": "The call's line in the console."},
        "retryable": {"type": "boolean", "description": "Whether the very same call may succeed later."},
        "errors": {
            "type": "array",
            "description": "Each fault of the input, where there are several.",
            "items": {
                "type": "object",
                "properties": {
                    "code": {"type": "string", "description": "What kind of fault it is."},
                    "param": {"type": ["string", "null"], "description": "The field or parameter at fault."},
                    "pointer": {"type": ["string", "null"], "description": "Where it stands in the body, as a JSON Pointer fragment."},
                    "detail": {"type": "string", "description": "What is wrong with it."},
                    "fix": {"type": ["string", "null"], "description": "What to send instead."},
                },
            },
        },
        "violated-policies": {
            "type": "array",
            "description": "With `rate_limited`: the limits that are used up.",
            "items": {"type": "string"},
        },
    },
}


def headers(*names: str) -> dict[str, Any]:
    """Return references to shared headers."""
    return {name: {"$ref": HEADERS + name} for name in names}
