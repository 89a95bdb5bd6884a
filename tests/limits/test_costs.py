"""What a call costs is declared where its route is, and checked before the host serves."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from keyrack import Keyrack, Plan, Settings
from tests.hosts import ALL_RIGHTS, BRAND, CATEGORIES, client_of, living
from tests.limits.hosts import calls, limited, remaining, scarce, violated

TEN = Plan("ten", "Ten", limits=(scarce("workspace", 10), scarce("key", 12, per="key")))


async def test_a_call_takes_its_cost_from_every_policy_or_nothing(tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(tmp_path, [TEN], report_cost=5, **counters) as host:
        key = await host.key()
        assert 200 == (await host.get("/api/v1/report", key)).status_code
        assert {"workspace": 5, "key": 7} == await remaining(host, key)
        assert [200] * 2 == await calls(host, key, 2)
        refused = await host.get("/api/v1/report", key)
        assert ["workspace"] == violated(refused)
        assert "less left than the 5" in refused.json()["detail"]
        # Two more units come back in two hours, the next one in one.
        assert 3600 < int(refused.headers["retry-after"]) <= 7200
        assert {"workspace": 3, "key": 5} == await remaining(host, key)
        assert [200] * 3 == await calls(host, key, 3)


async def test_a_free_call_takes_nothing_and_passes_when_nothing_is_left(tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(tmp_path, [TEN], **counters) as host:
        key = await host.key()
        assert [200] * 10 == await calls(host, key, 10)
        assert [429] == await calls(host, key, 1)
        assert [200] * 3 == await calls(host, key, 3, "/api/v1/status")
        assert {"workspace": 0, "key": 2} == await remaining(host, key)


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (-1, "cost=-1 is no number of units"),
        (True, "cost=True is no number of units"),
        (1.5, "cost=1.5 is no number of units"),
        (11, "costs 11, and the limit 'workspace' of the plan 'ten' never holds more than 10"),
    ],
)
async def test_a_cost_that_cannot_be_stops_the_start_and_names_the_route(tmp_path: Path, cost: Any, words: str) -> None:
    rack, app = rack_in(tmp_path), FastAPI()

    @app.get("/api/v1/report", dependencies=[rack.requires("customers:read", cost=cost)])
    async def report() -> None:
        return None

    rack.install(app)
    with pytest.raises(RuntimeError, match="GET /api/v1/report") as stopped:
        async with living(app):
            pass
    assert words in str(stopped.value)


async def test_a_plan_without_api_access_bounds_no_cost(tmp_path: Path) -> None:
    closed = Plan("closed", "Closed", api_access=False, limits=(scarce("workspace", 1),))
    async with limited(tmp_path, [TEN, closed]) as host:
        assert 200 == (await host.get("/api/v1/report", await host.key())).status_code


async def test_plain_routes_and_mounts_declare_costs_too(tmp_path: Path) -> None:
    rack = rack_in(tmp_path)

    @rack.needs("customers:read", cost=3)
    async def plain(request: Request) -> PlainTextResponse:
        return PlainTextResponse("plain")

    async def files(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("file")(scope, receive, send)

    app = Starlette(routes=[Route("/api/plain", plain), Mount("/api/files", app=files)])
    rack.install(app, mounts={"/api/files": rack.requires("customers:read", cost=2)})
    async with living(app), client_of(rack, app) as host:  # type: ignore[arg-type]
        key = await host.key(ALL_RIGHTS)
        assert 200 == (await host.get("/api/plain", key)).status_code
        assert {"workspace": 7, "key": 9} == await remaining(host, key)
        assert 200 == (await host.get("/api/files/one", key)).status_code
        assert {"workspace": 5, "key": 7} == await remaining(host, key)


def rack_in(folder: Path) -> Keyrack:
    """Return a rack under a plan of ten units."""
    return Keyrack(Settings(data=folder), brand=BRAND, categories=CATEGORIES, plans=[TEN])
