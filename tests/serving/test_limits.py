"""Limits and meters count exactly, whichever of the processes on one file a call comes to."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from keyrack import Plan
from keyrack.manage import keys
from tests.hosts import ALL_RIGHTS
from tests.serving.plans import BURST, EXACT, METERED, QUOTA
from tests.serving.served import Installation, serving
from tests.serving.wire import Received, connected
from tests.valkey import serve

CLIENTS = 40
CALLS_EACH = 8


@pytest.mark.parametrize(("programs", "workers", "on_valkey"), [(2, 1, False), (1, 2, False), (2, 1, True)])
async def test_limits_and_meters_admit_exactly_what_they_say_over_two_processes(
    installation: Installation, programs: int, workers: int, on_valkey: bool
) -> None:
    key, metered = await key_under(installation, EXACT), await key_under(installation, METERED)
    async with AsyncExitStack() as stack:
        valkey = stack.enter_context(serve()) if on_valkey else None
        shared = {"KEYRACK_VALKEY_URL": valkey.url, "KEYRACK_VALKEY_WAIT_SECONDS": "5"} if valkey is not None else {}
        starts = [serving(installation, "--workers", str(workers), name=f"server-{number}", **shared) for number in range(programs)]
        servers = await asyncio.gather(*[stack.enter_async_context(start) for start in starts])
        urls = [servers[number % programs].url for number in range(CLIENTS)]
        answers = await calls(urls, key, "/api/v1/both")
        assert {200: BURST, 429: CLIENTS * CALLS_EACH - BURST} == Counter(answer.status for answer in answers)
        assert valkey is None or valkey.command("KEYS", "keyrack:{*")
        assert all(1 <= int(answer.headers["retry-after"]) <= 3600 for answer in answers if answer.status == 429)
        assert all(["workspace"] == answer.json["violated-policies"] for answer in answers if answer.status == 429)
        counted = await calls(urls, metered, "/api/v1/counted")
        assert {200: QUOTA, 429: CLIENTS * CALLS_EACH - QUOTA} == Counter(answer.status for answer in counted)
        assert {"quota_exceeded"} == {answer.json["code"] for answer in counted if answer.status == 429}
        await installation.all_logged(answer.request_id for answer in [*answers, *counted])


async def key_under(installation: Installation, plan: Plan) -> str:
    """Make a workspace under a plan, and return a key of it."""
    rack = installation.rack
    workspace = await rack.workspaces.create(plan.title, slug=plan.name, plan=plan.name)
    owner = await rack.workspaces.operator(workspace.id)
    return (await keys.create(rack.assembly.desk, owner, name="limited", rights=ALL_RIGHTS)).secret.text


async def calls(urls: Sequence[str], key: str, path: str) -> list[Received]:
    """Call from as many connections as there are addresses, on each several times."""

    async def call(url: str) -> list[Received]:
        async with connected(url, key) as wire:
            return [await wire.get(path) for _ in range(CALLS_EACH)]

    return [answer for several in await asyncio.gather(*[call(url) for url in urls]) for answer in several]
