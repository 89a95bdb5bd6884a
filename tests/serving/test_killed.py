"""Every answer that a client received whole is in the log, exactly once, though its process was killed the moment after."""

import asyncio
import os
import signal

import pytest

from tests.hosts import ADMIN_RIGHTS
from tests.serving.load import load_on
from tests.serving.served import Installation, serving, until

KILLS = 5
ANSWERS_MIN = 300
SEGMENT_BYTES = ("65536", "2097152")
EVERY_KIND = {200, 201, 204, 400, 401, 403, 404, 405, 429}


@pytest.mark.timeout(240)
async def test_every_answer_that_was_received_is_logged_once_after_kill_9(installation: Installation) -> None:
    load = await load_on(installation)
    admin = await installation.key(ADMIN_RIGHTS)
    last = ""
    for number in range(KILLS):
        size = SEGMENT_BYTES[number % 2]
        async with serving(installation, name=f"server-{number}", KEYRACK_SPOOL_SEGMENT_BYTES=size) as served:
            if last:
                # At once, whether it has been moved or lies where the dead process left it.
                assert 200 == (await served.get(f"/api/v1/logs/{last}", admin)).status
            async with load.on(served.url), served.wire(admin) as wire:
                await load.receives(ANSWERS_MIN)
                last = (await wire.get("/api/v1/me")).request_id
                served.program.process.kill()
                await asyncio.to_thread(served.program.process.wait)
    async with serving(installation) as served:
        await served.all_logged(load.received + served.seen)
        assert 0 == served.program.stop()
    assert EVERY_KIND <= load.statuses


async def test_what_a_killed_worker_has_answered_is_logged_by_those_that_live(installation: Installation) -> None:
    load = await load_on(installation)
    key = await installation.key()
    async with serving(installation, "--workers", "2") as served, load.on(served.url):
        await load.receives(ANSWERS_MIN)
        victim: int = (await served.get("/api/v1/both", key)).json["pid"]
        os.kill(victim, signal.SIGKILL)
        received = list(load.received)
        await served.all_logged(received)
        assert 0 == await asyncio.to_thread(served.program.stop)
    await served.all_logged(load.received + served.seen)


async def test_workers_of_a_killed_process_finish_what_runs_and_end(installation: Installation) -> None:
    key = await installation.key()
    os.mkfifo(installation.data / "pipe")
    async with serving(installation, "--workers", "2") as served:

        async def take_no_more() -> bool:
            try:
                await served.get("/api/v1/me", key)
            except OSError:
                return True
            return False

        async with served.wire(key) as slow:
            slow.ask("GET", "/api/v1/slow")
            await until((served.data / "begun").exists)
            served.program.process.kill()
            await asyncio.to_thread(served.program.process.wait)
            await until(take_no_more)
            await asyncio.to_thread((served.data / "pipe").write_text, "go on")
            assert 200 == (await slow.answer()).status
        await served.all_logged(served.seen)
