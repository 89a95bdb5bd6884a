"""Bugs planted into the protocol of leases: the mistakes that its design is there to exclude (CONSISTENCY §2 and §4)."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from keyrack.feed.cache import Cache, Start
from keyrack.feed.leases import NEVER, Lease, Settling, Terms, Waiting
from keyrack.feed.look_ups import LookUps
from keyrack.model.principals import Principal
from keyrack.model.recipients import Recipient
from keyrack.store.changes import Changes
from keyrack.store.leases import LeaseRow, Standing
from keyrack.store.lookup import FoundKey
from tests.feed.simulation.nodes import Feed, Looks, Parts, unavailable
from tests.feed.simulation.world import ForgetfulGround, Point


class AppliesFirst(Lease):
    """Applies, and renews then: what changed in between is missed for a whole lease."""

    async def renew(self) -> None:
        """Apply, then renew."""
        if self.id is None:
            await super().renew()
            return
        await self.apply()
        noted = self._ground.now()
        if self.id is not None and await self._ground.renew(self.id):
            self.begun, self.until = noted, noted + self._terms.held_seconds
        else:
            self.leave()


class CountsFromReply(Lease):
    """Believes for a whole lease from the moment that the answer is here."""

    async def renew(self) -> None:
        """Renew, then note the clock."""
        await super().renew()
        if self.id is not None:
            self.until = self._ground.now() + self._terms.held_seconds


class AcknowledgesFirst(Lease):
    """Acknowledges what it has read, and then evicts it."""

    async def apply(self) -> None:
        """Acknowledge, then apply."""
        if self.id is not None and self.applied >= 0:
            found = await self._ground.above(self.applied, self._change_id)
            if self.id is not None:
                await self._ground.acknowledge(self.id, found.newest)
        await super().apply()


class AdvancesFirst(Lease):
    """Says that it has applied, and evicts what it reads then."""

    async def apply(self) -> None:
        """Advance, then evict."""
        applied = self.applied
        if self.id is None or applied < 0:
            await super().apply()
            return
        found = await self._ground.above(applied, self._change_id)
        if self.id is None or not found.complete or self.applied < 0:
            await super().apply()
            return
        self._cache.applied = max(self.applied, found.newest)
        self._change_id = found.newest_change
        await self._ground.acknowledge(self.id, found.newest)
        self._cache.advance(max(self.applied, found.newest), found.touched)


class KeepsCacheOnJoin(Lease):
    """Joins anew at the newest revision, with what it held before."""

    def leave(self) -> None:
        """Forget the lease alone."""
        self.until = self.begun = NEVER
        self._left, self.id, self._change_id, self._acknowledged = self.id or self._left, None, None, 0
        self._cache.applied = -1

    async def _join(self) -> None:
        await self._remove_left()
        lease_id = self._new_id()
        await self._ground.join(lease_id, self._terms.lease_seconds)
        self.id = lease_id

    def _evict(self, found: Changes, applied: int) -> None:
        if applied < 0:
            self._cache.applied = found.newest
        else:
            super()._evict(found, applied)


class KeepsCacheOnReconnect(Lease):
    """Joins anew, wherever the session leads now, and goes on from the revision that it knew."""

    def leave(self) -> None:
        """Forget the lease alone."""
        self.until = self.begun = NEVER
        self._left, self.id, self._change_id, self._acknowledged = self.id or self._left, None, None, 0

    async def _join(self) -> None:
        await self._remove_left()
        lease_id = self._new_id()
        await self._ground.join(lease_id, self._terms.lease_seconds)
        self.id = lease_id


class TrustsTheCount(Lease):
    """Takes a revision for the one that it knew, whatever change has made it."""

    async def apply(self) -> None:
        """Apply what is above."""
        self._change_id = None
        await super().apply()


class SkipsToOwnRevision(Settling):
    """Evicts what its own change touched, and takes what others changed below it for applied."""

    def ask(self, revision: int, finish: Callable[[], None]) -> None:
        """Evict here, and advance."""
        if self._lease is not None and 0 <= self._lease.applied < revision:
            ground: Any = self._ground
            self._lease._cache.advance(revision, ground.touched_by(revision))
            self._lease._change_id = None
        super().ask(revision, finish)


class WaitsTooShort(Settling):
    """Waits for half of a lease."""

    def _judge(self, waiting: Waiting, standing: Standing, now: float) -> None:
        waiting.ends_at = min(waiting.ends_at, now + self._terms.lease_seconds / 2)
        super()._judge(waiting, standing, now)


class ReadsRowsFirst(Settling):
    """Waits for the leases alone that it saw before its change was committed."""

    def __init__(self, ground: Any, terms: Terms, lease: Lease | None) -> None:
        super().__init__(ground, terms, lease)
        self.rows: set[str] = set()

    def _is_behind(self, lease_id: str, row: LeaseRow, revision: int, now: float) -> bool:
        return lease_id in self.rows and super()._is_behind(lease_id, row, revision, now)


class StoresAfterEviction(Cache):
    """Stores what a look-up read, though it may have missed an eviction since."""

    def store(self, name: bytes | str, found: Principal | Recipient, revision: int, start: Start) -> bool:
        """Store without comparing the revision."""
        return super().store(name, found, max(revision, self.applied), start)


class StoresWhileJoining(Cache):
    """Stores before it has applied anything, and across a drop."""

    def store(self, name: bytes | str, found: Principal | Recipient, revision: int, start: Start) -> bool:
        """Store also without a revision to compare with."""
        joining = self.applied < 0
        self.applied = max(self.applied, 0)
        stored = super().store(name, found, revision, self.start())
        self.applied = -1 if joining else self.applied
        return stored


class KeepsWhatIsStoredWhileJoining(Lease):
    """Forgets when it begins to join, and never again."""

    def _evict(self, found: Changes, applied: int) -> None:
        if applied < 0:
            self._cache.applied, self._change_id = found.newest, found.newest_change
        else:
            super()._evict(found, applied)


class TrustsAnyServer(Looks):
    """Decides on what a server says that lacks what was applied here."""

    async def look_up(self, digest: bytes) -> Principal | None:
        """Read, and compare nothing."""
        start = await self.feed.begin()
        async with self._store.asking() as connection:
            found = await self._find(connection, digest)
        assert found is not None
        principal = self._principal(cast("FoundKey", found))
        self.cache.store(digest, principal, found.revision, start)
        return principal


class JoinsRunning(Looks):
    """Has a call wait for a look-up that began before it arrived."""

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self._running: dict[bytes, list[Principal | None]] = {}

    async def look_up(self, digest: bytes) -> Principal | None:
        """Join a running look-up, or begin one."""
        running = self._running.get(digest)
        if running is not None:
            while not running:
                if digest not in self._running:
                    raise unavailable()
                await Point(lambda: None, unavailable)
            return running[0]
        answers = self._running[digest] = []
        try:
            answers.append(await LookUps.look_up(self, digest))
        finally:
            self._running.pop(digest, None)
        return answers[0]


class NeedsNoLease(Feed):
    """Believes its memory, whether it holds a lease or not."""

    def current(self) -> bool:
        """Always."""
        return True

    async def begin(self) -> Start:
        """At once."""
        return self._cache.start()


class SharesAcrossFork(Feed):
    """Goes on in a child with the parent's lease."""

    def forget(self) -> None:
        """Forget nothing."""


BUGS: Mapping[str, Parts] = {
    "apply before the renewal commits": Parts(lease=AppliesFirst),
    "count the lease from the reply": Parts(lease=CountsFromReply),
    "acknowledge before evicting": Parts(lease=AcknowledgesFirst),
    "advance before evicting": Parts(lease=AdvancesFirst),
    "advance past another's change": Parts(settling=SkipsToOwnRevision),
    "return early where it was done": Parts(returns_early=True),
    "decide on a server that is behind": Parts(look_ups=TrustsAnyServer),
    "decide without a lease": Parts(feed=NeedsNoLease),
    "acknowledge in a forked child": Parts(feed=SharesAcrossFork),
    "join a running look-up": Parts(look_ups=JoinsRunning),
    "store a look-up after an eviction": Parts(cache=StoresAfterEviction),
    "store while joining": Parts(cache=StoresWhileJoining, lease=KeepsWhatIsStoredWhileJoining),
    "keep the cache when joining anew": Parts(lease=KeepsCacheOnJoin),
    "keep the cache on a reconnect": Parts(lease=KeepsCacheOnReconnect),
    "lose the row's creation": Parts(ground=ForgetfulGround),
    "wait for less than a lease": Parts(settling=WaitsTooShort),
    "believe after a fail-over that a revision is the one it knew": Parts(lease=TrustsTheCount, believes_after_reconnect=True),
    "read the lease rows before the commit": Parts(settling=ReadsRowsFirst, reads_rows_first=True),
}
