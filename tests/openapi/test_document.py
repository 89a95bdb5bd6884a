"""The OpenAPI document tells of what the gate decides: every operation, what it needs, what it takes and gives, and how it refuses."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from atrium.brands import BRANDS
from atrium.factory import create_app
from keyrack import Brand, Keyrack, Settings, api
from keyrack.embed.routes import table_rows
from keyrack.model import refusals
from keyrack.model.permissions import Rights
from keyrack.model.refusals import Refusal
from keyrack.store.migrations import migrate
from tests.backends import Backend
from tests.cli.programs import run
from tests.hosts import CATEGORIES, build_app, client_of, living, running
from tests.openapi.documents import BASE_URL, operations, rack_of

QUICKSTART = {"name": "Aurora Outfitters", "slug": "aurora", "domain": "aurora.com", "status": "onboarding"}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Atrium's document."""
    return rack_of(tmp_path_factory.mktemp("data")).openapi(BASE_URL)


@pytest.mark.parametrize("brand", BRANDS)
def test_document_is_valid_openapi(brand: str, tmp_path: Path) -> None:
    rack = rack_of(tmp_path, brand)
    found = rack.openapi(BASE_URL)
    assert [] == [error.message for error in OpenAPIV31SpecValidator(found).iter_errors()]
    assert f"{rack.brand.name} API" == found["info"]["title"]
    assert [BASE_URL] == [server["url"] for server in found["servers"]]


def test_document_names_every_operation_of_the_table_with_what_it_needs_and_costs(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path))
    rack, own = app.state.rack, api.build(app.state.rack.assembly)
    rows = [*table_rows(app, app, rack.categories, ["/api"], {}), *table_rows(own, own, rack.categories, ["/api/v1"], {})]
    known = {(row.operation.method, row.operation.template): row.operation for row in rows}
    told = {(method.upper(), path): one for path, item in rack.openapi(BASE_URL)["paths"].items() for method, one in item.items()}
    assert known.keys() == told.keys()
    for place, operation in known.items():
        declared = operation.need.declared if operation.need is not None else None
        assert (declared, operation.cost) == (told[place]["x-permission"], told[place]["x-cost"]), place


def test_every_example_is_what_its_schema_says(document: dict[str, Any]) -> None:
    seen = 0
    for content in _contents(document):
        validator = Draft202012Validator({**content["schema"], "components": document["components"]})
        for example in _examples(content):
            assert [] == [f"{error.json_path}: {error.message}" for error in validator.iter_errors(example)], example
            seen += 1
    assert seen > 100


def test_examples_are_those_of_the_quickstart(document: dict[str, Any]) -> None:
    made = operations(document)["createCustomer"]
    assert QUICKSTART == made["requestBody"]["content"]["application/json"]["example"]
    answered = made["responses"]["201"]["content"]["application/json"]["example"]
    assert {"object": "customer", "display_id": 245, **QUICKSTART}.items() <= answered.items()
    contact = operations(document)["createContact"]["requestBody"]["content"]["application/json"]["example"]
    assert ("Mira Chen", True) == (contact["name"], contact["is_primary"])
    assert "245" == operations(document)["createOnboarding"]["requestBody"]["content"]["application/json"]["example"]["customer_id"]


def test_ids_of_operations_are_names_that_programs_can_use(document: dict[str, Any]) -> None:
    ids = list(operations(document))
    assert len(ids) == len(set(ids)) == sum(len(item) for item in document["paths"].values())
    assert [] == [one for one in ids if not re.fullmatch(r"[a-z][a-zA-Z]{2,40}", one)]
    assert {"getMe", "listCustomers", "createCustomer", "rotateKey", "listIntegrationSpaces", "listSpaceMembers"} <= set(ids)


def test_write_takes_an_idempotency_key_and_a_read_takes_none(document: dict[str, Any]) -> None:
    for item in document["paths"].values():
        for method, one in item.items():
            has = {"$ref": "#/components/parameters/IdempotencyKey"} in one["parameters"]
            assert has == (method != "get" and one["security"] != []), one["operationId"]


def test_refusals_of_an_operation_have_an_example_of_each_code(document: dict[str, Any]) -> None:
    shown = {
        code: example["value"]
        for response in document["components"]["responses"].values()
        for code, example in response["content"]["application/problem+json"].get("examples", {}).items()
    }
    assert {"insufficient_permission", "rate_limited", "not_found", "key_revoked", "store_unavailable", "conflict"} <= shown.keys()
    for code, value in shown.items():
        refusal = refusals.ALL[code]
        assert (refusal.code, refusal.status, refusal.title) == (value["code"], value["status"], value["title"])
        assert f"{BASE_URL}/docs/errors/{code}" == value["type"]


def test_operation_lists_the_codes_that_it_refuses_with_and_no_others(document: dict[str, Any]) -> None:
    shown = document["components"]["responses"]
    listed: dict[str, set[str]] = {}
    for name, one in operations(document).items():
        answers = [shown[answer["$ref"].rpartition("/")[2]] for answer in one["responses"].values() if "$ref" in answer]
        listed[name] = {code for answer in answers for code in answer["content"]["application/problem+json"]["examples"]}
    every = {
        "invalid_request",
        "key_in_url",
        "unknown_version",
        "version_ended",
        "headers_too_large",
        "internal_error",
        "store_unavailable",
    }
    assert every <= set.intersection(*listed.values())
    assert every | {"body_too_large", "too_many_failures", "outcome_unknown"} == listed["reportLeak"]
    assert {"invalid_signature"} == listed["reportGithubLeaks"] - listed["reportLeak"]
    assert "rate_limited" not in listed["getRateLimit"]
    assert ["createEndpoint"] == [name for name, codes in listed.items() if "too_many_endpoints" in codes]
    assert {"conflict", "shown_once", "not_found"} <= listed["createKey"]
    assert not {"conflict", "shown_once"} & listed["renameSpace"]
    walked = {
        name for name, one in operations(document).items() if any(parameter.get("name") == "cursor" for parameter in one["parameters"])
    }
    assert walked == {name for name, codes in listed.items() if "cursor_filter_mismatch" in codes}


async def test_route_of_a_host_says_which_refusals_are_its_own_and_one_that_it_does_not_say_is_found(tmp_path: Path) -> None:
    own = Refusal("order_packed", 409, "Order is packed", "It was packed.", "Place another.")
    rack = Keyrack(Settings(data=tmp_path), brand=Brand("Acme", "acme"), categories=CATEGORIES, refusals=[own])
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/api/v1/orders", dependencies=[rack.requires("any")], openapi_extra=refusals.saying(own))
    async def change_order(packed: bool = True) -> None:
        raise own("It is packed.") if packed else refusals.CONFLICT("It is being changed.")

    @app.delete("/api/v1/orders", dependencies=[rack.requires("any")])
    async def delete_orders() -> None:
        raise refusals.CONFLICT("They are being changed.")

    rack.install(app)
    await migrate(rack.settings.store_url, rack.settings.traffic_url)
    async with living(app), client_of(rack, app) as host:
        key = await host.key(Rights())
        assert 409 == (await host.send("POST", "/api/v1/orders", key)).status_code
        assert 409 == (await host.send("DELETE", "/api/v1/orders", key)).status_code
        with pytest.raises(AssertionError, match="answered 'conflict', which is not among"):
            await host.send("POST", "/api/v1/orders?packed=false", key)


def test_secret_stands_in_no_answer_but_those_that_show_it_once(document: dict[str, Any]) -> None:
    holding = [name for name, schema in document["components"]["schemas"].items() if "secret" in schema.get("properties", {})]
    assert ["IssuedApp", "IssuedEndpoint", "IssuedKey", "IssuedToken", "LeakReport"] == holding


def test_every_field_and_parameter_says_what_it_is(document: dict[str, Any]) -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, one in schema.get("properties", {}).items()
        if not one.get("description")
    ]
    silent += [
        f"{operation}?{parameter['name']}"
        for operation, one in operations(document).items()
        for parameter in one["parameters"]
        if "$ref" not in parameter and not parameter["description"]
    ]
    assert [] == silent


def test_schemas_carry_no_names_of_the_framework(document: dict[str, Any]) -> None:
    assert [] == [name for name in document["components"]["schemas"] if not re.fullmatch(r"[A-Z][A-Za-z]+", name)]
    assert "HTTPValidationError" not in json.dumps(document)


async def test_running_host_serves_the_document_for_its_own_address(tmp_path: Path) -> None:
    async with running(Backend.in_folder(tmp_path), tmp_path) as host:
        answer = await host.client.get("/docs/openapi.json")
        assert (200, "application/json") == (answer.status_code, answer.headers["content-type"])
        assert ["http://acme.test"] == [server["url"] for server in answer.json()["servers"]]
        assert host.rack.openapi("http://acme.test") == answer.json()
        again = await host.client.get("/docs/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
        assert (304, b"") == (again.status_code, again.content)
        plain = await host.client.get("/docs/openapi.json", headers={"Accept-Encoding": "identity"})
        assert answer.json() == plain.json()


async def test_document_of_one_address_is_not_that_of_another(tmp_path: Path) -> None:
    async with running(Backend.in_folder(tmp_path), tmp_path) as host:
        tags = set()
        for name in [f"host{number}.test" for number in range(12)]:
            answer = await host.client.get("/docs/openapi.json", headers={"Host": name})
            assert f"http://{name}" == answer.json()["servers"][0]["url"]
            tags.add(answer.headers["etag"])
        assert 12 == len(tags)
        odd = await host.client.get("/docs/openapi.json", headers={"Host": 'x"><script>'})
        assert "<script>" not in odd.text


async def test_configured_address_counts_whatever_the_call_says(tmp_path: Path) -> None:
    async with running(Backend.in_folder(tmp_path), tmp_path, base_url="https://api.acme.example") as host:
        found = (await host.client.get("/docs/openapi.json", headers={"Host": "elsewhere.test"})).json()
        assert "https://api.acme.example" == found["servers"][0]["url"]
        assert "elsewhere.test" not in json.dumps(found)


async def test_fastapis_own_document_is_replaced_where_it_stood(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path))
    async with living(app), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://atrium.test") as client:
        assert (await client.get("/docs/openapi.json")).json() == (await client.get("/openapi.json")).json()
        assert "/docs" == (await client.get("/redoc")).headers["location"]


async def test_host_without_a_document_of_its_own_keeps_its_path(tmp_path: Path) -> None:
    async with running(Backend.in_folder(tmp_path), tmp_path) as host:
        assert 404 == (await host.client.get("/openapi.json")).status_code


def test_public_operation_needs_no_credential_and_says_so(tmp_path: Path) -> None:
    rack = Keyrack(Settings(data=tmp_path), brand=Brand("Acme", "acme"), categories=CATEGORIES)
    app = build_app(rack)
    rack.install(app)
    opened = rack.openapi(BASE_URL)["paths"]["/api/v1/open"]["get"]
    assert ([], None) == (opened["security"], opened["x-permission"])
    assert "401" not in opened["responses"]


def test_two_routes_of_one_name_get_two_ids_and_ours_keep_theirs(tmp_path: Path) -> None:
    rack = Keyrack(Settings(data=tmp_path), brand=Brand("Acme", "acme"), categories=CATEGORIES)
    app = build_app(rack)

    @app.get("/api/v1/my-keys", dependencies=[rack.requires("any")], name="list_keys")
    async def list_keys() -> dict[str, str]:
        return {}

    rack.install(app)
    paths = rack.openapi(BASE_URL)["paths"]
    assert "listKeys" == paths["/api/v1/keys"]["get"]["operationId"]
    assert "listKeysApiV1MyKeysGET" == paths["/api/v1/my-keys"]["get"]["operationId"]


def test_plain_routes_are_told_of_and_hidden_ones_and_sockets_are_not(tmp_path: Path) -> None:
    rack = Keyrack(Settings(data=tmp_path), brand=Brand("Acme", "acme"), categories=CATEGORIES)

    @rack.needs("customers:read", cost=3)
    async def get_picture(request: Request) -> Response:
        """Get a customer's picture."""
        return Response()

    async def listen(socket: WebSocket) -> None:
        await socket.close()

    routes = [
        Route("/api/v1/customers/{customer}/picture", get_picture),
        Route("/api/v1/hidden", get_picture, include_in_schema=False),
        WebSocketRoute("/api/v1/socket", rack.needs("any")(listen)),
    ]
    rack.install(Starlette(routes=routes))
    paths = rack.openapi(BASE_URL)["paths"]
    assert {"/api/v1/customers/{customer}/picture"} == {path for path in paths if re.search("picture|hidden|socket", path)}
    told = paths["/api/v1/customers/{customer}/picture"]["get"]
    assert ("getPicture", "Get a customer's picture", 3) == (told["operationId"], told["summary"], told["x-cost"])
    assert ["customer"] == [one["name"] for one in told["parameters"] if one.get("in") == "path"]
    assert [] == [error.message for error in OpenAPIV31SpecValidator(rack.openapi(BASE_URL)).iter_errors()]


def test_command_prints_the_document_and_leaves_no_data_behind(tmp_path: Path) -> None:
    ended = run(tmp_path, "openapi", "atrium.app:app", "--base-url", BASE_URL, ATRIUM_BRAND="pivotal")
    assert 0 == ended.returncode, ended.stderr
    assert json.loads(ended.stdout) == rack_of(tmp_path / "other", "pivotal").openapi(BASE_URL)
    assert ["other"] == [path.name for path in tmp_path.iterdir()]


def _contents(node: Any) -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "content" and isinstance(value, dict):
                yield from (one for kind, one in value.items() if "json" in kind)
            yield from _contents(value)
    elif isinstance(node, list):
        for value in node:
            yield from _contents(value)


def _examples(content: dict[str, Any]) -> list[Any]:
    return [one["value"] for one in content.get("examples", {}).values()] + ([content["example"]] if "example" in content else [])


def test_example_of_the_docs_is_described_as_they_say(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "openapi.md").read_text()
    (program,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "shop.py").write_text(program)
    ended = run(tmp_path, "openapi", "shop:app")
    assert 0 == ended.returncode, ended.stderr
    found = json.loads(ended.stdout)
    made = operations(found)["createOrder"]
    assert ("Place an order", "orders:write", 1) == (made["summary"], made["x-permission"], made["x-cost"])
    assert "It is packed on the same day.\n\nNeeds `orders:write`." == made["description"]
    assert {"item": "Teapot", "count": 2} == made["requestBody"]["content"]["application/json"]["example"]
    assert "#/components/schemas/Order" == made["responses"]["201"]["content"]["application/json"]["schema"]["$ref"]
    assert ["What was bought, and what became of it."] == [tag["description"] for tag in found["tags"] if tag["name"] == "orders"]
