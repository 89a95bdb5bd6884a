"""Reading the routes of a Starlette or FastAPI app into rows of the gate's table, in the order in which its router tries them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, compile_path
from starlette.types import ASGIApp

from keyrack.embed.dependencies import Compared, meet
from keyrack.gate.requires import Public, Requires, SignedIn
from keyrack.gate.table import Route
from keyrack.model.catalog import ANY_METHOD, Operation
from keyrack.model.permissions import Category, Need, need

FASTAPI_OWN = frozenset({"openapi", "swagger_ui_html", "swagger_ui_redirect", "redoc_html"})


class UndeclaredRoute(Exception):
    """A guarded route says neither what it needs nor that it is public, or says it wrongly: the start stops here."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A route as the host declared it. `context` is FastAPI's view of an HTTP route."""

    path: str
    methods: frozenset[str]
    name: str
    marks: tuple[Requires | Public, ...]
    websocket: bool
    opaque: bool = False
    context: Any = None


def table_rows(
    app: Any, target: ASGIApp, categories: Mapping[str, Category], inside: Sequence[str], mounts: Mapping[str, Requires | Public]
) -> list[Route]:
    """Return the rows of an app's guarded routes. `target` gets their calls; `mounts` declares what opaque mounts need.

    Raises UndeclaredRoute, naming the route and what to write.
    """
    rows = []
    for route in _declared(app.routes, "", mounts):
        if _is_inside(route.path, inside) and not (route.name in FASTAPI_OWN and not route.marks):
            rows.append(_row(route, target, categories))
            if route.context is not None:
                meet(route.context, route.marks[0])
    return rows


def page_rows(app: Any, target: ASGIApp, categories: Mapping[str, Category], inside: Sequence[str]) -> list[Route]:
    """Return rows for all that an app has outside the guard, in its router's order: with a need where a page says `rack.signed_in`.

    No rows where no page does. Raises UndeclaredRoute where one says it wrongly.
    """
    rows: dict[tuple[str, frozenset[str]], Route] = {}
    for route in _declared(app.routes, "", {}):
        if route.websocket or _is_inside(route.path, inside):
            continue
        marks = tuple(mark for mark in route.marks if isinstance(mark, SignedIn))
        # The router never comes to a second route of the same path and methods.
        rows.setdefault((route.path, route.methods), _page_row(replace(route, marks=marks), target, categories))
    return list(rows.values()) if any(row.operation.need is not None for row in rows.values()) else []


def declared_paths(app: Any) -> set[str]:
    """Return the paths of an app's routes, as they were declared."""
    return {route.path for route in _declared(app.routes, "", {})}


def _page_row(route: Declared, target: ASGIApp, categories: Mapping[str, Category]) -> Route:
    if route.marks:
        return _row(route, target, categories, guarded=False)
    template = route.path.rstrip("/") + "/{path:path}" if route.opaque else route.path
    pattern, readable, convertors = compile_path(template)
    method = next(iter(sorted(route.methods - {"HEAD"})), ANY_METHOD)
    return Route(Operation(method, readable, None), route.methods, pattern, convertors, target)


def _row(route: Declared, target: ASGIApp, categories: Mapping[str, Category], *, guarded: bool = True) -> Route:
    template = route.path + "/{path:path}" if route.opaque else route.path
    pattern, readable, convertors = compile_path(template)
    method = "WEBSOCKET" if route.websocket else next(iter(sorted(route.methods - {"HEAD"})), ANY_METHOD)
    wanted = _need(route, method, set(convertors), categories, guarded=guarded)
    operation = Operation(method, readable, wanted, route.marks[0].cost if isinstance(route.marks[0], Requires) else 1)
    return Route(operation, route.methods, pattern, convertors, target, route.websocket, route.context)


def _need(route: Declared, method: str, params: set[str], categories: Mapping[str, Category], *, guarded: bool) -> Need | None:
    where = f"{method} {route.path} ({route.name})"
    if len(route.marks) != 1:
        said = "nothing" if not route.marks else "several things"
        raise UndeclaredRoute(
            f'{where} is guarded and declares {said}. Add dependencies=[rack.requires("category:level")], or dependencies=[rack.public].'
        )
    mark = route.marks[0]
    if isinstance(mark, Public):
        return None
    if guarded and isinstance(mark, SignedIn):
        raise UndeclaredRoute(f"{where} is guarded, where callers have credentials: rack.signed_in is for pages outside the guard.")
    try:
        wanted = need(mark.text, categories, mark.space)
    except ValueError as error:
        raise UndeclaredRoute(f"{where}: {error}") from None
    if wanted.space not in (None, "object") and wanted.space not in params:
        raise UndeclaredRoute(f"{where}: space={mark.space!r} names no parameter of its path")
    return wanted


def _declared(routes: Sequence[Any], prefix: str, mounts: Mapping[str, Requires | Public]) -> Iterator[Declared]:
    for route in iter_route_contexts(routes):
        path = prefix + (route.path or "").rstrip("/") if _is_mount(route) else prefix + (route.path or "")
        if _is_mount(route):
            inner = getattr(route, "routes", None)
            if path in mounts or not inner:
                marks = (mounts[path],) if path in mounts else ()
                yield Declared(path, frozenset(), route.name or "mount", marks, websocket=False, opaque=True)
            else:
                yield from _declared(inner, path, mounts)
        else:
            methods = frozenset(route.methods or ())
            websocket = route.methods is None
            yield Declared(path, methods, route.name or "", tuple(_marks(route)), websocket, context=None if websocket else route)


def _is_mount(route: Any) -> bool:
    return isinstance(route.original_route, Mount)


def _marks(route: Any) -> Iterator[Requires | Public]:
    """What a route declares: in its FastAPI dependencies, at any depth, or on its endpoint by `rack.needs(...)`."""
    own = getattr(route.endpoint, "__keyrack__", None)
    if own is not None:
        yield own
    met = getattr(route, "app", None)
    seen: set[Requires | Public] = set()
    if isinstance(met, Compared):
        # The app was started before: what this declares is no dependency any more.
        seen.add(met.mark)
        yield met.mark
    dependant = getattr(route, "dependant", None)
    waiting = list(dependant.dependencies) if dependant is not None else []
    while waiting:
        one = waiting.pop(0)
        if isinstance(one.call, Requires | Public) and one.call not in seen:
            seen.add(one.call)
            yield one.call
        waiting += one.dependencies


def _is_inside(path: str, inside: Sequence[str]) -> bool:
    return any(path == prefix or path.startswith(prefix.rstrip("/") + "/") for prefix in inside)
