"""What the feed takes for processes: each has its own thread, event loop, store and cache, and they share one file alone."""

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from keyrack.crypto.digest import digest
from keyrack.crypto.seal import Sealer
from keyrack.crypto.sign import Signer
from keyrack.feed.cache import Cache
from keyrack.feed.look_ups import LookUps
from keyrack.feed.sqlite import SqliteFeed
from keyrack.gate.authenticate import Authenticator
from keyrack.gate.visitors import Visitors
from keyrack.manage.desk import Desk
from keyrack.model.calls import Call
from keyrack.model.limits import Bucket, Taken
from keyrack.model.permissions import Level, need
from keyrack.model.principals import Principal
from keyrack.model.refusals import STORE_UNAVAILABLE, Refused
from keyrack.store import lookup
from keyrack.store.database import Connection, Store
from keyrack.store.migrations import migrate
from keyrack.volatile.alone import Alone
from tests.feed.truth import ADDRESS, REFUSED, Verdict
from tests.hosts import BRAND, CATEGORIES, PLANS

Result = TypeVar("Result")
WAIT_SECONDS_MAX = 30
# How long a look-up is waited for that may be waiting for another one itself, as only a planted bug makes it.
PATIENCE_SECONDS = 1
ENTRIES_MAX = 3
FILE_BYTES_MAX = 4 * 1024 * 1024
_CATEGORIES = {category.name: category for category in CATEGORIES}
_PLANS = {plan.name: plan for plan in PLANS}
_READ, _WRITE = (need(f"customers:{word}", _CATEGORIES) for word in ("read", "write"))


@dataclass(frozen=True)
class Parts:
    """What a process is made of: the real parts, where no bug is planted."""

    cache: type[Cache] = Cache
    feed: type[SqliteFeed] = SqliteFeed
    look_ups: type[LookUps] = LookUps


class Gate:
    """Holds something up at a place, until it is let on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def pass_through(self) -> None:
        """Say that the place was reached, and wait."""
        self.reached.set()
        await self.opened.wait()


class Running:
    """A call whose look-up is under way, held up before and after its query. `since`: what had returned when its head arrived."""

    def __init__(self, key: str, since: int) -> None:
        self.key = key
        self.since = since
        self.before = Gate()
        self.after = Gate()
        self.task: asyncio.Task[Verdict | None] | None = None

    @property
    def ended(self) -> bool:
        """Whether it ended with its process."""
        return self.task is not None and self.task.cancelled()


class Unthrottled:
    """Lets every address try as often as it likes."""

    def blocked(self, address: str) -> int | None:
        """Nobody is blocked."""
        return None

    def failure(self, address: str) -> None:
        """Nothing is counted."""


class Unlimited:
    """Lets everybody make as many keys as they like."""

    def take(self, buckets: tuple[Bucket, ...], cost: int) -> Taken:
        """Nothing is counted."""
        return Taken(())


class Process:
    """One of them. Methods are called from the test's thread, unless they are coroutines, which run on the process's loop."""

    def __init__(self, name: str, path: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self.name = name
        self.now = 0
        self.hold: Gate | None = None
        self._path = path
        self._loop = new_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()
        self._looking: dict[asyncio.Task[Any], Running] = {}
        self.store = Store(url(path))

    def begin(self, parts: Parts) -> None:
        """Begin as a new process does: it believes nothing yet."""
        self._looking.clear()
        self.hold = None
        self.cache = parts.cache(ENTRIES_MAX)
        self.feed = parts.feed(self._path, self.cache)
        self.look_ups = parts.look_ups(self.store, self.cache, self.feed, _CATEGORIES, _PLANS, self._time, self._find)
        self.authenticator = Authenticator(
            self.look_ups, Visitors(Sealer(["key"], "visit"), BRAND.visit_prefix), Unthrottled(), BRAND.name, self._time
        )
        self.desk = Desk(
            self.store, self, BRAND, _CATEGORIES, _PLANS, Signer(["a secret"], "cursor"), Unlimited(), Alone(Unlimited()), self._time
        )

    def end(self) -> None:
        """End as a process does: what it was doing is not finished."""
        self.run(self._cancel_look_ups())
        self.feed.close()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something on the process's loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS_MAX)

    def stop(self) -> None:
        """Close what is open, and end the thread."""
        self.run(self.store.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def settle(self, revision: int) -> None:
        """What a committed change waits for; may be held up before."""
        if self.hold is not None:
            await self.hold.pass_through()
        await self.feed.settle(revision)

    async def begin_again(self) -> object:
        """What a change that found nothing waits for."""
        return await self.feed.begin_again()

    async def decide(self, secret: str) -> Verdict | None:
        """Decide a call as the gate does. None: the store could not be read, so nothing was decided."""
        call, headers = a_call(secret)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._verdict(lambda: self._proved(call, headers))
        except TimeoutError:
            return None

    async def decide_by_look_up(self, secret: str) -> Verdict | None:
        """Decide a call that has found nothing in memory."""
        call, _ = a_call(secret)
        return await self._verdict(lambda: self.authenticator.look_up(call))

    def decide_in_thread(self, secret: str) -> Verdict | None:
        """Decide a call from memory in the test's own thread. None: memory does not hold it."""
        call, headers = a_call(secret)
        try:
            principal = self.authenticator.cached(call, headers)
        except Refused as refused:
            return None if refused.refusal is STORE_UNAVAILABLE else REFUSED
        return None if principal is None else seen(principal)

    async def begin_look_up(self, running: Running, secret: str) -> None:
        """Begin the look-up of a call, up to the place before its query."""
        running.task = asyncio.create_task(self.decide_by_look_up(secret))
        self._looking[running.task] = running
        await _reached(running.before, running.task)

    async def query(self, running: Running) -> None:
        """Let the query of a look-up run, up to the place after it."""
        running.before.opened.set()
        assert running.task is not None
        await _reached(running.after, running.task)

    async def finish(self, running: Running) -> Verdict | None:
        """Let a look-up end, and return what it decided. None: it decided nothing yet."""
        running.before.opened.set()
        running.after.opened.set()
        assert running.task is not None
        await asyncio.wait({running.task}, timeout=PATIENCE_SECONDS)
        if not running.task.done():
            return None
        del self._looking[running.task]
        return running.task.result()

    async def _proved(self, call: Call, headers: dict[bytes, bytes]) -> Principal:
        return self.authenticator.cached(call, headers) or await self.authenticator.look_up(call)

    async def _verdict(self, prove: Callable[[], Awaitable[Principal]]) -> Verdict | None:
        try:
            return seen(await prove())
        except Refused as refused:
            return None if refused.refusal is STORE_UNAVAILABLE else REFUSED

    async def _find(self, connection: Connection, sought: bytes) -> lookup.Found | None:
        task = asyncio.current_task()
        running = self._looking.get(task) if task is not None else None
        if running is None:
            return await lookup.credential(connection, sought)
        await running.before.pass_through()
        found = await lookup.credential(connection, sought)
        await running.after.pass_through()
        return found

    async def _cancel_look_ups(self) -> None:
        for task in self._looking:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)

    def _time(self) -> int:
        return self.now


class World:
    """The file, and two processes over it: one on uvloop, one on asyncio's own loop."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "keyrack.db"
        self.copy = folder / "copy.db"
        asyncio.run(migrate(url(self.path)))
        self.empty = folder / "empty.db"
        shutil.copy(self.path, self.empty)
        self.processes: list[Process] = []
        self._start()

    def fresh(self) -> None:
        """Begin with an empty file again where this one has grown long, so that the thousandth story is as quick as the first."""
        if self.path.stat().st_size > FILE_BYTES_MAX:
            self.close()
            shutil.copy(self.empty, self.path)
            self._start()

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.stop()

    def save_copy(self) -> None:
        """Copy the file, as a backup does."""
        _copy(self.path, self.copy)

    def set_back(self) -> None:
        """Put the copy in the place of what the file holds, while the processes run."""
        _copy(self.copy, self.path)

    def hide_changes(self, *, hidden: bool) -> None:
        """Put the table of changes out of sight, or back."""
        names = ("keyrack_changes", "hidden") if hidden else ("hidden", "keyrack_changes")
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("ALTER TABLE {} RENAME TO {}".format(*names))

    def _start(self) -> None:
        self.processes = [Process("A", self.path, uvloop.new_event_loop), Process("B", self.path, asyncio.new_event_loop)]


def url(path: Path) -> str:
    """The URL of a file."""
    return f"sqlite+aiosqlite:///{path}"


def a_call(secret: str) -> tuple[Call, dict[bytes, bytes]]:
    """A call with a secret, and its headers."""
    call = Call("GET", "/api/v1/customers", "request", 0, 0)
    call.address = ADDRESS
    call.digest = digest(secret.encode())
    return call, {b"authorization": f"Bearer {secret}".encode()}


def seen(principal: Principal) -> Verdict:
    """What an accepted principal may do."""
    level = Level.WRITE if principal.masks.allow(_WRITE) else Level.READ if principal.masks.allow(_READ) else Level.NONE
    return Verdict(level, frozenset(principal.masks.spaces), accepted=True)


async def _reached(gate: Gate, task: asyncio.Task[Any]) -> None:
    reached = asyncio.create_task(gate.reached.wait())
    await asyncio.wait({reached, task}, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    reached.cancel()


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)
