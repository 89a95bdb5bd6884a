"""A limit counts exactly, whichever of the processes on one file a call comes to."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from keyrack.manage import keys
from tests.hosts import ALL_RIGHTS
from tests.serving.plans import BURST, EXACT
from tests.serving.served import Installation, serving
from tests.serving.wire import Received, connected
from tests.valkey import serve

CLIENTS = 64
CALLS_EACH = 8


@pytest.mark.parametrize(("programs", "workers", "on_valkey"), [(2, 1, False), (1, 2, False), (2, 1, True)])
async def test_limit_admits_exactly_its_burst_over_two_processes(
    installation: Installation, programs: int, workers: int, on_valkey: bool
) -> None:
    key = await limited_key(installation)
    async with AsyncExitStack() as stack:
        valkey = stack.enter_context(serve()) if on_valkey else None
        shared = {"KEYRACK_VALKEY_URL": valkey.url, "KEYRACK_VALKEY_WAIT_SECONDS": "5"} if valkey is not None else {}
        starts = [serving(installation, "--workers", str(workers), name=f"server-{number}", **shared) for number in range(programs)]
        servers = await asyncio.gather(*[stack.enter_async_context(start) for start in starts])
        urls = [servers[number % programs].url for number in range(CLIENTS)]
        answers = [answer for several in await asyncio.gather(*[calls(url, key) for url in urls]) for answer in several]
        assert {200: BURST, 429: CLIENTS * CALLS_EACH - BURST} == Counter(answer.status for answer in answers)
        assert valkey is None or valkey.command("KEYS", "keyrack:{*")
        assert 2 == len({answer.json["pid"] for answer in answers if answer.status == 200})
        assert all(1 <= int(answer.headers["retry-after"]) <= 3600 for answer in answers if answer.status == 429)
        await installation.all_logged(answer.request_id for answer in answers)


async def limited_key(installation: Installation) -> str:
    """Make a workspace under the plan whose limit is tried, and return a key of it."""
    rack = installation.rack
    workspace = await rack.workspaces.create("Limited", slug="limited")
    await rack.workspaces.set_plan(workspace.id, EXACT.name)
    owner = await rack.workspaces.operator(workspace.id)
    return (await keys.create(rack.assembly.desk, owner, name="limited", rights=ALL_RIGHTS)).secret.text


async def calls(url: str, key: str) -> list[Received]:
    """Call several times on one connection."""
    async with connected(url, key) as wire:
        return [await wire.get("/api/v1/both") for _ in range(CALLS_EACH)]
