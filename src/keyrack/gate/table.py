"""Which operation a call is, and which app gets it: one table, built once from the host's routes and our own.

The host's router decides again by itself, so the table follows its rules: routes in order, the first full match wins, a path that
matches with another method is a 405.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.convertors import Convertor
from starlette.types import ASGIApp

from keyrack.model.catalog import ANY_METHOD, Operation
from keyrack.model.refusals import METHOD_NOT_ALLOWED, NOT_FOUND

_MEMO_MAX = 4096


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table. `methods` is empty for a WebSocket and for an opaque mount, which takes any.

    `context` is the framework's view of an HTTP route, for what describes it to people.
    """

    operation: Operation
    methods: frozenset[str]
    pattern: re.Pattern[str]
    convertors: dict[str, Convertor[Any]]
    app: ASGIApp
    websocket: bool = False
    context: Any = None


@dataclass(frozen=True, slots=True)
class Match:
    """What the table says of a call: the route with its path parameters; else the methods `allowed` on the path, or a `similar` path.

    `path` is what the host's router knows the call's path as, where that is another spelling. A `public` call proves nothing: its route
    is public, or all are that its path has for other methods.
    """

    route: Route | None
    path_params: dict[str, Any] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    similar: str | None = None
    path: str | None = None
    public: bool = False


class DuplicateOperation(Exception):
    """The same method and path template stands twice: which of the two a call means would be left to chance."""


class Table:
    """Finds the route of a path. `guard` are the path prefixes inside which nothing is public unless it says so.

    `short` and `long` are two spellings of one prefix (`/api`, `/api/v1`): a path that no route has is looked for under the longer one.
    """

    def __init__(self, guard: Sequence[str], routes: Sequence[Route], short: str = "", long: str = "") -> None:
        self._guard = tuple(prefix.rstrip("/") for prefix in guard)
        self._inside = tuple(prefix + "/" for prefix in self._guard)
        self._routes = tuple(routes)
        # Outside the guard every path is the host's own business.
        self._short, self._long = (short, long) if short and (short + "/").startswith(self._inside) else ("", "")
        self._words = frozenset(part for route in self._routes for part in route.operation.template.split("/")[1:4])
        self._candidates: dict[tuple[str, ...], tuple[Route, ...]] = {}
        self._exact: dict[tuple[str, str], Match] = {}
        self._refuse_duplicates()
        self._remember_fixed_paths()

    @property
    def operations(self) -> list[Operation]:
        """The operations, each once for every method that it takes."""
        return [replace(route.operation, method=method) for route in self._routes for method in route.methods or {route.operation.method}]

    def find(self, method: str, path: str, websocket: bool = False) -> Match | None:
        """Return the match of a call by the host router's rules, or None outside the guard. HEAD counts as GET where a route has GET."""
        known = self._exact.get((method, path))
        if known is not None and not websocket:
            return known
        if path.startswith(self._inside) or path in self._guard:
            return self._search(method, path, websocket)
        return None

    def require(self, match: Match, path: str) -> Route:
        """Return the match's route, or raise Refused: 404, or 405 with the methods that the path has.

        A path that only differs in its last slash is a 404 that names the right one: a redirect would carry the credential along.
        """
        if match.route is not None:
            return match.route
        if match.allowed:
            allowed = ", ".join(match.allowed)
            raise METHOD_NOT_ALLOWED(f"This path takes {allowed}.", headers={"Allow": allowed})
        advice = f" Did you mean {match.similar}?" if match.similar else ""
        raise NOT_FOUND(f"No such path.{advice}")

    def _search(self, method: str, path: str, websocket: bool) -> Match:
        others: list[Route] = []
        for route in self._near(path):
            if route.websocket != websocket or (found := route.pattern.match(path)) is None:
                continue
            if not route.methods or method in route.methods:
                try:
                    params = {name: route.convertors[name].convert(value) for name, value in found.groupdict().items()}
                    return Match(route, params, public=route.operation.need is None)
                except ValueError:
                    # A value that its convertor cannot read, like a number of 5,000 digits: the host's router would crash on it.
                    return Match(None)
            others.append(route)
        if others:
            # Of `/tokens/default` only its own methods are told, as its description does (OpenAPI 3.1 §4.8.8.2), none of `/tokens/{id}`.
            fixed = [route for route in others if not route.convertors]
            methods = (method for route in fixed or others for method in sorted(route.methods))
            is_public = all(route.operation.need is None for route in fixed or others)
            return Match(None, allowed=tuple(dict.fromkeys(methods)), public=is_public)
        longer = self._longer(path)
        if longer is not None:
            found_there = self._search(method, longer, websocket)
            if found_there.route is not None or found_there.allowed:
                return replace(found_there, path=longer)
        return Match(None, similar=self._with_other_slash(path))

    def _longer(self, path: str) -> str | None:
        """The longer spelling of a path, where it has one."""
        if not self._short or not path.startswith(self._short + "/") or path == self._long or path.startswith(self._long + "/"):
            return None
        return self._long + path.removeprefix(self._short)

    def _with_other_slash(self, path: str) -> str | None:
        other = path.rstrip("/") if path.endswith("/") else path + "/"
        spellings = (other, self._longer(other) or other)
        there = any(route.pattern.match(one) and not route.websocket for one in spellings for route in self._near(one))
        return other if there else None

    def _near(self, path: str) -> tuple[Route, ...]:
        """The routes that a path with these first segments could match, in order: keeps the search short with many routes."""
        # A segment that stands in no template is as good as any other: what strangers write is never kept.
        head = tuple(part if part in self._words else "" for part in path.split("/", 5)[1:4])
        known = self._candidates.get(head)
        if known is None:
            known = tuple(route for route in self._routes if _could_match(route.operation.template, head))
            if len(self._candidates) < _MEMO_MAX:
                self._candidates[head] = known
        return known

    def _refuse_duplicates(self) -> None:
        seen: set[tuple[str, str]] = set()
        for route in self._routes:
            for method in route.methods - {"HEAD"} or {ANY_METHOD}:
                if (method, route.operation.shape) in seen:
                    raise DuplicateOperation(f"{method} {route.operation.template} is declared twice: remove one of the two routes.")
                seen.add((method, route.operation.shape))

    def _remember_fixed_paths(self) -> None:
        for route in self._routes:
            template = route.operation.template
            if "{" not in template and not route.websocket:
                shorter = self._short + template.removeprefix(self._long) if self._short and template.startswith(self._long) else template
                for method in route.methods:
                    self._exact[method, template] = self._search(method, template, websocket=False)
                    self._exact[method, shorter] = self._search(method, shorter, websocket=False)


def operation_names(routes: Sequence[Route]) -> set[str]:
    """Return the operations of these routes, as `GET /api/v1/customers/{customer}`."""
    return {f"{method} {route.operation.template}" for route in routes for method in route.methods}


def _could_match(template: str, head: tuple[str, ...]) -> bool:
    for part, segment in zip(template.split("/")[1:4], head, strict=False):
        if "{" in part:
            return True
        if part != segment:
            return False
    return True
