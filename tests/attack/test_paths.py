"""Paths that strangers make up."""

import tracemalloc
from typing import Any

from tests.hosts import Host
from tests.walk.problems import problem

PATHS = 200
LENGTH = 30_000


async def ask_bare(host: Host, path: str) -> int:
    """Ask without a client library, which remembers URLs itself; return the status."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    await host.app({"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}, receive, send)
    return statuses[0]


async def test_paths_that_strangers_make_up_are_not_kept_in_memory(host: Host) -> None:
    tracemalloc.start()
    try:
        for number in range(PATHS):
            assert 401 == await ask_bare(host, f"/api/{number}{'x' * LENGTH}/y")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < PATHS * LENGTH / 2


async def test_routes_are_found_whatever_stands_beside_them(host: Host) -> None:
    key = await host.key()
    for name in ("customers", "v1", "{customer}", "api"):
        assert {"id": name} == (await host.get(f"/api/v1/customers/{name}", key)).json()
    for path in ("/api/v2/customers", "/api//customers", "/api/v1/", "/api/v1/v1/customers"):
        problem(await host.get(path, key), 404, "not_found")
