"""Examples of JSON: the ones that a JSON schema gives, completed, else one made from what it says. The same for the same schema, always."""

from collections.abc import Mapping
from typing import Any

DEPTH_MAX = 8
_BY_FORMAT = {
    "date-time": "2026-05-26T17:21:09.412Z",
    "date": "2026-05-26",
    "email": "mira@aurora.com",
    "hostname": "aurora.com",
    "uri": "https://aurora.com",
    "uuid": "3f2c1f9a-6d0e-4a4b-9c0a-2f6f1f6f7a11",
    "ipv4": "203.0.113.7",
}


def resolve(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference leads to, or the schema itself. References end in the name of one of the `schemas`."""
    while "$ref" in schema:
        schema = schemas[str(schema["$ref"]).rpartition("/")[2]]
    return schema


def example(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
    """Return a value that the schema describes. `name` is the field's, where there is one."""
    schema = resolve(schema, schemas)
    if schema.get("examples"):
        return _completed(schema["examples"][0], schema, schemas)
    if "const" in schema:
        return schema["const"]
    if schema.get("default") is not None:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            some = [one for one in schema[key] if one.get("type") != "null"]
            return example(some[0], schemas, name, depth + 1) if some else None
    return _of_type(schema, schemas, name, depth)


def _of_type(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str, depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        fields = schema.get("properties", {}) if depth < DEPTH_MAX else {}
        return {field: example(one, schemas, field, depth + 1) for field, one in fields.items()}
    if kind == "array":
        return [example(schema["items"], schemas, name, depth + 1)] if schema.get("items") and depth < DEPTH_MAX else []
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return {"boolean": True, "null": None}.get(str(kind), _text(schema, name))


def _text(schema: Mapping[str, Any], name: str) -> str:
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    if name == "id" or name.endswith("_id"):
        return "cl9bn00of0000g7l8gcq8c4xk"
    return (name.replace("_", " ").capitalize() or "Text")[: schema.get("maxLength", 200)]


def _completed(value: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """An example with the fields whose value is null: what wrote the schemas leaves them out."""
    if isinstance(value, list) and "items" in schema:
        return [_completed(one, resolve(schema["items"], schemas), schemas) for one in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    fields = {name: schema["properties"].get(name, {}) for name in schema.get("required", ()) if name not in value}
    missing = {name: None if _may_be_null(field) else example(field, schemas, name) for name, field in fields.items()}
    known = {name: _completed(one, resolve(schema["properties"].get(name, {}), schemas), schemas) for name, one in value.items()}
    order = [*schema["properties"], *known]
    return dict(sorted((known | missing).items(), key=lambda pair: order.index(pair[0])))


def _may_be_null(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "null" or any(one.get("type") == "null" for one in schema.get("anyOf", ()))
