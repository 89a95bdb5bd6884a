"""Which field somebody meant who misspelt one: looked for among those that the route's models have at that place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from keyrack.model.suggestions import closest


def meant(route: Any, place: str, path: Sequence[str | int], sent: Any) -> str | None:
    """Return the name that a field or query parameter most likely should have had, or None where none is close.

    `route` is FastAPI's; `place` is `body` or `query`, `path` leads to the unknown name in `sent`. What was sent beside it under its right
    name is not meant.
    """
    if not path or not isinstance(path[-1], str):
        return None
    types = _roots(route, place)
    around = sent
    for step in path[:-1]:
        types = [inner for one in types for inner in _inside(one, step)]
        around = _value(around, step)
    known = {name for one in types for shape in _shapes(one) for name in _fields(shape)}
    return closest(path[-1], {name for name in known if not (isinstance(around, Mapping) and name in around)})


def _roots(route: Any, place: str) -> list[Any]:
    """What a route reads the body or the query as. A body of several parameters is an object with their names."""
    waiting, found = [getattr(route, "dependant", None)], []
    while waiting:
        one = waiting.pop(0)
        if one is not None:
            found += one.body_params if place == "body" else one.query_params
            waiting += one.dependencies
    if place == "body" and getattr(route, "_embed_body_fields", False):
        return [{field.alias: field.field_info.annotation for field in found}]
    return [field.field_info.annotation for field in found]


def _inside(annotation: Any, step: str | int) -> Iterator[Any]:
    """The types of what lies under one step into a value. A step that names no field is the tag of a union, which leads nowhere else."""
    for shape in _shapes(annotation):
        arguments = get_args(shape)
        fields = _fields(shape)
        if isinstance(step, int):
            yield from arguments[:1]
        elif step in fields:
            yield fields[step]
        elif len(arguments) == 2:
            yield arguments[1]
        else:
            yield shape


def _shapes(annotation: Any) -> Iterator[Any]:
    """The types behind an annotation that are no union and bear no metadata."""
    annotation = getattr(annotation, "__value__", annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _shapes(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for one in get_args(annotation):
            yield from _shapes(one)
    else:
        yield annotation


def _fields(shape: Any) -> Mapping[str, Any]:
    """The names that an object of this type has on the wire, with their types."""
    if isinstance(shape, Mapping):
        return shape
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return {_name_of(name, info): info.annotation for name, info in shape.model_fields.items()}
    # The keys are those of a TypedDict, be it of typing or of typing_extensions.
    if isinstance(shape, type) and (is_dataclass(shape) or hasattr(shape, "__required_keys__")):
        return get_type_hints(shape)
    return {}


def _name_of(name: str, info: Any) -> str:
    return next((alias for alias in (info.validation_alias, info.alias) if isinstance(alias, str)), name)


def _value(around: Any, step: str | int) -> Any:
    if isinstance(around, Mapping):
        return around.get(step)
    if isinstance(around, Sequence) and isinstance(step, int) and not isinstance(around, str) and step < len(around):
        return around[step]
    return None
