"""Measuring this process, once a second, beside the calls: what calls did is counted from their lines in the request log."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from keyrack.feed.cache import Cache
from keyrack.feed.look_ups import Feed
from keyrack.feed.postgresql import PostgresqlFeed
from keyrack.model.measures import Standing, Tally
from keyrack.model.request_logs import RequestLog
from keyrack.store.spool import Spool
from keyrack.volatile.measures import Measures


class Reading(NamedTuple):
    """What all processes of this machine have counted, how the living ones stand, and the bytes that wait in the spool."""

    tally: Tally
    standings: list[Standing]
    spool_bytes: int
    spool_has_room: bool


class Measuring:
    """Counts, and shows the counts of every process that shares the folder."""

    def __init__(
        self,
        measures: Measures,
        tally: Tally,
        cache: Cache,
        feed: Feed,
        spool: Spool,
        valkey_away: Callable[[], bool | None],
        deliveries_waiting: Callable[[], int | None],
    ) -> None:
        self._measures = measures
        self._tally = tally
        self._cache = cache
        self._feed = feed
        self._spool = spool
        self._valkey_away = valkey_away
        self._deliveries_waiting = deliveries_waiting
        self._moved_at: float | None = None

    @property
    def folder(self) -> Path:
        """Where all processes of this machine count."""
        return self._measures.folder

    def note_moved(self, lines: Sequence[RequestLog]) -> None:
        """Count calls whose lines have just been moved."""
        self._tally.note(lines)

    def note_all_moved(self, seconds_ago: float = 0.0) -> None:
        """Remember that at this moment, or so many seconds ago, no line waited."""
        self._moved_at = monotonic() - seconds_ago

    async def write(self) -> None:
        """Have other processes see how this one stands."""
        self._measures.write(self._tally, self._standing())

    def read(self) -> Reading:
        """Return what this moment shows. Raises OSError."""
        self._measures.write(self._tally, self._standing())
        tally, standings = self._measures.read()
        return Reading(tally, standings, self._spool.bytes_on_disk(), self._spool.has_room)

    def close(self) -> None:
        """Leave the counts, which end here, to the next process."""
        # On a full disk the last second's counts are lost, and nothing else.
        with suppress(OSError):
            self._measures.write(self._tally, None)
        self._measures.close()

    def _standing(self) -> Standing:
        now = monotonic()
        lag = now - self._moved_at if self._moved_at is not None else None
        held, age = (self._feed.current(), self._feed.lease_age_seconds) if isinstance(self._feed, PostgresqlFeed) else (None, None)
        entries = len(self._cache.entries)
        return Standing(self._cache.applied, entries, held, age, lag, self._valkey_away(), self._deliveries_waiting())
