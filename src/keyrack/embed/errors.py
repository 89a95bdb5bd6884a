"""What a framework raises, as refusals. Outside the guard the host's own handlers stay as they are."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response

from keyrack.embed.suggestions import meant
from keyrack.gate.bodies import body_cut_short
from keyrack.gate.transactions import refusal_of
from keyrack.model.calls import CURRENT
from keyrack.model.refusals import INVALID_REQUEST, Refusal, Refused, of_status
from keyrack.model.suggestions import NAME_LENGTH_MAX

Handler = Callable[[Any, Any], Awaitable[Response] | Response]
Translate = Callable[[HTTPConnection, Any], Refused | None]

# What pydantic says of a whole body that is text, a form or a list where a model reads an object.
_NO_OBJECT = ("model_attributes_type", "model_type", "dict_type")
# What it says of a field that a model, or a dataclass, has not.
_EXTRA = ("extra_forbidden", "unexpected_keyword_argument")


def install_handlers(app: Any, known: Mapping[str, Refusal]) -> None:
    """Have an app's refusals, validation errors, HTTP exceptions and its database's absence answered by the gate, inside the guard only.

    `known` are the refusals that have a page in the docs. A host that raises another one gets a LookupError, told as a crash.
    """
    own = dict(app.exception_handlers)
    app.add_exception_handler(Refused, _handler(lambda _, error: _documented(error, known), _raise))
    app.add_exception_handler(
        RequestValidationError, _handler(_of_validation, own.get(RequestValidationError, request_validation_exception_handler))
    )
    app.add_exception_handler(ClientDisconnect, _handler(lambda *_: body_cut_short(), own.get(ClientDisconnect, _raise)))
    app.add_exception_handler(HTTPException, _handler(_of_http, own.get(HTTPException, http_exception_handler)))
    for kind in (DBAPIError, PoolTimeout):
        app.add_exception_handler(kind, _handler(lambda _, error: refusal_of(error), _nearest(own, kind)))


def _handler(translate: Translate, outside: Handler) -> Handler:
    async def handle(connection: HTTPConnection, error: Exception) -> Response:
        call = CURRENT.get()
        # What the gate has refused already stays: a framework may tell a body that was cut off as one that it could not read.
        refused = None if call is None else call.refused or translate(connection, error)
        if call is None or refused is None:
            answer = outside(connection, error)
            return answer if isinstance(answer, Response) else await answer
        # The gate builds the document: this answer only carries the status there.
        call.refused = refused
        return Response(status_code=refused.refusal.status)

    return handle


def _documented(error: Refused, known: Mapping[str, Refusal]) -> Refused:
    if known.get(error.refusal.code) is not error.refusal:
        raise LookupError(f"the refusal {error.refusal.code!r} was not declared: add it to Keyrack(refusals=[…])") from error
    return error


def _nearest(own: Mapping[Any, Handler], kind: type[Exception]) -> Handler:
    """The host's own handler of an error, else none: what it says of any Exception, the layer outside asks it."""
    return next((own[one] for one in kind.__mro__ if one in own and one is not Exception), _raise)


async def _raise(request: Request, error: Exception) -> Response:
    raise error


def _of_http(_: HTTPConnection, error: HTTPException) -> Refused:
    refusal = of_status(error.status_code)
    detail = error.detail if isinstance(error.detail, str) else refusal.title
    return refusal(detail if error.status_code < 500 else refusal.title, headers=dict(error.headers or {}))


def _of_validation(connection: HTTPConnection, error: RequestValidationError) -> Refused:
    sent = {"query": connection.query_params, "body": error.body}
    errors = [_one(one, sent.get(one["loc"][0]), connection.scope.get("route")) for one in error.errors()[:50]]
    first = errors[0]
    more = f" ({len(errors) - 1} more in `errors`)" if len(errors) > 1 else ""
    return INVALID_REQUEST(f"{first['detail']}{more}", param=str(first["param"]) if first["param"] else None, errors=errors)


def _one(error: Any, sent: Any, route: Any) -> dict[str, object]:
    """One fault of the input: where, what, and what to do. The value itself is not repeated: it may be a secret."""
    place, *path = (_shortened(part) for part in error["loc"])
    kind = str(error["type"])
    param = ".".join(str(part) for part in path) or None
    if kind == "json_invalid":
        return {
            "code": "json_invalid",
            "param": None,
            "pointer": "#",
            "detail": "The body is not valid JSON.",
            "fix": "Send a JSON object.",
        }
    detail = f"{param or place}: {str(error['msg']).removeprefix('Value error, ')}"
    fix = None
    if kind in _EXTRA:
        kind = _EXTRA[0]
        detail, fix = f"{param}: there is no such {'parameter' if place == 'query' else 'field'}.", "Leave it out."
        if right := meant(route, place, path, sent):
            detail, fix = f"{detail[:-1]}; did you mean `{right}`?", f"Call it `{right}`, or leave it out."
    elif kind in _NO_OBJECT and place == "body" and not path:
        detail, fix = "The body is no JSON object sent with `Content-Type: application/json`.", "Send both: the object, and the header."
    elif kind in ("enum", "literal_error"):
        detail, fix = f"{param or place}: there is no such value; write {error['ctx']['expected']}.", "Send one of these."
    elif kind == "missing":
        detail, fix = f"{param or 'The body'} is required.", f"Send {param or 'it'}."
    return {"code": kind, "param": param, "pointer": pointer(path) if place == "body" else None, "detail": detail, "fix": fix}


def _shortened(part: Any) -> Any:
    """A name that a caller made up is told thrice in each answer."""
    return part if not isinstance(part, str) or len(part) <= NAME_LENGTH_MAX else f"{part[:NAME_LENGTH_MAX]}…"


def pointer(path: Sequence[object]) -> str:
    """Return a path into a body as the URI fragment of a JSON Pointer (RFC 6901 §6)."""
    return "#" + "".join(f"/{quote(str(part).replace('~', '~0').replace('/', '~1'), safe='~', errors='replace')}" for part in path)
