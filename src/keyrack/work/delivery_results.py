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
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._stopping = False
        self._task = asyncio.create_task(self._write_on(), name="keyrack:write_deliveries")

    async def stop(self) -> None:
        """Write what waits, and end. Where the store is away that is lost, and its claims end by themselves."""
        self._stopping = True
        self._come.set()
        if self._task is not None:
            await asyncio.wait([self._task])
        self._task = None

    def add(self, result: Result) -> None:
        """Have a result written."""
        self._waiting.append(result)
        self._come.set()

    async def _write_on(self) -> None:
        while not self._stopping or self._waiting:
            await self._come.wait()
            # What ends at the same time is written together.
            await asyncio.sleep(GATHER_SECONDS)
            if not self._stopping:
                self._come.clear()
            try:
                await self._write()
            except Refused as refused:
                log.warning("deliveries_not_written", reason=refused.refusal.code)
                if self._stopping:
                    return
                self._come.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _write(self) -> None:
        while self._waiting:
            taken = self._waiting[:WRITTEN_AT_ONCE_MAX]
            try:
                await self._write_together(taken)
            except Refused:
                raise
            except Exception:  # noqa: BLE001 - one of them cannot be written, whatever it is; which one, shows apart
                await self._write_apart(taken)
            else:
                # Only now: where the commit got no answer they are written again, and what is there stays as it is.
                del self._waiting[: len(taken)]
                self._written(taken)

    async def _write_apart(self, taken: Sequence[Result]) -> None:
        """Write results each by itself. One that cannot be written is left: its delivery is attempted again when its claim ends."""
        for result in taken:
            try:
                await self._write_together([result])
            except Refused:
                raise
            except Exception as error:  # noqa: BLE001 - it must not hold up all that follow
                reason = f"{type(error).__name__}: {error}"[:500]
                log.error("delivery_not_written", delivery=result.delivery.id, reason=reason)
                del self._waiting[0]
            else:
                del self._waiting[0]
                self._written([result])

    async def _write_together(self, taken: Sequence[Result]) -> None:
        made = [result.attempt for result in taken if result.attempt is not None]
        async with self._store.writing_traffic() as c:
            await delivery_lanes.note(c, [(result.delivery, result.claim) for result in taken])
            await delivery_lanes.add_attempts(c, made)
            await delivery_lanes.note_health(c, made)
