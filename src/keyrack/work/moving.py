"""Who moves the request log: this process, or one process for the whole data folder.

Moving a line costs about as much as a call, so a process that answers many calls hires a mover: `python -m keyrack.work.mover`, one for
all processes that share a folder. What is told between them ends with whoever tells it: the mover holds `mover.lock` from its birth on,
and writes READY into it whenever all is moved; those whom it serves share `serving.lock`. While no mover is at work, each process moves
its own lines; that two move the same ones is harmless.
"""

import asyncio
import fcntl
import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from keyrack.store.database import Store
from keyrack.store.spool import Spool
from keyrack.work.measuring import Measuring
from keyrack.work.request_logs import Mover, prepare, settle

log = structlog.get_logger("keyrack.request_logs")

MOVER_LOCK = "mover.lock"
SERVING_LOCK = "serving.lock"
READY = b"ready"
LOCK_HANDLE = 3
SETTLE_TURNS = 10
RETRY_SECONDS = 60.0
SILENT_SECONDS_MAX = 30.0


class Orders(msgspec.Struct):
    """What a mover is told on its standard input: the URLs hold passwords, so they stand in no list of processes."""

    url: str
    traffic_url: str
    folder: str
    segment_bytes: int
    lines_here_max: int
    measures: str | None


class Moving:
    """One process's part in it. `lines_here_max` is how many lines a turn (a second) may have before a mover is hired."""

    def __init__(self, store: Store, spool: Spool, lines_here_max: int, now: Callable[[], int], measuring: Measuring | None = None) -> None:
        self._store = store
        self._spool = spool
        self._measuring = measuring
        self._mover = Mover(store, spool) if measuring is None else Mover(store, spool, tell=measuring.note_moved)
        self._lines_here_max = lines_here_max
        self._now = now
        self._serving: int | None = None
        self._turns = 0
        self._hired: int | None = None
        self._hire_after = 0.0

    def start(self) -> None:
        """Tell movers that there is somebody to serve."""
        self._spool.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._serving = _open(self._spool.folder / SERVING_LOCK)
        # A mover that looks whether it is needed holds it for a moment.
        fcntl.flock(self._serving, fcntl.LOCK_SH)

    async def turn(self) -> None:
        """Do what is due each second: the spool's next segment, and, where nobody else moves, moving and counting."""
        await asyncio.to_thread(prepare, self._spool)
        self._look_after_mover()
        if (seconds := silence(self._spool.folder)) is not None:
            self._spool.let_go()
            self._note_all_moved(seconds)
            return
        moved = await self._mover.move()
        self._note_all_moved(0.0)
        if moved > self._lines_here_max:
            await asyncio.to_thread(self._hire)
        self._turns += 1
        if self._turns % SETTLE_TURNS == 0:
            await settle(self._store, self._now())

    def hire_nobody(self) -> None:
        """Start no mover from now on: this process is about to stop."""
        self._hire_after = math.inf

    async def stop(self) -> None:
        """Move what this process logged last, whoever else moves, and need no mover any more."""
        try:
            await self._mover.move()
        finally:
            if self._serving is not None:
                os.close(self._serving)
                self._serving = None

    def _note_all_moved(self, seconds_ago: float) -> None:
        if self._measuring is not None:
            self._measuring.note_all_moved(seconds_ago)

    def _hire(self) -> None:
        """Start a mover, unless there is one, or the last one failed of late."""
        # An interpreter inside another program would start that program once more.
        if time.monotonic() < self._hire_after or "python" not in Path(sys.executable or "").name:
            return
        handle = _open(self._spool.folder / MOVER_LOCK)
        try:
            if _locked(handle):
                os.ftruncate(handle, 0)
                self._hired = _spawn(handle, self._orders())
        except OSError as error:
            self._hire_after = time.monotonic() + RETRY_SECONDS
            log.warning("log_mover_not_started", error=str(error), advice="this process moves its lines itself")
        finally:
            os.close(handle)

    def _orders(self) -> Orders:
        store, spool = self._store, self._spool
        measures = None if self._measuring is None else str(self._measuring.folder.absolute())
        return Orders(store.url, store.traffic_url, str(spool.folder.absolute()), spool.segment_bytes, self._lines_here_max, measures)

    def _look_after_mover(self) -> None:
        if self._hired is None:
            return
        with suppress(ChildProcessError):
            ended, status = os.waitpid(self._hired, os.WNOHANG)
            if not ended:
                return
            if status:
                self._hire_after = time.monotonic() + RETRY_SECONDS
                log.warning("log_mover_ended", status=os.waitstatus_to_exitcode(status), advice="this process moves its lines itself")
        self._hired = None


def silence(folder: Path) -> float | None:
    """Return for how many seconds the mover at work in a spool's folder has not told that all is moved; None where nobody is at work.

    One that has been silent for SILENT_SECONDS_MAX stands still, or cannot work: nobody waits for it.
    """
    handle = _open(folder / MOVER_LOCK)
    try:
        if _locked(handle) or os.pread(handle, len(READY), 0) != READY:
            return None
        seconds = max(time.time() - os.fstat(handle).st_mtime, 0.0)
        return seconds if seconds < SILENT_SECONDS_MAX else None
    finally:
        os.close(handle)


def tell_ready() -> None:
    """In the mover: tell that all is moved at this moment."""
    os.pwrite(LOCK_HANDLE, READY, 0)


def is_needed(folder: Path) -> bool:
    """Whether any process serves calls with this spool's folder."""
    handle = _open(folder / SERVING_LOCK)
    try:
        return not _locked(handle)
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _spawn(lock: int, orders: Orders) -> int:
    """Start a mover that holds this lock; return its process id.

    In a session of its own, so that a Ctrl-C reaches those alone who answer calls: it ends after them.
    """
    reading, writing = os.pipe()
    try:
        os.write(writing, msgspec.json.encode(orders))
    finally:
        os.close(writing)
    try:
        # What it logs goes where this process logs. Standard output is for answers.
        handles: list[tuple[int, ...]] = [
            (os.POSIX_SPAWN_DUP2, reading, 0),
            (os.POSIX_SPAWN_DUP2, lock, LOCK_HANDLE),
            (os.POSIX_SPAWN_DUP2, 2, 1),
        ]
        # Above all the address that this server listens on: it must be free as soon as the server has ended.
        handles += [(os.POSIX_SPAWN_CLOSE, handle) for handle in _inheritable() if handle > LOCK_HANDLE]
        command = [sys.executable, "-P", "-m", "keyrack.work.mover"]
        return os.posix_spawn(sys.executable, command, os.environ, file_actions=handles, setsid=True)
    finally:
        os.close(reading)


def _inheritable() -> list[int]:
    """Return the handles that a spawned process would get unasked."""
    found = []
    for entry in Path("/dev/fd").iterdir():
        with suppress(OSError):
            if os.get_inheritable(int(entry.name)):
                found.append(int(entry.name))
    return found
