"""What the gate knows already is not asked of FastAPI again, and nothing is let through for it."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI

from keyrack import Caller
from keyrack.gate.requires import Requires, current_caller
from tests.embed.test_routes import READER, ask, rack_in
from tests.hosts import living


def solved_by_fastapi(dependant: Any) -> list[Any]:
    """Our own dependencies that FastAPI is left with, at any depth."""
    found = [one.call for one in dependant.dependencies if isinstance(one.call, Requires) or one.call is current_caller]
    return found + [call for one in dependant.dependencies for call in solved_by_fastapi(one)]


async def test_caller_reaches_the_handler_without_fastapi(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()

    @app.get("/api/v1/things/{thing}", dependencies=[rack.requires("customers:read")])
    async def get_thing(thing: str, caller: Caller, size: int = 1) -> dict[str, Any]:
        return {"thing": thing, "caller": caller.name, "size": size}

    rack.install(app)
    async with living(app):
        answer = await ask(rack, app, "/api/v1/things/one?size=2", READER)
        assert {"thing": "one", "caller": "key", "size": 2} == answer.json()
        (route,) = [route for route in app.router.routes if getattr(route, "path", "") == "/api/v1/things/{thing}"]
        assert [] == solved_by_fastapi(route.dependant)  # type: ignore[attr-defined]


async def test_caller_reaches_plain_functions_and_dependencies_of_the_hosts_own(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()

    async def workspace_of(caller: Caller) -> str:
        return caller.workspace_id

    @app.get("/api/v1/plain", dependencies=[rack.requires("customers:read")])
    def plain(caller: Caller, workspace_id: Annotated[str, Depends(workspace_of)]) -> dict[str, Any]:
        return {"same": caller.workspace_id == workspace_id}

    rack.install(app)
    async with living(app):
        assert {"same": True} == (await ask(rack, app, "/api/v1/plain", READER)).json()


async def test_router_that_is_included_twice_is_held_to_both_declarations(tmp_path: Path) -> None:
    rack, app, router = rack_in(tmp_path), FastAPI(), APIRouter()

    @router.get("/things")
    async def things(caller: Caller) -> dict[str, Any]:
        return {"caller": caller.name}

    app.include_router(router, prefix="/api/v1/first", dependencies=[rack.requires("customers:read")])
    app.include_router(router, prefix="/api/v1/second", dependencies=[rack.requires("org_admin")])
    rack.install(app)
    async with living(app):
        assert {"caller": "key"} == (await ask(rack, app, "/api/v1/first/things", READER)).json()
        assert 403 == (await ask(rack, app, "/api/v1/second/things", READER)).status_code


async def test_no_dependency_runs_where_the_gate_chose_another_operation(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()
    ran = []

    async def note() -> None:
        ran.append("note")

    @app.get("/api/v1/first", dependencies=[rack.requires("customers:read")])
    async def first() -> None:
        return None

    @app.get("/api/v1/second", dependencies=[Depends(note), rack.requires("org_admin")])
    async def second() -> None:
        return None

    rack.install(app)
    async with living(app):
        # The host's router is led astray after the gate has decided.
        one, two = (route for route in app.router.routes if getattr(route, "path", "").startswith("/api/v1/"))
        two.path_regex = one.path_regex  # type: ignore[attr-defined]
        app.router.routes.reverse()
        refused = await ask(rack, app, "/api/v1/first", READER)
        assert (500, "catalog_mismatch") == (refused.status_code, refused.json()["code"])
        assert [] == ran


async def test_app_that_is_started_again_declares_the_same(tmp_path: Path) -> None:
    rack, app = rack_in(tmp_path), FastAPI()

    @app.get("/api/v1/things", dependencies=[rack.requires("org_admin")])
    async def things() -> None:
        return None

    rack.install(app)
    for _ in range(2):
        async with living(app):
            assert 403 == (await ask(rack, app, "/api/v1/things", READER)).status_code
