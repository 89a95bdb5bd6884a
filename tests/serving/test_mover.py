"""Under load another process moves the log; what was answered is in it even where nobody is left but that process."""

import asyncio

import pytest

from keyrack.work.moving import silence
from tests.serving.load import load_on
from tests.serving.served import Installation, serving, until

ANSWERS_MIN = 100


@pytest.mark.timeout(240)
async def test_a_mover_brings_home_what_a_killed_server_has_answered_and_ends(installation: Installation) -> None:
    load = await load_on(installation)
    folder = installation.data / "spool"

    async def is_at_work() -> bool:
        return silence(folder) is not None

    async def is_gone() -> bool:
        return silence(folder) is None

    async with serving(installation, KEYRACK_LOG_LINES_HERE_MAX="0") as served:
        async with load.on(served.url):
            await load.receives(ANSWERS_MIN)
            await until(is_at_work, lambda: "no mover")
            await load.receives(len(load.received) + ANSWERS_MIN)
            served.program.process.kill()
            await asyncio.to_thread(served.program.process.wait)
        await served.all_logged(load.received + served.seen)
        await until(is_gone, lambda: "the mover has stayed")
    assert [] == list(folder.glob("*.spool"))
