"""The feed on PostgreSQL: a lease, kept by one thread with a session of its own (CONSISTENCY §4).

What must hold is in `leases`. Here is when its steps are taken: a renewal every third of a lease, an apply for every message that something
changed, and a round over all leases for the changes that wait.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import structlog

from keyrack.feed.cache import Cache, Start
from keyrack.feed.leases import NEVER, Lease, Settling, Terms
from keyrack.model.refusals import STORE_UNAVAILABLE, Refused
from keyrack.store.database import Store
from keyrack.store.ids import new_id
from keyrack.store.leases import CHANGED, SEEN, LeaseSession, SessionLost

log = structlog.get_logger("keyrack.feed")
POLL_SECONDS = 0.05
RETRY_SECONDS_MIN, RETRY_SECONDS_MAX = 0.05, 0.5
START_SECONDS_MAX = 10.0
STOP_SECONDS_MAX = 30.0


class PostgresqlFeed:
    """Says whether the cache may be believed, by this process's lease: one look at a clock.

    `url` must lead to the database itself, through no transaction pooler. `wait_seconds` is how long a call waits for a lease.
    """

    def __init__(self, url: str, store: Store, cache: Cache, terms: Terms, wait_seconds: float) -> None:
        self._url = url
        self._store = store
        self._cache = cache
        self._terms = terms
        self._wait_seconds = wait_seconds
        self._now = LeaseSession.now
        self._worker: _Worker | None = None
        self._begin_anew()
        _feeds.add(self)

    def current(self) -> bool:
        """Whether the cache holds nothing that a change which has returned made untrue. False: no lease is held at this moment."""
        return self._now() < self._lease.until

    @property
    def lease_age_seconds(self) -> float | None:
        """The seconds since this lease's last renewal began; None without a lease."""
        begun = self._lease.begun
        return None if begun == NEVER else self._now() - begun

    @property
    def live(self) -> int:
        """How many processes decide calls, by the leases that were there at this process's last renewal; at least 1."""
        worker = self._worker
        return max(1, worker.live) if worker is not None else 1

    async def begin(self) -> Start:
        """Return the state in which a look-up begins that may decide a call: under a lease.

        Waits for a renewal that begins now. Raises Refused `store_unavailable` where none comes in time.
        """
        ends_at = self._now() + self._wait_seconds
        while True:
            # The lease first: what was applied under it covers all that had returned. Who has just left has applied nothing.
            if self.current():
                start = self._cache.start()
                if start.applied >= 0:
                    return start
            if not await self._renewed(ends_at):
                raise _without_lease()

    async def begin_again(self) -> Start | None:
        """Return the state in which a look-up that found nothing begins again: under a lease that was renewed since.

        What is new touches nothing and waits for nobody, so a server that another one has replaced may lack it while leases on it last.
        But it commits no renewal any more. None in a process that holds no lease. Raises Refused `store_unavailable` where none comes.
        """
        if self._worker is None:
            return None
        if not await self._renewed(self._now() + self._wait_seconds):
            raise _without_lease()
        return await self.begin()

    async def settle(self, revision: int) -> None:
        """Return when nobody can believe what held before this revision: at most one lease and its margin later."""
        worker = self._worker
        done: Future[None] = Future()
        if worker is not None and worker.submit(lambda: worker.ask(revision, lambda: _finish(done))):
            await asyncio.wrap_future(done)
        else:
            await self._settle_alone(revision)

    async def start(self) -> None:
        """Start the thread, and return under the first lease. Raises Refused `store_unavailable` where there is none in time."""
        if self._worker is None:
            self._worker = _Worker(self._session, self._lease, self._terms, self._store)
            self._worker.thread.start()
        if not await self._renewed(self._now() + START_SECONDS_MAX):
            await self.stop()
            raise STORE_UNAVAILABLE("No lease on the database could be had: is direct_url the address of the primary itself?")

    async def stop(self) -> None:
        """Finish the changes that wait, give the lease back, and end the thread."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.submit(worker.stop)
            await asyncio.to_thread(worker.thread.join, STOP_SECONDS_MAX)

    def forget(self) -> None:
        """Begin anew in a forked child: lease, session and thread are the parent's. The session is forgotten, never closed."""
        _orphans.append((self._session, self._lease, self._worker))
        self._worker = None
        self._cache.after_fork()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._session = LeaseSession(self._url, self._terms.lease_seconds)
        self._lease = Lease(self._session, self._cache, self._terms, new_id)

    async def _renewed(self, ends_at: float) -> bool:
        """Wait for a renewal that begins from now on. False: there was none in time."""
        worker, since = self._worker, self._now()
        done: Future[None] = Future()
        if worker is None or since >= ends_at or not worker.submit(lambda: worker.hope(since, done)):
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(done), ends_at - since)
        return done.done() and not done.cancelled()

    async def _settle_alone(self, revision: int) -> None:
        """Settle without a thread, on a session for this change: for a process that only changes things."""
        session = LeaseSession(self._url, self._terms.lease_seconds)
        settling = Settling(session, self._terms, None)
        done, heard = asyncio.Event(), asyncio.Event()
        settling.ask(revision, done.set)
        lost, told = True, False
        while not done.is_set():
            try:
                if lost:
                    await session.open(lambda _channel, _own: heard.set())
                heard.clear()
                await settling.round()
                lost, told = False, False
            except SessionLost as error:
                lost = True
                settling.reset()
                if not told:
                    log.warning("session_lost", reason=str(error))
                    told = True
            settling.expire()
            if not done.is_set():
                await _wait(heard, POLL_SECONDS)
        await session.close()


class _Worker:
    """The thread, its event loop, and what waits in it. `submit` is for other threads; all else runs on the loop."""

    def __init__(self, session: LeaseSession, lease: Lease, terms: Terms, store: Store) -> None:
        self.thread = threading.Thread(target=self._main, name="keyrack-feed", daemon=True)
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._session = session
        self._lease = lease
        self._terms = terms
        self._store = store
        self._settling = Settling(session, terms, lease)
        self._hoping: list[tuple[float, Future[None]]] = []
        self._wake = asyncio.Event()
        self._renew_at = NEVER
        self._changed = False
        self._hears = False
        self._stopping = False
        self._ticking: asyncio.Task[None] | None = None
        self._lock = threading.Lock()
        self._submitted: list[Callable[[], object]] = []
        self._closed = False

    def submit(self, work: Callable[[], object]) -> bool:
        """Have the loop do something soon. False: the thread has ended."""
        with self._lock:
            if not self._closed:
                self._submitted.append(work)
                self._loop.call_soon_threadsafe(self._take)
            return not self._closed

    @property
    def live(self) -> int:
        """How many leases there were when they were last read."""
        return self._settling.live

    def ask(self, revision: int, finish: Callable[[], None]) -> None:
        """Have a committed change waited for."""
        self._settling.ask(revision, finish)
        if self._ticking is None or self._ticking.done():
            self._ticking = self._loop.create_task(self._tick())
        self._wake.set()

    def hope(self, since: float, done: "Future[None]") -> None:
        """Say when a renewal that began after a moment has ended."""
        self._hoping.append((since, done))
        self._wake.set()

    def stop(self) -> None:
        """End when no change waits any more."""
        self._stopping = True
        self._wake.set()

    def _main(self) -> None:
        with self._runner:
            self._runner.run(self._run())

    def _take(self) -> None:
        with self._lock:
            submitted, self._submitted = self._submitted, []
        for work in submitted:
            work()

    async def _run(self) -> None:
        pause = RETRY_SECONDS_MIN
        while not self._may_end():
            try:
                await self._connect()
                pause = RETRY_SECONDS_MIN
                while not self._may_end():
                    await self._turn()
                break
            except SessionLost as lost:
                log.warning("session_lost", reason=str(lost))
            except Exception as error:  # noqa: BLE001 - a fault here must not end the thread: without it no call is decided
                log.error("feed_failed", error=f"{type(error).__name__}: {error}"[:500])
            await self._session.close()
            self._settling.reset()
            self._hoping = [(since, done) for since, done in self._hoping if not done.cancelled()]
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_SECONDS_MAX)
        with suppress(SessionLost):
            await self._lease.end()
        await self._session.close()

    def _may_end(self) -> bool:
        with self._lock:
            self._closed = self._stopping and not self._submitted and not self._settling.waiting
            return self._closed

    async def _connect(self) -> None:
        await self._session.open(self._heard)
        # It may be another server: what was believed, and connections that were opened before, are the old one's.
        self._lease.leave()
        self._store.distrust()
        self._settling.reset()
        self._renew_at = NEVER
        self._hears = False
        # Heard by this session too, where messages arrive at all.
        await self._session.announce()

    async def _turn(self) -> None:
        self._wake.clear()
        renews = self._session.now() >= self._renew_at or bool(self._hoping)
        if renews:
            self._changed = False
            await self._renew()
        elif self._changed or not self._hears:
            self._changed = False
            await self._lease.apply()
        if renews or self._settling.waiting:
            await self._settling.round()
        quick = bool(self._settling.waiting) or not self._hears
        due = max(0.0, self._renew_at - self._session.now())
        await _wait(self._wake, min(due, POLL_SECONDS) if quick else due)

    async def _renew(self) -> None:
        hoping, self._hoping = self._hoping, []
        try:
            await self._lease.renew()
        except SessionLost:
            self._hoping += hoping
            raise
        self._renew_at = self._lease.begun + self._terms.renew_seconds
        for since, done in hoping:
            if since > self._lease.begun:
                self._hoping.append((since, done))
            else:
                _finish(done)

    async def _tick(self) -> None:
        """A change's time runs also while a statement hangs."""
        while self._settling.waiting:
            await asyncio.sleep(POLL_SECONDS)
            self._settling.expire()

    def _heard(self, channel: str | None, is_own: bool) -> None:
        self._hears = self._hears or channel is not None
        if channel is None:
            self._renew_at = NEVER
        elif is_own or (channel == SEEN and not self._settling.waiting):
            return
        self._changed = self._changed or channel == CHANGED
        self._wake.set()


def _without_lease() -> Refused:
    return STORE_UNAVAILABLE("This process holds no lease on the database at the moment.", headers={"Retry-After": "1"})


def _finish(done: "Future[None]") -> None:
    # False where the one who waits has gone away.
    if done.set_running_or_notify_cancel():
        done.set_result(None)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


_feeds: "WeakSet[PostgresqlFeed]" = WeakSet()
_orphans: list[Any] = []


def _forget() -> None:
    for feed in list(_feeds):
        feed.forget()


os.register_at_fork(after_in_child=_forget)
