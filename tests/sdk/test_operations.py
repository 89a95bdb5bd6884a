"""Each operation of the management API has a call in both SDKs, and Python's objects hold all that an answer tells."""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from atrium.factory import create_app
from keyrack import Keyrack, Settings
from keyrack.client import Answer, Client, Page
from keyrack.client.objects import Object
from keyrack.client.operations import Operation, Part
from keyrack.client.requests import Request
from keyrack.client.workspaces import Own
from tests.npm import install
from tests.sdk.schema import BASE_URL, SDK, node

LEFT_OUT = {
    # A leak is told of by whoever has found it, without a credential; GitHub signs what it tells.
    ("POST", "/api/v1/leaks"),
    ("POST", "/api/v1/leaks/github"),
}
GIVEN = "x"
# Both read events for as long as somebody asks, by the call that lists them.
UNENDING = {"follow"}
WALK = """
const { Client } = await import(process.argv[1]);
const called = [];
const fetch = async (url, init) => {
  called.push([init.method, new URL(url).pathname]);
  return new Response(null, { status: 204 });
};
const client = new Client({ apiKey: "key", baseUrl: "https://my.atrium.example", fetch });
const parts = Object.values(client).filter((one) => Object.getPrototypeOf(one)?.constructor?.name !== "Object" && one !== client.api);
const own = ["me", "workspaces", "rateLimit", "usage", "workspace", "switchApiOff", "portalLink"].map((name) => [client, name]);
const named = parts.flatMap((part) => Object.getOwnPropertyNames(Object.getPrototypeOf(part)).map((name) => [part, name]));
for (const [part, name] of [...own, ...named]) {
  if (name === "constructor" || name === "follow") continue;
  const outcome = part[name](...new Array(part[name].length).fill("x"));
  await (outcome.page ? outcome.page().catch(() => undefined) : outcome);
}
console.log(JSON.stringify(called));
"""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Atrium's OpenAPI document with the operations of the management API alone."""
    rack: Keyrack = create_app(Settings(data=tmp_path_factory.mktemp("data"))).state.rack
    found = rack.openapi(BASE_URL)
    hosts = {*rack.categories, "widget"}
    found["paths"] = {
        path: {method.upper(): one for method, one in item.items() if not set(one["tags"]) & hosts} for path, item in found["paths"].items()
    }
    return found


def operations(document: dict[str, Any]) -> set[tuple[str, str]]:
    """All operations, by method and template."""
    return {(method, path) for path, item in document["paths"].items() for method in item}


def operation_of(called: tuple[str, str], document: dict[str, Any]) -> tuple[str, str]:
    """Return the operation that a call is: of two whose templates are met the one that has more words of its own."""
    method, path = called
    fits = [template for template, item in document["paths"].items() if method in item and _fits(template, path)]
    return method, min(fits, key=lambda template: template.count("{"), default=path)


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path) is not None


def requests(client: Client) -> Iterator[Request[Any]]:
    """Each call that a client has a name for."""
    parts = [(client, Own), *((part, type(part)) for part in vars(client).values() if isinstance(part, Part))]
    for part, kind in parts:
        for name, value in vars(kind).items():
            if isinstance(value, Operation):
                yield value._build(part, **_needed(value._build))
            elif inspect.isfunction(value) and not name.startswith("_") and name not in UNENDING:
                yield getattr(part, name)(**_needed(value))._first


def _needed(function: Any) -> dict[str, str]:
    _, *parameters = inspect.signature(function).parameters.values()
    return {one.name: GIVEN for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD}


def test_python_has_a_call_for_each_operation(document: dict[str, Any]) -> None:
    with Client(GIVEN, base_url=BASE_URL) as client:
        called = {operation_of((one.method, f"/api/v1{one.path}"), document) for one in requests(client)}
    assert operations(document) - LEFT_OUT == called


def test_typescript_has_a_call_for_each_operation(document: dict[str, Any]) -> None:
    install(SDK)
    called = json.loads(node("--input-type=module", "--eval", WALK, str(SDK / "src" / "index.ts")))
    assert operations(document) - LEFT_OUT == {operation_of((method, path), document) for method, path in called}


def test_python_reads_each_field_of_each_answer(document: dict[str, Any]) -> None:
    with Client(GIVEN, base_url=BASE_URL) as client:
        unlike = {place: names for place, names in read_as_shown(client, document) if names}
    assert {} == unlike


def read_as_shown(client: Client, document: dict[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """Read the example of each answer, and say in which fields it differs from what is made of it."""
    for request in requests(client):
        method, path = operation_of((request.method, f"/api/v1{request.path}"), document)
        answers = document["paths"][path][method]["responses"]
        (status,) = (status for status in answers if status.startswith("2"))
        if status != "204":
            told = answers[status]["content"]["application/json"]["example"]
            read = request.read(Answer(int(status), {}, b"", told))
            for one, its in zip(read.data, told["data"], strict=True) if isinstance(read, Page) else [(read, told)]:
                assert isinstance(one, Object)
                yield f"{method} {path}", (its.keys() - {"object"}) ^ (set(one.__struct_fields__) - {"answer"})
