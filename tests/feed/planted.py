"""Bugs planted into the feed: the mistakes that its design is there to exclude (CONSISTENCY §2-4).

Two of the list cannot matter on SQLite. To return early where the work was found done: what finds it done has read a commit, and every
process that asks the file from then on sees that commit. To store a look-up that began while joining: joining drops all that was stored
before; so here it is planted together with a joining that keeps it.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from keyrack.feed.cache import Cache, Start
from keyrack.feed.look_ups import Feed, Find, LookUps
from keyrack.feed.sqlite import HEADER, SqliteFeed
from keyrack.model.permissions import Category
from keyrack.model.plans import Plan
from keyrack.model.principals import Principal
from keyrack.model.recipients import Recipient
from keyrack.store import changes, lookup
from keyrack.store.changes import ABOVE_SQL, Changes
from keyrack.store.database import Connection, Store


class StoresAfterEviction(Cache):
    """Stores what a look-up read, though it may have missed an eviction since."""

    def store(self, name: bytes | str, found: Principal | Recipient, revision: int, start: Start) -> bool:
        """Store without comparing the revision."""
        return super().store(name, found, max(revision, self.applied), start)


class StoresAcrossDrops(Cache):
    """Stores what a look-up read in a file that was set back since."""

    def store(self, name: bytes | str, found: Principal | Recipient, revision: int, start: Start) -> bool:
        """Store as if nothing had been dropped."""
        return super().store(name, found, revision, self.start())


class StoresWhileJoining(Cache):
    """Stores before it has applied anything."""

    def store(self, name: bytes | str, found: Principal | Recipient, revision: int, start: Start) -> bool:
        """Store also without a revision to compare with."""
        if self.applied >= 0:
            return super().store(name, found, revision, start)
        self.applied = 0
        stored = super().store(name, found, revision, start)
        self.applied = -1
        return stored


class KeepsWhenJoining(SqliteFeed):
    """Joins without forgetting what it held."""

    def _apply(self, connection: sqlite3.Connection) -> None:
        if self._cache.applied >= 0:
            super()._apply(connection)
        else:
            connection.execute(ABOVE_SQL, (-1,)).fetchall()
            self._cache.applied = _newest(connection)


class AdvancesBeforeEvicting(SqliteFeed):
    """Says that it has applied, and then evicts."""

    def _apply(self, connection: sqlite3.Connection) -> None:
        applied = self._cache.applied
        self._cache.applied = newest = _newest(connection)
        found = Changes.of(connection.execute(ABOVE_SQL, (applied,)).fetchall(), applied)
        if applied < 0 or not found.complete:
            self._cache.drop(newest)
        else:
            self._cache.advance(newest, found.touched)


class RemembersThoughApplyFailed(SqliteFeed):
    """Takes the file's version for applied, whatever became of the apply."""

    def _apply(self, connection: sqlite3.Connection) -> None:
        assert self._index is not None
        self._applied_header = self._index[HEADER]
        super()._apply(connection)


class SkipsToOwnRevision(SqliteFeed):
    """Evicts what a change of its own touched, and takes everything below it for applied."""

    async def settle(self, revision: int) -> None:
        """Evict here, and advance past what others changed."""
        if self._connection is None:
            self._connection, self._index = self._connected()
        connection, index = self._connection, self._index
        assert index is not None
        self._applied_header = index[HEADER]
        touched = connection.execute("SELECT touched_id FROM keyrack_changes WHERE revision = ?", (revision,)).fetchall()
        self._cache.advance(max(revision, self._cache.applied), [row[0] for row in touched])


class KeepsOnGap(SqliteFeed):
    """Evicts what it can read, also where rows are missing."""

    def _apply(self, connection: sqlite3.Connection) -> None:
        applied = self._cache.applied
        found = Changes.of(connection.execute(ABOVE_SQL, (applied,)).fetchall(), applied)
        if applied < 0 or found.newest < applied:
            self._cache.drop(found.newest)
        else:
            self._cache.advance(found.newest, found.touched)


class TrustsTheCount(SqliteFeed):
    """Takes a revision for the one it knew, also where another change has made it since the file was set back."""

    def _apply(self, connection: sqlite3.Connection) -> None:
        self._applied_change = None
        super()._apply(connection)


class RemembersALaterHeader(SqliteFeed):
    """Reads the rows first and the header then: a commit in between is taken for applied."""

    def current(self) -> bool:
        """Whether the cache may be believed."""
        believed = super().current()
        if believed and self._index is not None:
            self._applied_header = self._index[HEADER]
        return believed


class HoldsItsSnapshot(SqliteFeed):
    """Leaves a statement half read, so that every later one sees what the file held then."""

    _half_read: sqlite3.Cursor | None = None

    def _apply(self, connection: sqlite3.Connection) -> None:
        super()._apply(connection)
        if self._half_read is None:
            self._half_read = connection.execute("SELECT name FROM sqlite_schema")


class JoinsRunning(LookUps):
    """Has a call wait for a look-up that began before it arrived."""

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self._running: dict[bytes, asyncio.Future[Principal | None]] = {}

    async def look_up(self, digest: bytes) -> Principal | None:
        """Join a look-up of the same credential."""
        running = self._running.get(digest)
        if running is not None and not running.done():
            return await running
        self._running[digest] = own = asyncio.get_running_loop().create_future()
        principal = await super().look_up(digest)
        own.set_result(principal)
        return principal


class TwoSnapshots(LookUps):
    """Reads the rights in one snapshot and the revision in another."""

    def __init__(
        self,
        store: Store,
        cache: Cache,
        feed: Feed,
        categories: Mapping[str, Category],
        plans: Mapping[str, Plan],
        now: Callable[[], int],
        find: Find = lookup.credential,
    ) -> None:
        async def find_in_two(connection: Connection, digest: bytes) -> lookup.Found | None:
            found = await find(connection, digest)
            async with store.reading() as another:
                return found and replace(found, revision=await changes.newest(another))

        super().__init__(store, cache, feed, categories, plans, now, find_in_two)


class ForgetsToExpire(LookUps):
    """Asks whether a key has expired only when it is cached."""

    def _principal(self, found: lookup.FoundKey) -> Principal:
        principal = super()._principal(found)
        over = principal.until is not None and principal.until <= self._now()
        return replace(principal, until=None, refusal=principal.until_refusal if over else principal.refusal)


class _ForgetsOneId(LookUps):
    def _forgotten(self, found: lookup.FoundKey) -> str:
        raise LookupError

    def _principal(self, found: lookup.FoundKey) -> Principal:
        principal = super()._principal(found)
        return replace(principal, derived_from=principal.derived_from - {self._forgotten(found)})


class ForgetsWorkspace(_ForgetsOneId):
    """Cannot be evicted by its workspace."""

    def _forgotten(self, found: lookup.FoundKey) -> str:
        return found.workspace.id


class ForgetsIntegration(_ForgetsOneId):
    """Cannot be evicted by its integration."""

    def _forgotten(self, found: lookup.FoundKey) -> str:
        return found.integration.id


class ForgetsKey(_ForgetsOneId):
    """Cannot be evicted by the key itself."""

    def _forgotten(self, found: lookup.FoundKey) -> str:
        return found.key.id


def _newest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT revision FROM keyrack_revisions").fetchone()[0])
