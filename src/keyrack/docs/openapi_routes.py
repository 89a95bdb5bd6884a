"""The operations of the gate's table as FastAPI describes their routes, each under its whole path and an id that people can read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext

from keyrack.gate.table import Route
from keyrack.model.catalog import Operation

OWN_ERRORS = "#/components/schemas/HTTPValidationError"
_PARAM = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Part:
    """The operations of one app. `title` is what people call them together, `tags` what the app itself says of its tags.

    `is_hosts`: they are the host's, and may refuse with codes of its own.
    """

    title: str
    rows: Sequence[Route]
    tags: Sequence[Mapping[str, Any]] = ()
    is_hosts: bool = False


@dataclass(frozen=True)
class Found:
    """One operation on its way into the document: `item` is its OpenAPI operation object, as its framework wrote it."""

    part: Part
    operation: Operation
    method: str
    summary: str
    item: dict[str, Any]


class _Placed(RouteContext):
    """A route under the template of its row, one method at a time."""

    def __init__(self, row: Route, method: str, operation_id: str) -> None:
        super().__init__(row.context.route, row.context._route_context)
        object.__setattr__(self, "_own", (row.operation.template, {method}, operation_id))

    @property
    def path_format(self) -> str:
        """The path below the host's root."""
        return str(self._own[0])

    @property
    def methods(self) -> set[str]:
        """The one method."""
        return set(self._own[1])

    @property
    def operation_id(self) -> str:
        """What generated programs call the operation."""
        return str(self._own[2])


def read(parts: Sequence[Part]) -> tuple[list[Found], dict[str, Any]]:
    """Return the operations of all parts in order, and the schemas that they refer to by name.

    WebSockets, opaque mounts and routes that their host leaves out of its schema are not in it.
    """
    ids = _operation_ids(parts)
    rows = [(part, row, method) for part in parts for row, method in _methods(part)]
    placed = [_Placed(row, method, ids[id(row), method]) for _, row, method in rows if isinstance(row.context.original_route, APIRoute)]
    # Read in one go, so that two apps never give one name to two schemas.
    raw = get_openapi(title="-", version="-", routes=placed)
    found = [_described(part, row, method, raw["paths"], ids[id(row), method]) for part, row, method in rows]
    schemas: dict[str, Any] = raw.get("components", {}).get("schemas", {})
    return found, {name: schema for name, schema in schemas.items() if name not in ("HTTPValidationError", "ValidationError")}


def _methods(part: Part) -> Iterator[tuple[Route, str]]:
    for row in part.rows:
        if row.context is not None and getattr(row.context, "include_in_schema", True):
            for method in sorted(row.methods - {"HEAD"}):
                yield row, method


def _operation_ids(parts: Sequence[Part]) -> dict[tuple[int, str], str]:
    """An id for each operation. Our own are named first: what a host adds changes none of them."""
    ids: dict[tuple[int, str], str] = {}
    for part in reversed(parts):
        for row, method in _methods(part):
            chosen = getattr(row.context, "operation_id", None) or _camel(row.context.name or "call")
            if chosen in ids.values():
                chosen = _camel(f"{row.context.name}_{row.operation.template}_{method}")
            ids[id(row), method] = chosen
    return ids


def _camel(text: str) -> str:
    head, *rest = [word for word in re.split(r"[^A-Za-z0-9]+", text) if word] or ["call"]
    return head[0].lower() + head[1:] + "".join(word[0].upper() + word[1:] for word in rest)


_ASIDE = re.compile(r"[,:;(]|\.(?:\s|$)| unless ")


def _described(part: Part, row: Route, method: str, paths: Mapping[str, Any], operation_id: str) -> Found:
    template = row.operation.template
    item = paths.get(template, {}).get(method.lower()) or _plain(row, operation_id)
    said = str(item.pop("description", "")).strip()
    first, _, rest = said.partition("\n")
    # The title is what stands before the first aside: the whole sentence opens the description then.
    title = _ASIDE.split(first)[0].strip()
    summary = getattr(row.context, "summary", None) or title or str(item.get("summary", operation_id))
    description = rest.strip() if title == first.strip().removesuffix(".") else said
    if description:
        item["description"] = description
    return Found(part, row.operation, method, summary, item)


def _plain(row: Route, operation_id: str) -> dict[str, Any]:
    """An operation of a plain Starlette route, of which no more is known than its path."""
    schema = {"type": "string"}
    parameters = [{"name": name, "in": "path", "required": True, "schema": schema} for name in _PARAM.findall(row.operation.template)]
    described = getattr(row.context.endpoint, "__doc__", None) or ""
    return {"operationId": operation_id, "description": described, "parameters": parameters, "responses": {"200": {"description": "OK"}}}
