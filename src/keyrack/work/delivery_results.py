"""What came of attempts, written in batches: one transaction for what ended within some milliseconds.

A process that dies between an attempt and this repeats the attempt: a delivery is made at least once.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from keyrack.model.deliveries import Attempt, Delivery
from keyrack.model.refusals import Refused
from keyrack.store import delivery_lanes
from keyrack.store.database import Store

log = structlog.get_logger("keyrack.deliveries")

GATHER_SECONDS = 0.01
WRITTEN_AT_ONCE_MAX = 200
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """Where a delivery stands that was claimed until `claim`, and the attempt that brought it there, where one was made."""

    delivery: Delivery
    claim: int
    attempt: Attempt | None = None


Written = Callable[[Sequence[Result]], object]
"""Called with results that have just been written."""


class Results:
    """Writes results as they come."""

    def __init__(self, store: Store, written: Written) -> None:
        self._store = store
        self._written = written
        self._waiting: list[Result] = []
        self._come = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write_on(), name="keyrack:write_deliveries")

    async def stop(self) -> None:
        """Write what waits, and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
            await self._write()

    def add(self, result: Result) -> None:
        """Have a result written."""
        self._waiting.append(result)
        self._come.set()

    async def _write_on(self) -> None:
        while True:
            await self._come.wait()
            # What ends at the same time is written together.
            await asyncio.sleep(GATHER_SECONDS)
            self._come.clear()
            try:
                await self._write()
            except Refused as refused:
                log.warning("deliveries_not_written", reason=refused.refusal.code)
                self._come.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _write(self) -> None:
        while self._waiting:
            taken = self._waiting[:WRITTEN_AT_ONCE_MAX]
            made = [result.attempt for result in taken if result.attempt is not None]
            async with self._store.writing_traffic() as c:
                await delivery_lanes.note(c, [(result.delivery, result.claim) for result in taken])
                await delivery_lanes.add_attempts(c, made)
                await delivery_lanes.note_health(c, made)
            # Only now: where the commit failed they are written again, and where it got no answer their claims tell what happened.
            del self._waiting[: len(taken)]
            self._written(taken)
