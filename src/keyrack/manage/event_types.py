"""Event types: what can happen in a workspace, the host's own and Keyrack's, each with the shape of its data and an example of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from pydantic import TypeAdapter

from keyrack import manage
from keyrack.manage.desk import Desk
from keyrack.manage.event_examples import example_of
from keyrack.model.events import EventType, needed_for, tells
from keyrack.model.examples import example
from keyrack.model.principals import Principal
from keyrack.model.refusals import NOT_FOUND

KINDS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Described:
    """An event type as people read of it: what it takes to be told of it, and the JSON Schema of its data with an example."""

    kind: EventType
    needs: str
    schema: Mapping[str, Any]
    example: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The type's name."""
        return self.kind.name


@cache
def own() -> Mapping[str, EventType]:
    """Return Keyrack's own event types by name: each stands in this layer, beside the function that records it."""
    modules = (import_module(f"{manage.__name__}.{one.name}") for one in iter_modules(manage.__path__))
    found = {kind.name: kind for module in modules for kind in vars(module).values() if isinstance(kind, EventType)}
    return dict(sorted(found.items()))


def page(desk: Desk, actor: Principal, *, limit: int, after: str | None = None) -> list[Described]:
    """Return the event types that the actor may be told of, by name, from beyond one. An org-level Admin sees them all."""
    names = sorted(name for name, kind in desk.event_types.items() if _may_know(desk, actor, kind) and (after is None or name > after))
    return [describe(desk, desk.event_types[name]) for name in names[:limit]]


def get(desk: Desk, actor: Principal, name: str) -> Described:
    """Return an event type. Raises Refused 404, also for one that the actor may not be told of."""
    kind = desk.event_types.get(name)
    if kind is None or not _may_know(desk, actor, kind):
        raise NOT_FOUND("There is no such event type.")
    return describe(desk, kind)


def describe(desk: Desk, kind: EventType) -> Described:
    """Return an event type with its schema and example."""
    schema = schema_of(kind)
    return Described(kind, needed_for(kind, desk.categories), schema, sample(kind))


@lru_cache(maxsize=KINDS_MAX)
def schema_of(kind: EventType) -> Mapping[str, Any]:
    """Return the JSON Schema of data as an endpoint gets it: the host's, or for our own what their example shows."""
    if kind.schema is None:
        return _shape(sample(kind))
    return TypeAdapter(kind.schema).json_schema(mode="serialization")


@lru_cache(maxsize=KINDS_MAX)
def sample(kind: EventType) -> Mapping[str, Any]:
    """Return data as an endpoint could get it of such an event."""
    if kind.schema is None:
        return {"object": kind.name.partition(".")[0], **example_of(kind.name)}
    schema = schema_of(kind)
    made = example(schema, schema.get("$defs", {}))
    return made if isinstance(made, dict) else {"value": made}


def _may_know(desk: Desk, actor: Principal, kind: EventType) -> bool:
    return actor.is_admin or tells(kind, desk.categories, actor.rights)


def _shape(value: Any) -> dict[str, Any]:
    """The JSON Schema of what an example shows; a null may be any text."""
    if isinstance(value, Mapping):
        return {"type": "object", "properties": {name: _shape(one) for name, one in value.items()}, "required": list(value)}
    if isinstance(value, list):
        return {"type": "array", "items": _shape(value[0]) if value else {}}
    kinds = {bool: "boolean", int: "integer", str: "string"}
    return {"type": kinds[type(value)]} if value is not None else {"type": ["string", "null"]}
