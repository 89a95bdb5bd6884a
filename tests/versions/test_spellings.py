"""`/api` is another spelling of `/api/v1`, except where the host has a path of its own."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI

from keyrack import Keyrack, Settings
from tests.hosts import BRAND, CATEGORIES, PLANS, Host, client_of, living
from tests.versions.conftest import FIRST, Changed
from tests.walk.problems import problem


async def test_short_spelling_is_the_same_operation_at_the_same_version(changed: Changed) -> None:
    host, key = changed.host, await changed.key_at(FIRST)
    for path in ("orders/o1", "orders", "me"):
        long, short = await host.get(f"/api/v1/{path}", key), await host.get(f"/api/{path}", key)
        assert 200 == short.status_code
        assert (long.headers["api-version"], long.content) == (short.headers["api-version"], short.content)
    made = await host.send("POST", "/api/orders", key, json={"customer": "Ada Park", "costs": 5})
    assert (201, 5) == (made.status_code, made.json()["costs"])


async def test_log_has_the_path_as_it_was_called_and_the_operation_that_it_was(changed: Changed) -> None:
    host, key = changed.host, await changed.host.key()
    answer = await host.get("/api/orders/o1", key)
    line = (await host.get(f"/api/v1/logs/{answer.headers['x-request-id']}", key)).json()
    assert ("/api/orders/o1", "/api/v1/orders/{order_id}") == (line["path"], line["route"])


async def test_short_spelling_is_refused_as_the_long_one_is(changed: Changed) -> None:
    host, key = changed.host, await changed.host.key()
    problem(await host.get("/api/orders/o1"), 401, "missing_credential")
    problem(await host.get("/api/nothing", key), 404, "not_found")
    problem(await host.get("/api/v1/v1/orders", key), 404, "not_found")
    problem(await host.get("/api/keys", key), 403, "insufficient_permission")
    answer = await host.send("PUT", "/api/orders", key)
    assert (405, {"GET", "POST"}) == (answer.status_code, set(answer.headers["allow"].split(", ")))
    document = problem(await host.get("/api/orders/", key), 404, "not_found")
    assert "No such path. Did you mean /api/orders?" == document["detail"]


async def host_with(folder: Path, guard: list[str]) -> tuple[Keyrack, FastAPI]:
    """Return a host with a path of its own below /api, and one below /api/v1."""
    rack = Keyrack(Settings(data=folder), brand=BRAND, categories=CATEGORIES, plans=PLANS)
    app = FastAPI()
    read = [rack.requires("customers:read")] if "/api" in guard else []

    @app.get("/api/reports", dependencies=read)
    async def own_reports() -> dict[str, Any]:
        return {"whose": "the short one's"}

    @app.get("/api/v1/reports", dependencies=[rack.requires("customers:read")])
    async def reports() -> dict[str, Any]:
        return {"whose": "the long one's"}

    @app.post("/api/v1/reports", dependencies=[rack.requires("customers:write")])
    async def make_report() -> dict[str, Any]:
        return {"made": True}

    @app.get("/api/v1/files/{path:path}", dependencies=[rack.requires("customers:read")])
    async def files(path: str) -> dict[str, Any]:
        return {"path": path}

    rack.install(app, guard=guard)
    return rack, app


async def answers(host: Host, *paths: str) -> list[Any]:
    """Return what these paths answer."""
    key = await host.key()
    return [(await host.get(path, key)).json() for path in paths]


async def test_path_of_the_hosts_own_goes_before_the_other_spelling(tmp_path: Path) -> None:
    rack, app = await host_with(tmp_path, ["/api"])
    async with living(app), client_of(rack, app) as host:
        assert [{"whose": "the short one's"}, {"whose": "the long one's"}] == await answers(host, "/api/reports", "/api/v1/reports")
        assert 405 == (await host.send("POST", "/api/reports", await host.key())).status_code
        assert [{"path": "a/b c/ü"}] == await answers(host, "/api/files/a/b%20c/%C3%BC")


async def test_host_that_guards_the_long_spelling_alone_keeps_all_else(tmp_path: Path) -> None:
    rack, app = await host_with(tmp_path, ["/api/v1"])
    async with living(app), client_of(rack, app) as host:
        assert [{"whose": "the short one's"}, {"detail": "Not Found"}] == await answers(host, "/api/reports", "/api/me")


async def test_app_below_a_path_of_the_server_has_both_spellings(tmp_path: Path) -> None:
    rack, app = await host_with(tmp_path, ["/api"])
    outer = FastAPI()
    outer.mount("/product", app)
    async with living(app), client_of(rack, outer) as host:
        key = await host.key()
        assert [200, 200] == [(await host.get(f"/product{path}", key)).status_code for path in ("/api/v1/me", "/api/me")]
        assert {"path": "x"} == (await host.get("/product/api/files/x", key)).json()
