"""What a framework raises, as refusals. Outside the guard the host's own handlers stay as they are."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response

from keyrack.gate.bodies import body_cut_short
from keyrack.gate.transactions import refusal_of
from keyrack.model.calls import CURRENT
from keyrack.model.refusals import INVALID_REQUEST, Refused, of_status

Handler = Callable[[Any, Any], Awaitable[Response] | Response]

# What pydantic says of a whole body that is text, a form or a list where a model reads an object.
_NO_OBJECT = ("model_attributes_type", "model_type", "dict_type")


def install_handlers(app: Any) -> None:
    """Have an app's refusals, validation errors, HTTP exceptions and its database's absence answered by the gate, inside the guard only."""
    own = dict(app.exception_handlers)
    app.add_exception_handler(Refused, _handler(lambda error: error, _raise))
    app.add_exception_handler(
        RequestValidationError, _handler(_of_validation, own.get(RequestValidationError, request_validation_exception_handler))
    )
    app.add_exception_handler(ClientDisconnect, _handler(lambda _: body_cut_short(), own.get(ClientDisconnect, _raise)))
    app.add_exception_handler(HTTPException, _handler(_of_http, own.get(HTTPException, http_exception_handler)))
    for kind in (DBAPIError, PoolTimeout):
        app.add_exception_handler(kind, _handler(refusal_of, _nearest(own, kind)))


def _handler(translate: Callable[[Any], Refused | None], outside: Handler) -> Handler:
    async def handle(connection: HTTPConnection, error: Exception) -> Response:
        call = CURRENT.get()
        # What the gate has refused already stays: a framework may tell a body that was cut off as one that it could not read.
        refused = None if call is None else call.refused or translate(error)
        if call is None or refused is None:
            answer = outside(connection, error)
            return answer if isinstance(answer, Response) else await answer
        # The gate builds the document: this answer only carries the status there.
        call.refused = refused
        return Response(status_code=refused.refusal.status)

    return handle


def _nearest(own: Mapping[Any, Handler], kind: type[Exception]) -> Handler:
    """The host's own handler of an error, else none: what it says of any Exception, the layer outside asks it."""
    return next((own[one] for one in kind.__mro__ if one in own and one is not Exception), _raise)


async def _raise(request: Request, error: Exception) -> Response:
    raise error


def _of_http(error: HTTPException) -> Refused:
    refusal = of_status(error.status_code)
    detail = error.detail if isinstance(error.detail, str) else refusal.title
    return refusal(detail if error.status_code < 500 else refusal.title, headers=dict(error.headers or {}))


def _of_validation(error: RequestValidationError) -> Refused:
    errors = [_one(one, error.body) for one in error.errors()[:50]]
    first = errors[0]
    more = f" ({len(errors) - 1} more in `errors`)" if len(errors) > 1 else ""
    return INVALID_REQUEST(f"{first['detail']}{more}", param=str(first["param"]) if first["param"] else None, errors=errors)


def _one(error: Any, body: Any) -> dict[str, object]:
    """One fault of the input: where, what, and what to do. The value itself is not repeated: it may be a secret."""
    place, *path = error["loc"]
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
    if kind == "extra_forbidden":
        detail, fix = f"{param}: there is no such {'parameter' if place == 'query' else 'field'}.", "Leave it out."
    elif kind in _NO_OBJECT and place == "body" and not path:
        detail, fix = "The body is no JSON object sent with `Content-Type: application/json`.", "Send both: the object, and the header."
    elif kind == "missing":
        detail, fix = f"{param or 'The body'} is required.", f"Send {param or 'it'}."
    pointer = "#" + "".join(f"/{part}" for part in path) if place == "body" else None
    return {"code": kind, "param": param, "pointer": pointer, "detail": detail, "fix": fix}
