"""What a host declares is what the gate checks, or the host does not start."""

import re
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from keyrack import Keyrack, Settings
from keyrack.manage import keys
from keyrack.model.permissions import Level, Rights
from tests.hosts import ALL_RIGHTS, BRAND, CATEGORIES, living

READER = Rights(permissions={"customers": Level.READ})


def rack_in(folder: Path) -> Keyrack:
    """Return a rack with its data in a folder."""
    return Keyrack(Settings(data=folder), brand=BRAND, categories=CATEGORIES)


async def answer(request: Request) -> JSONResponse:
    """Answer with what the gate made of the call."""
    caller = request.scope["keyrack"]
    return JSONResponse({"path": request.url.path, "operation": caller.call.operation.template, "rest": request.path_params})


async def ask(rack: Keyrack, app: Any, path: str, rights: Rights = ALL_RIGHTS, **options: Any) -> httpx.Response:
    """Ask a living app with a key of these rights."""
    workspace = await rack.workspaces.create("VML", slug=f"vml-{token_hex(4)}")
    key = await keys.create(rack.assembly.desk, await rack.workspaces.operator(workspace.id), name="key", rights=rights)
    transport = httpx.ASGITransport(app=app, **options)
    async with httpx.AsyncClient(transport=transport, base_url="http://acme.test") as client:
        return await client.get(path, headers={"Authorization": f"Bearer {key.secret.text}"})


async def refuses_to_start(app: Any, *words: str) -> None:
    """Prove that an app does not start, and says why in these words."""
    with pytest.raises(RuntimeError) as stopped:
        async with living(app):
            pass
    assert [] == [word for word in words if word not in str(stopped.value)]


async def test_guarded_route_that_declares_nothing_stops_the_start(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()

    @app.get("/api/v1/forgotten")
    async def forgotten() -> None:
        return None

    rack.install(app)
    await refuses_to_start(app, "GET /api/v1/forgotten", "rack.requires", "rack.public")


async def test_unknown_permission_stops_the_start(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    app.get("/api/v1/a", dependencies=[rack.requires("custmers:read")])(answer)
    rack.install(app)
    await refuses_to_start(app, "custmers:read", "customers")


async def test_space_that_the_path_does_not_name_stops_the_start(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    app.get("/api/v1/a/{id}", dependencies=[rack.requires("messages:read", space="path:space_id")])(answer)
    rack.install(app)
    await refuses_to_start(app, "space_id", "/api/v1/a/{id}")


async def test_category_in_spaces_without_a_space_stops_the_start(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    app.get("/api/v1/a", dependencies=[rack.requires("messages:read")])(answer)
    rack.install(app)
    await refuses_to_start(app, "messages:read", "space=")


async def test_same_operation_twice_stops_the_start(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    app.get("/api/v1/a/{one}", dependencies=[rack.requires("any")])(answer)
    app.get("/api/v1/a/{two}", dependencies=[rack.requires("org_admin")])(answer)
    rack.install(app)
    await refuses_to_start(app, "GET /api/v1/a/{two}", "twice")


async def test_host_route_that_stands_where_ours_does_stops_the_start(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    app.get("/api/v1/me", dependencies=[rack.requires("any")])(answer)
    rack.install(app)
    await refuses_to_start(app, "GET /api/v1/me", "twice")


async def test_first_matching_route_decides_as_in_the_hosts_router(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    app.get("/api/v1/things/special", dependencies=[rack.requires("org_admin")])(answer)
    app.get("/api/v1/things/{thing}", dependencies=[rack.requires("customers:read")])(answer)
    rack.install(app)
    async with living(app):
        assert 200 == (await ask(rack, app, "/api/v1/things/1", READER)).status_code
        assert 403 == (await ask(rack, app, "/api/v1/things/special", READER)).status_code


async def test_routers_and_mounts_are_read_with_their_prefixes(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    router = APIRouter(prefix="/inner", dependencies=[rack.requires("customers:read")])
    router.get("/{thing}")(answer)
    app.include_router(router, prefix="/api/v1")
    mounted = FastAPI()
    mounted.get("/deep/{thing}", dependencies=[rack.requires("customers:write")])(answer)
    app.mount("/api/v1/mounted", mounted)
    rack.install(app)
    async with living(app):
        assert "/api/v1/inner/{thing}" == (await ask(rack, app, "/api/v1/inner/1", READER)).json()["operation"]
        assert "/api/v1/mounted/deep/{thing}" == (await ask(rack, app, "/api/v1/mounted/deep/1")).json()["operation"]
        assert 403 == (await ask(rack, app, "/api/v1/mounted/deep/1", READER)).status_code


async def test_opaque_mount_needs_one_declaration(tmp_path: Path) -> None:
    async def opaque(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse({"path": scope["path"]})(scope, receive, send)

    undeclared = rack_in(tmp_path / "a")
    app = Starlette(routes=[Mount("/api/files", app=opaque)])
    undeclared.install(app)
    await refuses_to_start(app, "/api/files")
    rack = rack_in(tmp_path / "b")
    app = Starlette(routes=[Mount("/api/files", app=opaque)])
    rack.install(app, mounts={"/api/files": "customers:write"})
    async with living(app):
        assert 200 == (await ask(rack, app, "/api/files/a/b.txt")).status_code
        assert 403 == (await ask(rack, app, "/api/files/a/b.txt", READER)).status_code


async def test_plain_starlette_endpoints_declare_by_decorator(tmp_path: Path) -> None:
    rack = rack_in(tmp_path)

    @rack.needs("customers:read")
    async def plain(request: Request) -> JSONResponse:
        return await answer(request)

    app = Starlette(routes=[Route("/api/v1/plain/{thing:int}", plain)])
    rack.install(app)
    async with living(app):
        assert {"thing": 7} == (await ask(rack, app, "/api/v1/plain/7", READER)).json()["rest"]
        assert 404 == (await ask(rack, app, "/api/v1/plain/x", READER)).status_code


async def test_root_path_is_taken_off_before_the_guard_looks(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    app.get("/api/v1/a", dependencies=[rack.requires("any")])(answer)
    rack.install(app)
    async with living(app):
        assert 200 == (await ask(rack, app, "/behind/api/v1/a", root_path="/behind")).status_code
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app, root_path="/behind"), base_url="http://acme.test") as client:
            assert 401 == (await client.get("/behind/api/v1/a")).status_code


async def test_encoded_and_doubled_slashes_do_not_lead_around_the_guard(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    app.get("/api/v1/a", dependencies=[rack.requires("any")])(answer)
    rack.install(app)
    async with living(app), httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://acme.test") as client:
        for path in ("/api/v1/a", "/api/v1/a/", "/%61pi/v1/a", "/api//v1/a", "/API/v1/a", "//api/v1/a", "/api/../api/v1/a"):
            assert (await client.get(path)).status_code in (401, 404), path


async def test_route_that_declares_two_things_stops_the_start(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    app.get("/api/v1/two", dependencies=[rack.requires("any"), rack.requires("org_admin")])(answer)
    rack.install(app)
    await refuses_to_start(app, "/api/v1/two", "several things")


async def test_handler_under_another_operation_than_the_gate_chose_answers_nothing(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    app.get("/api/v1/first", dependencies=[rack.requires("customers:read")])(answer)
    app.get("/api/v1/second", dependencies=[rack.requires("org_admin")])(answer)
    rack.install(app)
    async with living(app):
        # The host's router is led astray after the gate has decided.
        for route in app.router.routes:
            if getattr(route, "path", "") == "/api/v1/second":
                route.path_regex = re.compile("^/api/v1/first$")  # type: ignore[attr-defined]
        app.router.routes.reverse()
        refused = await ask(rack, app, "/api/v1/first", READER)
        assert (500, "catalog_mismatch") == (refused.status_code, refused.json()["code"])
