"""The jobs that run beside the calls, each in its own loop. A job that fails is logged and tried again at its next turn."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

log = structlog.get_logger("keyrack.jobs")
STOP_SECONDS_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again. `run` is called `every_seconds` after its last call ended, and at the end if `at_stop`.

    `after_seconds` is how long after the start it is first called.
    """

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[object]]
    at_stop: bool = True
    after_seconds: float = 0.0


class Jobs:
    """Runs jobs from `start` to `stop`."""

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs = jobs
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Start every job's loop."""
        self._stopping.clear()
        self._tasks = [asyncio.create_task(self._loop(job), name=f"keyrack:{job.name}") for job in self._jobs]

    async def stop(self) -> None:
        """Let each job end its turn, and run those `at_stop` once more: what the last calls left is done before the process ends."""
        self._stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS_MAX)
            for task in late:
                task.cancel()
        self._tasks = []
        for job in self._jobs:
            if job.at_stop:
                await self._turn(job)

    async def _loop(self, job: Job) -> None:
        if job.after_seconds:
            await self._wait(job.after_seconds)
        while not self._stopping.is_set():
            await self._turn(job)
            await self._wait(job.every_seconds)

    async def _wait(self, seconds: float) -> None:
        """Wait, but no longer than until the stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _turn(self, job: Job) -> None:
        try:
            await job.run()
        except Exception as error:  # noqa: BLE001 - a job that fails is logged and tried again
            # Without the traceback's variables: they may hold what must not be logged.
            log.warning("job_failed", job=job.name, error=f"{type(error).__name__}: {error}"[:500])
