"""The protocol of leases and acknowledgements on PostgreSQL (CONSISTENCY §2, §4). Whatever it asks of the world is in its `Ground`.

A process that holds a lease may believe its cache until the lease's end on its own clock. A change waits until every process that holds
one has acknowledged it, or until a lease that was last renewed before the change must have ended. No decision compares two machines'
clocks: each process measures how long something takes on its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from keyrack.feed.cache import Cache
from keyrack.settings import LEASE_SECONDS_MAX
from keyrack.store.changes import Changes
from keyrack.store.leases import LeaseRow, SessionLost, Standing

MARGIN = 1 / 20
"""By which part of a lease clocks may run apart: its holder believes that much shorter, and changes wait that much longer."""

NEVER = float("-inf")


class Ground(Protocol):
    """What the protocol stands on: a clock, and one database session of its own.

    Any call may take for ever, or raise SessionLost: then what it asked may or may not have happened.
    """

    def now(self) -> float:
        """Return the seconds since this machine started, its sleep included."""

    async def join(self, lease_id: str, length_seconds: float) -> None:
        """Commit, durably, a lease that has acknowledged nothing."""

    async def renew(self, lease_id: str) -> bool:
        """Commit, durably, a renewal. False: there is no such lease any more."""

    async def remove(self, lease_id: str) -> None:
        """Remove a lease by which its process believes nothing any more."""

    async def above(self, revision: int, change_id: str | None) -> Changes:
        """Return, from a new snapshot, what happened above a revision, which this change is known to have made."""

    async def acknowledge(self, lease_id: str, revision: int) -> None:
        """Write, and tell who waits, that everything up to a revision was evicted here."""

    async def standing(self) -> Standing:
        """Return, from a new snapshot, all leases and the newest revision."""

    async def delete(self, ended: Mapping[str, int]) -> None:
        """Delete those of these leases whose renewal is still this one."""

    async def announce(self) -> None:
        """Tell every process that something changed. The message may be lost."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a lease lasts, in seconds, and how long the longest one of anybody may."""

    lease_seconds: float = 2.0
    lease_seconds_max: float = LEASE_SECONDS_MAX

    @property
    def renew_seconds(self) -> float:
        """How long after a renewal began the next one begins."""
        return self.lease_seconds / 3

    @property
    def held_seconds(self) -> float:
        """How long a lease may be believed in, from the moment that its renewal began."""
        return self.lease_seconds * (1 - MARGIN)


def over_after(lease_seconds: float) -> float:
    """Return the seconds after which a lease of somebody else's must have ended, unless it was renewed."""
    return lease_seconds * (1 + MARGIN)


class Lease:
    """This process's lease: it joins, renews, applies and acknowledges.

    `until` is the moment on this clock up to which the process may believe its cache; `begun` is when the renewal began that says so.
    Both are read by other threads, without a lock. Everything else belongs to the one thread that drives the protocol.
    """

    def __init__(self, ground: Ground, cache: Cache, terms: Terms, new_id: Callable[[], str]) -> None:
        self.until = NEVER
        self.begun = NEVER
        self.id: str | None = None
        self._ground = ground
        self._cache = cache
        self._terms = terms
        self._new_id = new_id
        self._left: str | None = None
        self._change_id: str | None = None
        self._acknowledged = 0

    @property
    def applied(self) -> int:
        """The newest revision whose changes have been evicted here; -1 while joining."""
        return self._cache.applied

    def leave(self) -> None:
        """Believe nothing any more, and join anew at the next renewal: after a reconnect, or where the row is gone."""
        # First nothing is believed, then it is forgotten: others read meanwhile.
        self.until = self.begun = NEVER
        self._left = self.id or self._left
        self.id = None
        self._change_id = None
        self._acknowledged = 0
        self._cache.drop(-1)

    async def end(self) -> None:
        """Believe nothing any more, and take the row away, so that nobody waits for it."""
        self.leave()
        await self._remove_left()

    async def renew(self) -> None:
        """Renew the lease in two steps, or join: the row is committed, then what was committed before it is applied.

        The lease counts from the moment noted before the commit, and only after the apply: whatever changed before the commit has been
        evicted by then, and whoever changes something later reads the row.
        """
        noted = self._ground.now()
        if self.id is not None and not await self._ground.renew(self.id):
            # Somebody took it for dead: until now this process has believed nothing, for a lease ends sooner here than there.
            self.leave()
            noted = self._ground.now()
        if self.id is None:
            await self._join()
        renewed = self.id
        await self.apply()
        if self.id == renewed is not None:
            self.begun = noted
            self.until = noted + self._terms.held_seconds

    async def apply(self) -> None:
        """Evict what was committed since the last apply, then let `applied` say so, then acknowledge. Without a lease, do nothing."""
        lease_id, applied = self.id, self._cache.applied
        if lease_id is None:
            return
        found = await self._ground.above(applied, self._change_id)
        # No await from here to the acknowledgement: appliers evict and advance one after another.
        if self.id != lease_id:
            return
        if found.set_back:
            self.leave()
            raise SessionLost(f"the revision went back: {found.newest} is here, {applied} was applied")
        self._evict(found, applied)
        revision = self._cache.applied
        if revision > self._acknowledged:
            self._acknowledged = revision
            await self._ground.acknowledge(lease_id, revision)

    async def _join(self) -> None:
        await self._remove_left()
        # Until the row is committed and the revision read after it, nothing is stored.
        self._cache.drop(-1)
        lease_id = self._new_id()
        await self._ground.join(lease_id, self._terms.lease_seconds)
        self.id = lease_id

    async def _remove_left(self) -> None:
        left, self._left = self._left, None
        if left is not None:
            await self._ground.remove(left)

    def _evict(self, found: Changes, applied: int) -> None:
        if self._cache.applied != applied and found.newest <= self._cache.applied:
            # Another applier has read later and was here sooner: all of this is evicted, and nothing goes back.
            return
        if applied < 0 or not found.complete:
            # Joining, or rows that were pruned before this process read them.
            self._cache.drop(found.newest)
        else:
            self._cache.advance(found.newest, found.touched)
        self._change_id = found.newest_change


class Waiting:
    """A committed change that waits. `finish` is called once, when nobody can believe what held before it."""

    def __init__(self, revision: int, ends_at: float, finish: Callable[[], None]) -> None:
        self.revision = revision
        self.ends_at = ends_at
        self.finish = finish
        self.is_announced = False
        self.was_missing = False


@dataclass(frozen=True, slots=True)
class _Sight:
    """Since when, on this clock, a lease has stood at one renewal."""

    renewal: int
    since: float


class Settling:
    """Waits for the others: one for all the changes of this process. `lease` is its own, where it has one: it never waits for itself.

    `live` is how many leases there were when they were last read: others read it, without a lock.
    """

    def __init__(self, ground: Ground, terms: Terms, lease: Lease | None) -> None:
        self.waiting: list[Waiting] = []
        self.live = 1
        self._ground = ground
        self._terms = terms
        self._lease = lease
        self._sights: dict[str, _Sight] = {}

    def ask(self, revision: int, finish: Callable[[], None]) -> None:
        """Have a change waited for, that was committed under this revision. `round` does it, and `expire`."""
        # Even if nothing can be read from now on: a lease that was renewed before the commit ends, one renewed after has read the change.
        self.waiting.append(Waiting(revision, self._ground.now() + over_after(self._terms.lease_seconds_max), finish))

    def expire(self) -> None:
        """Finish the changes that have waited long enough, whatever the database says or does not say."""
        for waiting in list(self.waiting):
            if self._ground.now() > waiting.ends_at:
                self._finish(waiting)

    def reset(self) -> None:
        """Believe nothing that was read before a reconnect. Changes wait on."""
        self._sights = {}
        for waiting in self.waiting:
            waiting.is_announced = False

    async def round(self) -> None:
        """Evict here, tell the others, then read once who is behind; and delete the leases that have ended."""
        asked = list(self.waiting)
        if not all(waiting.is_announced for waiting in asked):
            if self._lease is not None:
                await self._lease.apply()
            await self._ground.announce()
            for waiting in asked:
                waiting.is_announced = True
        standing = await self._ground.standing()
        self.live = len(standing.leases)
        now = self._ground.now()
        self._refuse_behind(asked, standing)
        self._look(standing.leases, now)
        for waiting in asked:
            self._judge(waiting, standing, now)
        ended = {lease_id: row.renewal for lease_id, row in standing.leases.items() if self._has_ended(lease_id, row, now)}
        if ended:
            await self._ground.delete(ended)

    def _refuse_behind(self, asked: Sequence[Waiting], standing: Standing) -> None:
        """A server that has not seen a change does not know who must. Where another session says the same, the change is lost: it waits."""
        missing = [waiting for waiting in asked if standing.newest < waiting.revision and not waiting.was_missing]
        for waiting in missing:
            waiting.was_missing = True
        if missing:
            raise SessionLost("the server that answers is behind a change of this process")

    def _look(self, leases: Mapping[str, LeaseRow], now: float) -> None:
        """Remember since when each lease stands at its renewal."""
        seen = self._sights
        self._sights = {
            lease_id: seen[lease_id] if lease_id in seen and seen[lease_id].renewal == row.renewal else _Sight(row.renewal, now)
            for lease_id, row in leases.items()
        }

    def _judge(self, waiting: Waiting, standing: Standing, now: float) -> None:
        if standing.newest >= waiting.revision:
            leases = standing.leases.items()
            behind = [row.length_seconds for lease_id, row in leases if self._is_behind(lease_id, row, waiting.revision, now)]
            if not behind:
                self._finish(waiting)
                return
            waiting.ends_at = min(waiting.ends_at, now + over_after(max(behind)))
        if now > waiting.ends_at:
            self._finish(waiting)

    def _is_behind(self, lease_id: str, row: LeaseRow, revision: int, now: float) -> bool:
        if self._lease is not None and lease_id == self._lease.id:
            return self._lease.applied < revision
        return row.seen_revision < revision and not self._has_ended(lease_id, row, now)

    def _has_ended(self, lease_id: str, row: LeaseRow, now: float) -> bool:
        """Whether a lease was not renewed for longer than it lasts: its process must renew, and read what changed, before it believes."""
        own = self._lease is not None and lease_id == self._lease.id
        return not own and now > self._sights[lease_id].since + over_after(row.length_seconds)

    def _finish(self, waiting: Waiting) -> None:
        if waiting in self.waiting:
            self.waiting.remove(waiting)
            waiting.finish()
