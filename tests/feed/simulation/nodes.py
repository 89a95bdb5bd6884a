"""A simulated node: the real cache, lease, settling, look-ups and feed, on a simulated session, store and clock."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from keyrack.feed.cache import Cache
from keyrack.feed.leases import Lease, Settling, Terms, over_after
from keyrack.feed.look_ups import LookUps
from keyrack.feed.postgresql import PostgresqlFeed
from keyrack.model.principals import Principal
from keyrack.model.refusals import STORE_UNAVAILABLE, Refused
from keyrack.store.database import Connection, Store
from keyrack.store.lookup import FoundKey
from tests.feed.simulation.world import KEYS, WORKSPACE, Database, Ground, Point, Task

TERMS = Terms(lease_seconds=2.0, lease_seconds_max=3.0)
SHORT = Terms(lease_seconds=1.2, lease_seconds_max=3.0)
WAIT_SECONDS = 1.0
DIGESTS = tuple((key, key.encode()) for key in KEYS)
_CALM = 0.001


class Stale(AssertionError):
    """A call was decided on a right that had ended when its head arrived."""


class Late(AssertionError):
    """A change waited for longer than anybody could have believed what held before it."""


@dataclass(frozen=True, slots=True)
class Right:
    """What stands for a principal: the right that a key had at a revision."""

    key: str
    serial: int
    revision: int

    @property
    def derived_from(self) -> frozenset[str]:
        """The ids whose change ends it."""
        return frozenset({self.key, WORKSPACE})


class Feed(PostgresqlFeed):
    """The real feed, whose thread is the scheduler."""

    def __init__(self, ground: Ground, database: Database, cache: Cache, lease: type[Lease], terms: Terms) -> None:
        self._parts = ground, database, lease
        super().__init__("", cast("Store", None), cache, terms, WAIT_SECONDS)
        self._now = ground.now  # type: ignore[method-assign, unused-ignore]

    def lease(self) -> Lease:
        """The lease of this process."""
        return self._lease

    def _begin_anew(self) -> None:
        ground, database, lease = self._parts
        self._session = cast("Any", None)
        self._lease = lease(ground, self._cache, self._terms, database.new_id)

    async def _renewed(self, ends_at: float) -> bool:
        since = self._now()
        if since >= ends_at:
            return False
        return bool(await Point(lambda: self._lease.begun >= since, unavailable))


class Reading:
    """The store of a node. `pick` says which revision the server that answers a look-up has."""

    def __init__(self, database: Database, pick: Callable[[int], int]) -> None:
        self._database = database
        self._pick = pick

    @asynccontextmanager
    async def asking(self) -> AsyncIterator["Reading"]:
        """Lend a connection."""
        yield self

    async def discard(self) -> None:
        """Throw the connection away."""

    async def find(self, _connection: Connection, digest: bytes) -> FoundKey | None:
        """Read a key's right and the revision in one snapshot."""
        found = await Point(lambda: self._read(digest.decode()), unavailable)
        return cast("FoundKey", found)

    def _read(self, key: str) -> Right:
        revision = self._pick(self._database.newest)
        return Right(key, self._database.right(key, revision), revision)


class Looks(LookUps):
    """The real look-ups, without the model, and without a limit by the machine's own clock: an answer is lost as the scheduler wishes."""

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        yield

    def _principal(self, found: FoundKey) -> Principal:
        return cast("Principal", found)


@dataclass(frozen=True)
class Parts:
    """What nodes are made of: the real parts, where no bug is planted."""

    cache: type[Cache] = Cache
    lease: type[Lease] = Lease
    settling: type[Settling] = Settling
    look_ups: type[Looks] = Looks
    feed: type[Feed] = Feed
    ground: type[Ground] = Ground
    believes_after_reconnect: bool = False
    returns_early: bool = False
    reads_rows_first: bool = False


class Node:
    """One process. Without a lease it only changes things. `begin_…` begins what the scheduler then steps."""

    def __init__(
        self,
        database: Database,
        parts: Parts,
        rate: float,
        pick: Callable[[int], int],
        has_lease: bool = True,
        terms: Terms = TERMS,
    ) -> None:
        self.database = database
        self.parts = parts
        self.rate = rate
        self.pick = pick
        self.has_lease = has_lease
        self.terms = terms
        self.tasks: list[Task] = []
        self.is_lost = True
        self.is_paused = False
        self.decided = 0
        self._busy = False
        self.ground = parts.ground(database, rate)
        self.cache = parts.cache(8)
        self.feed = parts.feed(self.ground, database, self.cache, parts.lease, terms)
        self.settling = parts.settling(self.ground, terms, self.feed.lease() if has_lease else None)
        reading = Reading(database, pick)
        self.look_ups = parts.look_ups(cast("Store", reading), self.cache, self.feed, {}, {}, lambda: 0, reading.find)

    def fork(self) -> "Node":
        """A child that begins with all that this process has in memory."""
        child = Node(self.database, self.parts, self.rate, self.pick, terms=self.terms)
        for name in ("entries", "_names"):
            getattr(child.cache, name).update(
                {key: value.copy() if isinstance(value, set) else value for key, value in getattr(self.cache, name).items()}
            )
        child.cache.applied = self.cache.applied
        mine, theirs = self.feed.lease(), child.feed.lease()
        for name in ("until", "begun", "id", "_acknowledged", "_change_id"):
            setattr(theirs, name, getattr(mine, name))
        child.is_lost = self.is_lost
        child.feed.forget()
        child.settling = self.parts.settling(child.ground, self.terms, child.feed.lease())
        return child

    # The feed's thread: one thing after the other

    def connect(self) -> None:
        """Open a session, where there is none."""
        if self.is_lost:
            self.is_lost = False
            if not self.parts.believes_after_reconnect:
                self.feed.lease().leave()
            self.settling.reset()

    def begin_renewal(self) -> None:
        """Renew."""
        if self.has_lease and not self._busy and not self.is_lost:
            self._busy = True
            self._run(self.feed.lease().renew(), on_session=True, on_end=self._not_busy)

    def begin_round(self) -> None:
        """Look who is behind."""
        if not self._busy and not self.is_lost:
            self._busy = True
            self._run(self.settling.round(), on_session=True, on_end=self._not_busy)

    def begin_apply(self) -> None:
        """Apply: a message arrived, or it is time to look. Others may apply meanwhile."""
        if self.has_lease and not self.is_lost and sum(task.on_session for task in self.tasks) < 3:
            self._run(self.feed.lease().apply(), on_session=True, on_end=self._heed)

    def expire(self) -> None:
        """The tick: changes have waited long enough."""
        self.settling.expire()
        limit = self.ground.now() + over_after(TERMS.lease_seconds_max) + _CALM
        if any(waiting.ends_at > limit or waiting.ends_at < self.ground.now() - _CALM for waiting in self.settling.waiting):
            raise Late("a change waits for longer than the longest lease")

    def lose_session(self) -> None:
        """All that is under way on the session gets no answer."""
        for task in [task for task in self.tasks if task.on_session]:
            if task.point is not None:
                task.lose()
        self.is_lost = True
        self._sweep()

    def crash(self) -> None:
        """End, without a word."""
        for task in self.tasks:
            task.kill()
        self.tasks.clear()

    # Calls and changes

    def begin_call(self, key: str) -> None:
        """A call's head arrives."""
        promised = self.database.promised(key)
        found = self.look_ups.cached(key.encode())
        if found is not None:
            self._check(key, promised, found)
        elif len(self.tasks) < 8:
            looked = self.look_ups.look_up(key.encode())
            self._run(looked, on_session=False, on_end=lambda end: self._check(key, promised, end))

    def observe(self) -> None:
        """Calls that arrive now find in memory no right that has ended."""
        for key, digest in DIGESTS:
            found = self.look_ups.cached(digest)
            if found is not None:
                self._check(key, self.database.promised(key), found)

    def begin_change(self, touched: frozenset[str]) -> None:
        """Change something."""
        if len(self.tasks) < 8:
            self._run(self._change(touched), on_session=False, on_end=lambda _end: None)

    def begin_same_again(self) -> None:
        """Ask for what was done already, perhaps by a change that still waits."""
        if len(self.tasks) < 8:
            self._run(self._find_done(), on_session=False, on_end=lambda _end: None)

    async def _change(self, touched: frozenset[str]) -> None:
        if self.parts.reads_rows_first:
            standing = await self.ground.standing()
            self.settling.rows = set(standing.leases)  # type: ignore[attr-defined]
        revision = await Point(lambda: self._settle(self.database.commit(touched)), unavailable)
        self._ask(*revision)

    async def _find_done(self) -> None:
        found = await Point(lambda: self._settle(self.database.newest), unavailable)
        if self.parts.returns_early:
            self.database.give_back(found[1])
        else:
            self._ask(*found)

    def _settle(self, revision: int) -> tuple[int, list[int]]:
        return revision, self.database.serials(revision)

    def _ask(self, revision: int, serials: list[int]) -> None:
        self.settling.ask(revision, lambda: self.database.give_back(serials))

    def _check(self, key: str, promised: int, found: object) -> None:
        if isinstance(found, Right):
            self.decided += 1
            if found.serial < promised:
                raise Stale(f"a call with {key} was decided on the right of change {found.serial}; change {promised} had returned")

    def _run(self, coroutine: Any, on_session: bool, on_end: Callable[[Any], None]) -> None:
        task = Task(coroutine, on_session, on_end)
        if task.point is not None:
            self.tasks.append(task)

    def _not_busy(self, end: object) -> None:
        self._busy = False
        self._heed(end)

    def _heed(self, end: object) -> None:
        if isinstance(end, Exception):
            self.is_lost = True

    def _sweep(self) -> None:
        self.tasks = [task for task in self.tasks if task.point is not None]

    def step(self, task: Task, deliver: bool) -> None:
        """Let a task go on, with an answer or without."""
        if deliver:
            task.deliver()
        elif task.on_session:
            self.lose_session()
        else:
            task.lose()
        if self.is_lost:
            self.lose_session()
        self._sweep()


def unavailable() -> Refused:
    """The answer where the store does not."""
    return STORE_UNAVAILABLE("lost")
