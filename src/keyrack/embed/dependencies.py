"""Our own dependencies of a FastAPI route, met without FastAPI.

FastAPI solves each dependency with a full reading of path, query, headers and cookies, which costs as much as the whole gate does
(docs/benchmarks.md). What a route declares and the caller that its handler takes are known to the gate already. So once the table is
built, the route's app compares its declaration itself, before anything else of the route runs, and its handler gets the caller from the
scope. Dependencies deeper down, of the host's own, stay with FastAPI; so does everything where a route is not built as we know it.
"""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from keyrack.gate.requires import Public, Requires, caller_in, current_caller


class Compared:
    """A route's app behind the comparison of its declaration (`mark`) with the operation that the gate chose."""

    def __init__(self, mark: Requires | Public, app: ASGIApp) -> None:
        self.mark = mark
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise Refused `catalog_mismatch`, or go on."""
        self.mark.compare(scope)
        await self._app(scope, receive, send)


def meet(route: Any, mark: Requires | Public) -> None:
    """Meet our dependencies of one HTTP route, given as FastAPI's `RouteContext`. Once is enough: a second time changes nothing."""
    # A route of an included router has its app and dependencies for each time it is included.
    own = getattr(route, "_route_context", None) or route.original_route
    dependant = getattr(own, "dependant", None)
    app = getattr(own, "app", None)
    if not isinstance(route.original_route, APIRoute) or not isinstance(dependant, Dependant) or app is None or isinstance(app, Compared):
        return
    own.app = Compared(mark, app)
    dependant.dependencies[:] = [one for one in dependant.dependencies if one.call != mark]
    callers = [one for one in dependant.dependencies if one.call is current_caller and one.name is not None]
    if len(callers) == 1 and dependant.http_connection_param_name is None and iscoroutinefunction(dependant.call):
        name = callers[0].name
        dependant.dependencies.remove(callers[0])
        dependant.http_connection_param_name = name
        dependant.call = _with_caller(dependant.call, str(name))


def _with_caller(handler: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a handler whose argument `name` comes as the connection and goes on as its caller."""

    @wraps(handler)
    async def called(**values: Any) -> Any:
        values[name] = caller_in(values[name].scope)
        return await handler(**values)

    return called
