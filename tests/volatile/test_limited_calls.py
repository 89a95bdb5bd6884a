"""What callers are told of their limits is the same, whichever counters count."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from keyrack import Keyrack, Limit, Plan, Settings
from keyrack.crypto.digest import digest
from keyrack.manage import keys
from keyrack.model.limits import DAY_SECONDS
from tests.backends import Backend
from tests.hosts import ALL_RIGHTS, BRAND, CATEGORIES, Host, build_app, client_of, living
from tests.valkey import Server

PLAN = Plan("tried", "Tried", limits=(Limit("workspace", quota=1, window_seconds=3600, burst=40), Limit("daily", 25, DAY_SECONDS)))
TOLD = ("ratelimit-policy", "ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


@asynccontextmanager
async def limited(backend: Backend, data: Path, **options: Any) -> AsyncIterator[tuple[Host, keys.Issued]]:
    """Run a host whose workspace has two limits, with a key."""
    rack = Keyrack(Settings(data=data, database_url=backend.url, **options), brand=BRAND, categories=CATEGORIES, plans=(PLAN,))
    app = build_app(rack)
    rack.install(app)
    async with living(app), client_of(rack, app) as host:
        yield host, await host.key(ALL_RIGHTS)


async def test_calls_tell_what_is_left_of_the_tightest_limit(backend: Backend, tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(backend, tmp_path, **counters) as (host, key):
        for left in (24, 23):
            told = (await host.get("/api/v1/customers", key)).headers
            assert ['"workspace";q=1;w=3600, "daily";q=25;w=86400', "1", "1"] == [
                told["ratelimit-policy"], told["x-ratelimit-limit"], told["x-ratelimit-remaining"],
            ]  # fmt: skip
            assert f'"workspace";r=1;t=3600, "daily";r={left};t=' in told["ratelimit"]


async def test_calls_above_a_limit_are_refused_and_consume_nothing(backend: Backend, tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(backend, tmp_path, **counters) as (host, key):
        answers = await asyncio.gather(*[host.get("/api/v1/customers", key) for _ in range(64)])
        assert {200: 25, 429: 39} == Counter(answer.status_code for answer in answers)
        (denied, *others) = [answer for answer in answers if answer.status_code == 429]
        assert ("rate_limited", ["daily"]) == (denied.json()["code"], denied.json()["violated-policies"])
        assert 1 <= int(denied.headers["retry-after"]) <= DAY_SECONDS
        assert denied.headers["ratelimit"].startswith('"daily";r=0;t=')
        assert all(set(TOLD) <= set(answer.headers) for answer in [denied, *others])
        assert 429 == (await host.get("/api/v1/customers", key)).status_code


async def test_calls_are_answered_while_valkey_is_away_and_within_the_limit(
    backend: Backend, tmp_path: Path, valkey_server: Server
) -> None:
    valkey_server.empty()
    async with limited(backend, tmp_path, valkey_url=valkey_server.url) as (host, key):
        for _ in range(5):
            assert 200 == (await host.get("/api/v1/customers", key)).status_code
        valkey_server.pause()
        try:
            answers = await asyncio.gather(*[host.get("/api/v1/customers", key) for _ in range(64)])
        finally:
            valkey_server.go_on()
        assert {200: 20, 429: 44} == Counter(answer.status_code for answer in answers)
        assert all(set(TOLD) <= set(answer.headers) for answer in answers)


async def test_a_quota_outlives_both_the_process_and_valkey(backend: Backend, tmp_path: Path, valkey_server: Server) -> None:
    valkey_server.empty()
    async with limited(backend, tmp_path, valkey_url=valkey_server.url) as (host, key):
        for _ in range(10):
            assert 200 == (await host.get("/api/v1/customers", key)).status_code
    valkey_server.empty()
    rack = Keyrack(
        Settings(data=tmp_path, database_url=backend.url, valkey_url=valkey_server.url), brand=BRAND, categories=CATEGORIES, plans=(PLAN,)
    )
    app = build_app(rack)
    rack.install(app)
    async with living(app):
        buckets = (await rack.assembly.look_ups.look_up(digest(key.secret.text.encode()))).buckets  # type: ignore[union-attr]
        assert rack.assembly.shared_counters is not None
        told = await rack.assembly.shared_counters.take(host.workspace.id, buckets, 1)
        assert [39, 14] == [budget.remaining for budget in told.budgets]


async def test_processes_on_one_database_divide_a_limit_while_valkey_is_away(
    postgresql_url: str, tmp_path: Path, valkey_server: Server
) -> None:
    backend = Backend("postgresql", postgresql_url, None)
    valkey_server.empty()
    async with limited(backend, tmp_path / "one", valkey_url=valkey_server.url) as (host, key):
        other = Keyrack(
            Settings(data=tmp_path / "two", database_url=backend.url, valkey_url=valkey_server.url),
            brand=BRAND, categories=CATEGORIES, plans=(PLAN,),
        )  # fmt: skip
        app = build_app(other)
        other.install(app)
        async with living(app):
            while {2} != {rack.assembly.feed.live for rack in (host.rack, other)}:  # type: ignore[attr-defined]  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            valkey_server.kill()
            try:
                buckets = (await host.rack.assembly.look_ups.look_up(digest(key.secret.text.encode()))).buckets  # type: ignore[union-attr]
                for rack in (host.rack, other):
                    shared = rack.assembly.shared_counters
                    assert shared is not None
                    taken = [await shared.take(host.workspace.id, buckets, 1) for _ in range(20)]
                    assert 13 == sum(each.allowed for each in taken)
            finally:
                valkey_server.start()
