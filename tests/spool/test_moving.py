"""One process moves the log of all that share a folder, where one of them has much to log; and nobody waits for it."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from keyrack.model.request_logs import Filter, RequestLog, encode
from keyrack.store import request_logs
from keyrack.store.database import Store
from keyrack.store.spool import Spool
from keyrack.work import moving as moving_module
from keyrack.work.moving import MOVER_LOCK, Moving, silence
from tests.spool.lines import NOW, a_line

SECONDS_MAX = 40.0


def append(spool: Spool, *lines: RequestLog) -> None:
    """Log these calls."""
    for line in lines:
        spool.reserve()
        spool.append(encode(line))


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + SECONDS_MAX
    while not await holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


@pytest.fixture
async def busy(store: Store, spool: Spool) -> AsyncIterator[Moving]:
    """A process whose every line is one too many to be moved by itself. Its mover is gone when the test is."""
    moving = Moving(store, spool, 0, lambda: NOW)
    moving.start()
    append(spool, a_line())
    await moving.turn()

    async def at_work() -> bool:
        return silence(spool.folder) is not None

    await eventually(at_work)
    yield moving
    await moving.stop()

    async def gone() -> bool:
        handle = moving_module._open(spool.folder / MOVER_LOCK)
        try:
            return moving_module._locked(handle)
        finally:
            os.close(handle)

    await eventually(gone)


async def is_stored(store: Store, lines: list[RequestLog]) -> bool:
    """Whether all of these lines are in the log."""
    async with store.reading_traffic() as c:
        return await request_logs.missing(c, lines) == []


async def test_a_mover_moves_what_living_processes_log_and_ends_with_the_last(busy: Moving, store: Store, spool: Spool) -> None:
    sibling = Spool(spool.folder, 64 * 1024)
    lines = [a_line(at=NOW + number) for number in range(1000)]
    append(sibling, *lines[:500])
    append(spool, *lines[500:])

    async def stored() -> bool:
        return await is_stored(store, lines)

    await eventually(stored)
    # The process itself only lets go of what is full, and the mover removes it.
    full = {segment.path for segment in spool.own()[:-1]}
    assert full
    await busy.turn()
    assert len(spool.own()) == 1

    async def removed() -> bool:
        return not any(path.exists() for path in full)

    await eventually(removed)
    sibling.close()
    async with store.reading_traffic() as c:
        found = await request_logs.search(c, "org_acme", Filter(since=0), now=NOW * 2, limit=5000)
    assert len(found.lines) == 1001


async def test_who_hired_a_mover_that_was_killed_moves_by_itself(busy: Moving, store: Store, spool: Spool) -> None:
    assert busy._hired is not None
    os.kill(busy._hired, signal.SIGKILL)

    async def ended() -> bool:
        return silence(spool.folder) is None

    await eventually(ended)
    line = a_line()
    append(spool, line)
    with capture_logs() as logs:
        await busy.turn()
    assert [entry["event"] for entry in logs] == ["log_mover_ended"]
    assert await is_stored(store, [line])


async def test_what_was_logged_last_is_in_the_log_when_a_process_has_stopped(busy: Moving, store: Store, spool: Spool) -> None:
    line = a_line()
    append(spool, line)
    await busy.stop()
    assert await is_stored(store, [line])


async def test_a_quiet_process_moves_by_itself(store: Store, spool: Spool) -> None:
    moving = Moving(store, spool, 10, lambda: NOW)
    moving.start()
    lines = [a_line(at=NOW + number) for number in range(10)]
    append(spool, *lines)
    await moving.turn()
    assert await is_stored(store, lines)
    assert moving._hired is None
    assert silence(spool.folder) is None
    await moving.stop()
