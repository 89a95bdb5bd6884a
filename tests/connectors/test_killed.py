"""A process that is killed while it calls a vendor: every event arrives, and what arrives twice is known by its key."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from keyrack.model.deliveries import State
from tests.connectors.conftest import Scene
from tests.connectors.recorders import HANGS

CUSTOMERS = 12
SECONDS_MAX = 60


@asynccontextmanager
async def working(folder: Path, stripe_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process that makes the calls."""
    arguments = (sys.executable, "-m", "tests.connectors.worker", str(folder), stripe_url)
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert b"ready\n" == await asyncio.wait_for(process.stdout.readline(), SECONDS_MAX)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_process_killed_between_sending_and_noting_loses_nothing_and_doubles_nothing(scene: Scene, tmp_path: Path) -> None:
    connector = await scene.connect("stripe")
    answers = scene.vendors.stripe.otherwise
    scene.vendors.stripe.otherwise = lambda sent: HANGS if len(scene.vendors.stripe.sent) % 3 == 0 else answers(sent)
    async with working(tmp_path, scene.vendors.stripe.url) as process:
        for number in range(CUSTOMERS):
            await scene.customer(f"Customer {number}")
        async with asyncio.timeout(SECONDS_MAX):
            while len(scene.vendors.stripe.sent) < 4:  # noqa: ASYNC110 - another process sends
                await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
    before = await scene.log(connector)
    assert State.PENDING in {call.state for call in before}
    scene.vendors.stripe.otherwise = answers
    # What the dead process had claimed comes back when its claim ends.
    await scene.due_now()
    async with working(tmp_path, scene.vendors.stripe.url), asyncio.timeout(SECONDS_MAX):
        while {State.SUCCEEDED} != {call.state for call in await scene.log(connector)}:  # noqa: ASYNC110 - another process sends
            await asyncio.sleep(0.1)
    by_key = Counter(sent.headers["idempotency-key"] for sent in scene.vendors.stripe.sent)
    bodies = {(sent.headers["idempotency-key"], sent.body) for sent in scene.vendors.stripe.sent}
    assert CUSTOMERS == len(by_key) == len(bodies) == len(await scene.log(connector))
    assert max(by_key.values()) > 1
