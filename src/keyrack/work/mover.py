"""`python -m keyrack.work.mover`: the process that moves the request log for all that share a data folder (see `moving`).

It begins with its orders on standard input and its lock as LOCK_HANDLE. It ends by itself: when nobody is left to serve, or after minutes
in which so few lines came that those who answer calls can move them. Killed at any moment it loses nothing, and is replaced.
"""

import asyncio
import gc
import os
import signal
import sys
import time
from pathlib import Path

import msgspec
import structlog

from keyrack.model.measures import Tally
from keyrack.store.database import Store
from keyrack.store.spool import Spool
from keyrack.volatile.measures import Measures
from keyrack.work.moving import Orders, is_needed, tell_ready
from keyrack.work.request_logs import Mover, settle

log = structlog.get_logger("keyrack.request_logs")

TURN_SECONDS = 0.5
SETTLE_SECONDS = 5.0
IDLE_SECONDS_MAX = 600.0
LINES_AT_ONCE_MAX = 8192
GC_THRESHOLD = 200_000
NICENESS = 5
"""Calls come first; but a machine that is busy for long must not leave the log behind."""


def main() -> None:
    """Move until nobody needs it."""
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    os.nice(NICENESS)
    # Each batch makes some ten thousand objects that are gone with it, and no cycles: looking for those took a third of the time.
    gc.set_threshold(GC_THRESHOLD)
    asyncio.run(_Work(orders).run())


class _Work:
    def __init__(self, orders: Orders) -> None:
        self._store = Store(orders.url, None if orders.traffic_url == orders.url else orders.traffic_url)
        self._folder = Path(orders.folder)
        self._spool = Spool(self._folder, orders.segment_bytes)
        self._tally = Tally()
        self._measures = None if orders.measures is None else Measures(Path(orders.measures))
        self._mover = Mover(self._store, self._spool, LINES_AT_ONCE_MAX, len if self._measures is None else self._tally.note)
        self._few = orders.lines_here_max * TURN_SECONDS
        self._stopping = asyncio.Event()
        self._busy_at = self._settled_at = time.monotonic()

    async def run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stopping.set)
        tell_ready()
        try:
            while not self._stopping.is_set():
                started = time.monotonic()
                # Asked first: what was logged before the last one ended is moved in this turn.
                needed = is_needed(self._folder)
                await self._turn()
                if not needed or started - self._busy_at > IDLE_SECONDS_MAX:
                    break
                await self._rest(TURN_SECONDS - (time.monotonic() - started))
        finally:
            if self._measures is not None:
                self._measures.close()
            self._spool.close()
            await self._store.close()

    async def _turn(self) -> None:
        try:
            if await self._mover.move_others() > self._few:
                self._busy_at = time.monotonic()
            tell_ready()
            if self._measures is not None:
                self._measures.write(self._tally, None)
            if time.monotonic() - self._settled_at > SETTLE_SECONDS:
                await settle(self._store, time.time_ns() // 1_000_000)
                self._settled_at = time.monotonic()
        except Exception as error:  # noqa: BLE001 - what fails is logged and tried again
            log.warning("job_failed", job="move_logs", error=f"{type(error).__name__}: {error}"[:500])

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), max(seconds, 0.0))
        except TimeoutError:
            return


if __name__ == "__main__":
    main()
