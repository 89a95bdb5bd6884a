"""Nodes with folders of their own, on one database and one Valkey, admit together what one would."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from keyrack import Plan
from tests.hosts import client_of, living
from tests.limits.hosts import MESSAGES, Host, app_of, scarce
from tests.valkey import Server

PLAN = Plan("two", "Two", limits=(scarce("workspace", 30), scarce("key", 20, per="key")), meters={"messages": 12})
NODES = 3


@asynccontextmanager
async def nodes(url: str, folder: Path, valkey: Server) -> AsyncIterator[tuple[Host, list[httpx.AsyncClient]]]:
    """Run several nodes; return the first with a workspace, and a client of each."""
    valkey.empty()
    async with AsyncExitStack() as stack:
        made = [
            app_of(folder / str(number), [PLAN], [MESSAGES], database_url=url, valkey_url=valkey.url, valkey_wait_seconds=5.0)
            for number in range(NODES)
        ]
        clients = []
        for _, app in made:
            await stack.enter_async_context(living(app))
            transport = httpx.ASGITransport(app=app)
            clients.append(await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://acme.test")))
        yield await stack.enter_async_context(client_of(*made[0])), clients


async def test_64_tasks_over_three_nodes_admit_exactly_what_two_policies_and_a_meter_allow(
    postgresql_url: str, tmp_path: Path, valkey_server: Server
) -> None:
    async with nodes(postgresql_url, tmp_path, valkey_server) as (host, clients):
        keys = [await host.key(name=name) for name in ("one", "other")]

        async def call(number: int, method: str, path: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {keys[number // NODES % 2].secret.text}"}
            return await clients[number % NODES].request(method, path, headers=headers)

        counted = await asyncio.gather(*[call(number, "POST", "/api/v1/notes") for number in range(18)])
        assert {200: 12, 429: 6} == Counter(answer.status_code for answer in counted)
        assert {"quota_exceeded"} == {answer.json()["code"] for answer in counted if answer.status_code == 429}
        answers = await asyncio.gather(*[call(number, "GET", "/api/v1/customers") for number in range(64)])
        assert {200: 12, 429: 52} == Counter(answer.status_code for answer in answers)
        for client in clients:
            usage = (await client.get("/api/v1/usage", headers={"Authorization": f"Bearer {keys[0].secret.text}"})).json()["live"]
            assert (30, 12) == (usage["limits"][0]["used"], usage["meters"][0]["used"])
