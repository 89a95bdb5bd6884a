"""Schemas as rows of tables: each field with its type, its bounds and what it is."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from keyrack.docs.openapi_schemas import PREFIX
from keyrack.model.examples import resolve

Row = tuple[str, str, str, str]
DEPTH_MAX = 4
_WORDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "maximum": "up to {}",
    "maxItems": "at most {} of them",
    "maxProperties": "at most {} of them",
}


def fields_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], *, asks: bool = False, at: str = "", depth: int = 0) -> list[Row]:
    """Return a row for each field, those of objects inside it too: `data[].id`. With `asks` it says which of them must be sent."""
    schema = next((one for one in _alternatives(schema, schemas) if one.get("properties")), {})
    rows: list[Row] = []
    for name, field in schema.get("properties", {}).items():
        must = "yes" if asks and name in schema.get("required", ()) else ""
        rows.append((f"`{at}{name}`", kind_of(field, schemas), must, _about(field, schemas, asks=asks)))
        inner, behind = _inner(field, schemas)
        if inner is not None and depth < DEPTH_MAX:
            rows += fields_of(inner, schemas, asks=asks, at=f"{at}{name}{behind}", depth=depth + 1)
    return rows


def parameter_row(parameter: Mapping[str, Any], schemas: Mapping[str, Any]) -> Row:
    """Return the row of a parameter."""
    must = "yes" if parameter.get("required") else ""
    schema = parameter["schema"]
    default = f" Without it: `{_literal(schema['default'])}`." if schema.get("default") is not None else ""
    return f"`{parameter['name']}`", kind_of(schema, schemas), must, (_sentence(parameter.get("description", "")) + default).strip()


def kind_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """Return a type in words: ``one of `live`, `test` ``."""
    schema = resolve(schema, schemas)
    some = schema.get("anyOf") or schema.get("oneOf")
    if some:
        return " or ".join(dict.fromkeys(kind_of(one, schemas) for one in some))
    if "const" in schema:
        return f"`{_literal(schema['const'])}`"
    if "enum" in schema:
        values = ", ".join(f"`{_literal(one)}`" for one in schema["enum"])
        return f"one of {values}" if len(schema["enum"]) > 1 else values
    kinds = schema.get("type", "any value")
    named = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if named == "array":
        named = f"list of {kind_of(schema.get('items', {}), schemas)}"
    bounds = [text.format(schema[key]) for key, text in _WORDS.items() if key in schema]
    if schema.get("minLength") == 1 and "maxLength" in schema:
        bounds = [f"1 to {schema['maxLength']} characters"]
    return ", ".join([named, *([schema["format"]] if "format" in schema else []), *bounds])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, or a word where it would be empty."""
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    if not lines:
        return "None."
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines])


def _inner(field: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """The object inside a field, and how a path leads into it."""
    for one in _alternatives(field, schemas):
        if one.get("type") == "object" and one.get("properties"):
            return one, "."
        if one.get("type") == "array":
            inner = resolve(one.get("items", {}), schemas)
            if inner.get("properties"):
                return inner, "[]."
    return None, ""


def _alternatives(field: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = resolve(field, schemas)
    yield found
    for one in found.get("anyOf", ()):
        yield resolve(one, schemas)


def _about(field: Mapping[str, Any], schemas: Mapping[str, Any], *, asks: bool) -> str:
    said = field.get("description") or (resolve(field, schemas).get("description", "") if PREFIX in str(field.get("$ref", "")) else "")
    default = resolve(field, schemas).get("default", field.get("default"))
    told = f" Without it: `{_literal(default)}`." if asks and default not in (None, [], {}) else ""
    return (_sentence(said) + told).strip()


def _sentence(text: str) -> str:
    first = " ".join(text.split())
    return first if not first or first.endswith((".", "?", "!", ":")) else f"{first}."


def _literal(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
