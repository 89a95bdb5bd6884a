"""Leases as rows, and the session that they are kept on (CONSISTENCY §4). On PostgreSQL only.

The session belongs to nobody else: no pool lends it out, and each statement is a transaction and a snapshot of its own.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from keyrack.store import postgresql
from keyrack.store.changes import ABOVE_SQL_OF_POSTGRESQL, Changes

CHANGED = "keyrack_changed"
"""The channel on which is told that something changed."""

SEEN = "keyrack_seen"
"""The channel on which is told that a process has evicted what changed."""

Heard = Callable[[str | None, bool], None]
"""Told the channel of a message, and whether this very session has sent it."""

# A machine's sleep counts: leases end meanwhile. macOS has no such name; its monotonic clock does not stop.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_CLOSE_SECONDS_MAX = 1.0
_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, postgresql.StandbyServer, OSError, TimeoutError)

_SERVER_SQL = "SELECT system_identifier::text, left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()"
_JOIN_SQL = "INSERT INTO keyrack.keyrack_leases (id, renewal, seen_revision, length_ms) VALUES ($1, 0, 0, $2)"
_RENEW_SQL = "UPDATE keyrack.keyrack_leases SET renewal = renewal + 1 WHERE id = $1 RETURNING renewal"
_REMOVE_SQL = "DELETE FROM keyrack.keyrack_leases WHERE id = $1"
# Its loss in a crash only makes a change wait: so its commit waits for no disk.
_ACKNOWLEDGE_SQL = """
WITH seen AS (UPDATE keyrack.keyrack_leases SET seen_revision = $2 WHERE id = $1 AND seen_revision < $2 RETURNING id)
SELECT set_config('synchronous_commit', 'off', true), pg_notify($3, id) FROM seen
"""
# The newest revision tells whether the server that answers is behind.
_STANDING_SQL = """
SELECT r.revision, l.id, l.renewal, l.seen_revision, l.length_ms
FROM keyrack.keyrack_revisions AS r LEFT JOIN keyrack.keyrack_leases AS l ON true
"""
_DELETE_SQL = """
DELETE FROM keyrack.keyrack_leases AS l USING unnest($1::text[], $2::bigint[]) AS ended (id, renewal)
WHERE l.id = ended.id AND l.renewal = ended.renewal
"""


class SessionLost(Exception):
    """The session is gone, or must not be used any more: what was asked of it may or may not have happened."""


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease as others see it: how often it was renewed, up to which revision its process has evicted, and how long it lasts."""

    renewal: int
    seen_revision: int
    length_seconds: float


@dataclass(frozen=True, slots=True)
class Standing:
    """All leases by their ids, and the newest revision, as one snapshot shows them."""

    newest: int
    leases: Mapping[str, LeaseRow]


class LeaseSession:
    """One session that can be opened again and again, with the statements that leases need, and a clock.

    No statement takes longer than `seconds_max`. Every method raises SessionLost, and then the session is closed.
    """

    def __init__(self, url: str, seconds_max: float) -> None:
        self._url = url
        self._seconds_max = seconds_max
        self._connection: Any = None
        self._server: tuple[str, ...] = ()

    @staticmethod
    def now() -> float:
        """Return the seconds since this machine started, its sleep included."""
        return time.clock_gettime(_CLOCK)

    async def open(self, heard: Heard) -> None:
        """Open the session, on a server that proves to be a primary. `heard` is told what arrives, and None when the session has ended."""
        try:
            connection = self._connection = await postgresql.open_session(self._url, self._seconds_max)
            own = connection.get_server_pid()
            connection.add_termination_listener(lambda _connection: heard(None, False))
            for channel in (CHANGED, SEEN):
                await connection.add_listener(channel, lambda _connection, pid, channel, _payload: heard(channel, pid == own))
        except _LOST as error:
            raise self._lost(error) from error
        self._server = await self._asked_server()

    async def join(self, lease_id: str, length_seconds: float) -> None:
        """Commit, durably, a lease that has acknowledged nothing."""
        await self._fetch(_JOIN_SQL, lease_id, round(length_seconds * 1000))

    async def renew(self, lease_id: str) -> bool:
        """Commit, durably, a renewal. False: there is no such lease any more."""
        if await self._asked_server() != self._server:
            raise self._lost(postgresql.StandbyServer("another server, or another timeline, answers on this session"))
        return bool(await self._fetch(_RENEW_SQL, lease_id))

    async def remove(self, lease_id: str) -> None:
        """Remove a lease by which its process believes nothing any more."""
        await self._fetch(_REMOVE_SQL, lease_id)

    async def above(self, revision: int, change_id: str | None) -> Changes:
        """Return, from a new snapshot, what happened above a revision, which this change is known to have made."""
        return Changes.of(await self._fetch(ABOVE_SQL_OF_POSTGRESQL, revision), revision, change_id)

    async def acknowledge(self, lease_id: str, revision: int) -> None:
        """Write, and tell who waits, that everything up to a revision was evicted."""
        await self._fetch(_ACKNOWLEDGE_SQL, lease_id, revision, SEEN)

    async def standing(self) -> Standing:
        """Return, from a new snapshot, all leases and the newest revision."""
        rows = await self._fetch(_STANDING_SQL)
        leases = {row[1]: LeaseRow(row[2], row[3], row[4] / 1000) for row in rows if row[1] is not None}
        return Standing(max(row[0] for row in rows), leases)

    async def delete(self, ended: Mapping[str, int]) -> None:
        """Delete those of these leases whose renewal is still this one."""
        await self._fetch(_DELETE_SQL, list(ended), list(ended.values()))

    async def announce(self) -> None:
        """Tell every process that something changed. The message may be lost."""
        await self._fetch("SELECT pg_notify($1, '')", CHANGED)

    async def close(self) -> None:
        """End the session, where there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*_LOST):
                await connection.close(timeout=_CLOSE_SECONDS_MAX)

    async def _asked_server(self) -> tuple[str, ...]:
        return tuple((await self._fetch(_SERVER_SQL))[0])

    async def _fetch(self, sql: str, *values: Any) -> list[Any]:
        if self._connection is None:
            raise SessionLost("there is no session")
        try:
            rows: list[Any] = await self._connection.fetch(sql, *values, timeout=self._seconds_max)
        except _LOST as error:
            raise self._lost(error) from error
        return rows

    def _lost(self, error: BaseException) -> SessionLost:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
        return SessionLost(f"{type(error).__name__}: {error}")
