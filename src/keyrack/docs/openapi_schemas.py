"""Schemas as their readers want them: named after what they describe, without what only the framework knows."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

PREFIX = "#/components/schemas/"
_PAGE = re.compile(r"Page_(\w+?)(View)?_")
_VIEW = re.compile(r"(\w+)View")


def tidy(schemas: Mapping[str, Any], bodies: Iterable[Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the schemas under the names that they get, and these names by the old ones. `bodies` are what callers send.

    What callers get may have more fields one day: only what they send says that it has no others.
    """
    names = _names(schemas)
    sent = _reached(bodies, schemas)
    tidied = {names[old]: _tidied(schema, names, closed=old in sent) for old, schema in schemas.items()}
    return {name: tidied[name] for name in sorted(tidied)}, names


def tidy_one(schema: Any, names: Mapping[str, str], *, query: bool = False) -> Any:
    """Return one schema outside the named ones. In a query there is no null: a parameter that is not meant is left out."""
    found = _tidied(schema, names, closed=True)
    if query and isinstance(found, dict) and "anyOf" in found:
        others = [one for one in found["anyOf"] if one != {"type": "null"}]
        if len(others) == 1:
            found = {**others[0], **{key: value for key, value in found.items() if key != "anyOf"}}
        else:
            found = {**found, "anyOf": others}
    return found


def _names(schemas: Mapping[str, Any]) -> dict[str, str]:
    """`CustomerView` is a `Customer`, a page of them a `CustomerList`; a name that is taken stays what it was.

    Of two classes with one name, which frameworks tell apart by their modules, each is called after its module: `KeysEndReason`.
    """
    names: dict[str, str] = {}
    for old in sorted(schemas):
        plain = "".join(word.capitalize() for word in old.split("__")[-2].split("_")) + old.split("__")[-1] if "__" in old else old
        page, view = _PAGE.fullmatch(plain), _VIEW.fullmatch(plain)
        new = f"{page[1]}List" if page else view[1] if view else plain
        names[old] = old if new in schemas or new in names.values() else new
    return names


def _reached(roots: Iterable[Any], schemas: Mapping[str, Any]) -> set[str]:
    seen: set[str] = set()
    waiting = [name for root in roots for name in _references(root)]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _references(schemas.get(name, {}))
    return seen


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(PREFIX)
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _tidied(schema: Any, names: Mapping[str, str], *, closed: bool) -> Any:
    if not isinstance(schema, dict):
        return schema
    tidied: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "title" or (key == "additionalProperties" and value is False and not closed):
            continue
        if key == "$ref":
            old = str(value).removeprefix(PREFIX)
            tidied[key] = PREFIX + names.get(old, old)
        elif key in ("properties", "$defs", "patternProperties"):
            tidied[key] = {name: _tidied(one, names, closed=closed) for name, one in value.items()}
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            tidied[key] = [_tidied(one, names, closed=closed) for one in value]
        elif key in ("items", "additionalProperties", "propertyNames", "not", "contains"):
            tidied[key] = _tidied(value, names, closed=closed)
        elif isinstance(value, float) and value.is_integer():
            # FastAPI reads every bound as a float.
            tidied[key] = int(value)
        else:
            tidied[key] = value
    return tidied
