"""What all operations share in the document: how to prove oneself, headers, parameters, and one answer for each status of refusals."""

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from keyrack.gate.problems import MEDIA_TYPE, Problems
from keyrack.model.calls import Call
from keyrack.model.refusals import Refusal

HEADERS = "#/components/headers/"
PARAMETERS = "#/components/parameters/"
RESPONSES = "#/components/responses/"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

# What only a signed-in person's browser is told, and what only the host's developers meet.
_ELSEWHERE = frozenset(
    {
        "session_ended",
        "sign_in_failed",
        "proof_required",
        "csrf_failed",
        "link_ended",
        "catalog_mismatch",
        "transaction_closed",
        "change_inside_transaction",
    }
)
# Any call may meet these; then those of calls that prove a caller, name a thing, or write.
_EVERY = (400, 410, 500, 503)
_PROVEN = (401, 403, 429)
_NAMING = (404,)
_WRITING = (409, 413, 422)
_EXAMPLE_ID = "req_019e5a1b2c3d4e5f6071800002a"

SECURITY_SCHEMES: Mapping[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer <key>`. A key, a personal token or an access token.",
    },
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same credential in a header of its own."},
    "api_token": {"type": "apiKey", "in": "header", "name": "x-api-token", "description": "The same credential under another name."},
}


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
_ON_STATUS = {401: ("WWW-Authenticate",), 429: ("Retry-After", *ON_PROVEN), 503: ("Retry-After",)}

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


def response_name(status: int) -> str:
    """Return the name of a status's shared answer: `TooManyRequests`."""
    return HTTPStatus(status).phrase.title().replace(" ", "")


class Answers:
    """What operations answer when they refuse. `refusals` are all that the host has, by their codes."""

    def __init__(self, refusals: Mapping[str, Refusal]) -> None:
        self._by_status: dict[int, list[Refusal]] = {}
        for one in refusals.values():
            if one.code not in _ELSEWHERE:
                self._by_status.setdefault(one.status, []).append(one)

    def of(self, status: int) -> list[Refusal]:
        """Return the refusals with this status that a program may meet."""
        return self._by_status.get(status, [])

    def statuses(self, method: str, *, proven: bool, names_something: bool) -> list[int]:
        """Return the statuses that an operation may be refused with."""
        found = [*_EVERY, *(_PROVEN if proven else ()), *(_NAMING if names_something else ()), *(_WRITING if method in WRITES else ())]
        return sorted(status for status in found if self.of(status))

    def responses(self, statuses: Iterable[int], base_url: str) -> dict[str, Any]:
        """Return the shared answers by name, each with an example of every refusal as the gate writes it."""
        problems = Problems(base_url)
        return {response_name(status): _response(status, self.of(status), problems) for status in sorted(statuses)}

    def problem(self) -> dict[str, Any]:
        """Return the schema of all of them."""
        codes = [one.code for found in self._by_status.values() for one in found]
        code = {**PROBLEM["properties"]["code"], "x-extensible-enum": codes}
        return {**PROBLEM, "properties": {**PROBLEM["properties"], "code": code}}


def headers(*names: str) -> dict[str, Any]:
    """Return references to shared headers."""
    return {name: {"$ref": HEADERS + name} for name in names}


def _response(status: int, found: Sequence[Refusal], problems: Problems) -> dict[str, Any]:
    examples = {one.code: {"summary": one.title, "description": one.remedy, "value": _problem(one, problems)} for one in found}
    codes = ", ".join(f"`{one.code}`" for one in found)
    return {
        "description": f"{HTTPStatus(status).phrase}: {codes}." if codes else HTTPStatus(status).phrase,
        "headers": headers(*ON_EVERY, *_ON_STATUS.get(status, ())),
        "content": {
            MEDIA_TYPE.decode(): {"schema": {"$ref": "#/components/schemas/Problem"}, **({"examples": examples} if examples else {})}
        },
    }


def _problem(refusal: Refusal, problems: Problems) -> Any:
    call = Call("POST", "/", _EXAMPLE_ID, 0, 0)
    return json.loads(problems.document(call, {}, refusal(refusal.title + ".")))
