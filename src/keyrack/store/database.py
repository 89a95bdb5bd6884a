"""The connection to what must not be lost: short transactions on SQLite or PostgreSQL, with one behaviour.

A reading transaction is one snapshot. A changing one commits when its block is left and rolls back when an exception leaves it. Whatever
the database says on its way out of reach becomes the refusal `store_unavailable`; its own words stay behind, as the cause.
"""

import asyncio
import os
import weakref
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import Any

from sqlalchemy import Executable, Row, Table, event, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from keyrack.model import refusals
from keyrack.store import postgresql, sqlite

RETRY_AFTER_SECONDS = "1"
WAIT_SECONDS = 2.0
"""How long a transaction may take to begin, where nobody sets it."""

WAIT_SECONDS_MIN = 0.25
"""How long it may take also where the store was waited for before."""

TRAFFIC_WAIT_SECONDS = 10.0
"""How long one may that writes traffic: no call waits for it, and on a busy machine many processes write there."""

_TRUSTED = "keyrack_trusted"


class Duplicate(Exception):
    """A row like this exists already: a unique constraint refused it. The transaction is lost; finders turn it into `conflict`."""


class Connection:
    """One transaction. `dialect` is sqlite or postgresql; `writes` counts the statements that wrote rows.

    `wait_seconds` is how long its like wait for one another.
    """

    def __init__(self, connection: AsyncConnection, wait_seconds: float) -> None:
        self.wait_seconds = wait_seconds
        self.dialect = connection.dialect.name
        self.writes = 0
        self._connection = connection

    async def first(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """Return the first row, or None. `values` are those of a statement that was written once, for all who ask it."""
        with translated():
            result = await self._connection.execute(self._counted(statement), values)
        return result.first()

    async def all(self, statement: Executable) -> Sequence[Row[Any]]:
        """Return all rows. The statement bounds how many."""
        with translated():
            result = await self._connection.execute(self._counted(statement))
        return result.all()

    async def execute(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Run a statement, once or once per row of parameters, and return how many rows it matched."""
        with translated():
            result = await self._connection.execute(self._counted(statement), rows)
        return max(result.rowcount, 0)

    async def execute_values(self, sql: str, values: Sequence[Any]) -> int:
        """Run one statement in the database's own SQL, and return how many rows it matched.

        For many rows in one statement, on which SQLAlchemy's own way spends three times what the database does.
        """
        self.writes += 1
        with translated():
            result = await self._connection.exec_driver_sql(sql, tuple(values))
        return max(result.rowcount, 0)

    async def execute_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run one statement in the database's own SQL for each row, and return how many rows they matched: what is quickest on SQLite."""
        self.writes += 1
        with translated():
            result = await self._connection.exec_driver_sql(sql, list(rows))
        return max(result.rowcount, 0)

    async def copy(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows that hold all columns of a table in order, on PostgreSQL alone. Raises Duplicate."""
        self.writes += 1
        with translated():
            # The driver of SQLAlchemy begins the transaction with the first statement that it sees, and it does not see this.
            await self._connection.execute(text("SELECT 1"))
            await postgresql.copy(await self._connection.get_raw_connection(), table, rows)

    async def discard(self) -> None:
        """End this connection: the server that it leads to is behind, and nobody may ask it again. The transaction is lost."""
        await self._connection.invalidate()

    def _counted(self, statement: Executable) -> Executable:
        self.writes += statement.is_dml
        return statement


class Store:
    """Both databases of an installation: what must not be lost, and the traffic (logs, last used).

    On SQLite they are two files; on PostgreSQL `traffic_url` is None, as one database holds both. The URLs are SQLAlchemy's, with or
    without a driver: `sqlite:////var/lib/keyrack/keyrack.db`, `postgresql://user@host/name`. A store belongs to one event loop.
    A transaction that has not begun after `wait_seconds` (waiting for a connection, a server or a lock) is refused.
    """

    def __init__(self, url: str, traffic_url: str | None = None, wait_seconds: float = WAIT_SECONDS) -> None:
        kind = sqlite if is_sqlite(url) else postgresql
        self.url, self.traffic_url = url, traffic_url or url
        self.dialect: str = kind.DIALECT
        self._wait_seconds = wait_seconds
        self._reader, self._writer, self._asker = kind.engines(url, wait_seconds, durable=True)
        self._traffic_reader, self._traffic_writer = self._reader, self._writer
        if self.traffic_url != url:
            self._traffic_reader, self._traffic_writer, _ = kind.engines(self.traffic_url, TRAFFIC_WAIT_SECONDS, durable=False)
        # Held by a change from its revision to its commit, for which all others wait. So a process that stands still holds them up once.
        self.revising = asyncio.Lock()
        # Counts how often connections lost their trust. Each one knows the count at which it was opened.
        self._trusted = 0
        _stores.add(self)
        for engine in self._engines():
            forget_in_children(engine)
        for pooled in {engine.pool: engine.sync_engine for engine in self._engines()}.values():
            event.listen(pooled, "connect", self._note_trust)
            event.listen(pooled, "checkout", self._check_trust)

    @property
    def trust(self) -> int:
        """A number that changes when open connections lose their trust: what was read before may come from a server that is replaced."""
        return self._trusted

    def distrust(self) -> None:
        """Have no pooled connection used again that is open now: they may lead to a server that is no primary any more.

        Can be called from any thread. What uses one at this moment goes on.
        """
        self._trusted += 1

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """Read in one snapshot; nothing can be written."""
        async with _transaction(self._reader, self._wait_seconds, commit=False) as connection:
            yield connection

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Connection]:
        """Read with statements that are one snapshot each: what they say has to hold alone. Begins and ends no transaction; none writes."""
        async with _transaction(self._asker, self._wait_seconds, commit=False) as connection:
            yield connection

    @asynccontextmanager
    async def changing(self, one_at_a_time: str | None = None, waited_seconds: float = 0.0) -> AsyncIterator[Connection]:
        """Read and write in one transaction. Whoever has waited for the store before waits for so much less here.

        On SQLite all changes run one after another. On PostgreSQL those do that name the same `one_at_a_time` (a workspace's id), so
        that what a change has read is still so when it writes; the server ends one that stands still, so that others go on.
        """
        async with AsyncExitStack() as stack:
            with translated():
                # One bound over the connection and the turn: whoever waits for longer is told that nothing has changed.
                async with asyncio.timeout(max(self._wait_seconds - waited_seconds, WAIT_SECONDS_MIN)):
                    connection = await stack.enter_async_context(_transaction(self._writer, self._wait_seconds, commit=True))
                    if one_at_a_time is not None and self.dialect == postgresql.DIALECT:
                        await connection.all(postgresql.turn(one_at_a_time, self._wait_seconds))
            yield connection

    @asynccontextmanager
    async def reading_traffic(self) -> AsyncIterator[Connection]:
        """Read the traffic in one snapshot; nothing can be written."""
        async with _transaction(self._traffic_reader, self._wait_seconds, commit=False) as connection:
            yield connection

    @asynccontextmanager
    async def writing_traffic(self) -> AsyncIterator[Connection]:
        """Write traffic. On SQLite this is another file: nothing spans the two."""
        async with _transaction(self._traffic_writer, TRAFFIC_WAIT_SECONDS, commit=True) as connection:
            yield connection

    async def check(self) -> None:
        """Prove that both databases can be used, or raise `StoreUnusable` (what to mend) or refuse as `store_unavailable` (wait)."""
        if self.dialect == sqlite.DIALECT:
            for url in (self.url, self.traffic_url):
                sqlite.check_place(url)
        for engine in dict.fromkeys((self._reader, self._writer, self._traffic_reader, self._traffic_writer)):
            async with _transaction(engine, self._wait_seconds, commit=False) as connection:
                await connection.all(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection. The store can be used again: it opens new ones."""
        for engine in self._engines():
            await engine.dispose()

    def _note_trust(self, _connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_TRUSTED] = self._trusted

    def _check_trust(self, _connection: object, record: ConnectionPoolEntry, _lent: object) -> None:
        if record.info[_TRUSTED] != self._trusted:
            # The pool closes this connection, and opens another in its place.
            raise DisconnectionError

    def _engines(self) -> tuple[AsyncEngine, ...]:
        return tuple(dict.fromkeys((self._reader, self._writer, self._asker, self._traffic_reader, self._traffic_writer)))


def create_engine(url: str) -> AsyncEngine:
    """Return an engine for a host's own tables, beside Keyrack's in one database or apart.

    On SQLite it sends `BEGIN IMMEDIATE` first, so that two writers queue for up to 5 s and none fails half-way; a connection with
    `execution_options(keyrack_read_only=True)` sends `BEGIN` and delays nobody. WAL, foreign keys and `synchronous=FULL` are on.
    On PostgreSQL the pool and every statement are bounded in time.
    """
    engine = sqlite.host_engine(url) if is_sqlite(url) else postgresql.host_engine(url)
    forget_in_children(engine)
    return engine


def is_sqlite(url: str) -> bool:
    """Whether this URL names an SQLite file; raise ValueError unless it is that or a PostgreSQL database."""
    name = make_url(url).get_backend_name()
    if name not in (sqlite.DIALECT, postgresql.DIALECT):
        raise ValueError(
            f"Keyrack keeps its data in SQLite or PostgreSQL, not in {name!r}: give a URL that begins with sqlite:/// or postgresql://"
        )
    return name == sqlite.DIALECT


@asynccontextmanager
async def _transaction(engine: AsyncEngine, wait_seconds: float, *, commit: bool) -> AsyncIterator[Connection]:
    async with AsyncExitStack() as stack:
        # One bound over all that is waited for: the pool's, the server's and the lock's own would add up.
        with translated():
            async with asyncio.timeout(wait_seconds):
                connection = await engine.connect()
                stack.push_async_exit(connection)
                transaction = await connection.begin()
        try:
            yield Connection(connection, wait_seconds)
        except BaseException:
            # A broken connection has rolled back already; what the block raised is what the caller must see.
            with suppress(DBAPIError, OSError):
                await transaction.rollback()
            raise
        if commit:
            with _committing():
                await transaction.commit()
        else:
            with translated():
                # This closes, which rolls back once: after a rollback of its own, the pool would send another.
                await stack.aclose()


@contextmanager
def translated() -> Iterator[None]:
    """Turn what a driver raises into what callers act on. Only database calls stand inside, so other errors pass untouched."""
    try:
        yield
    except IntegrityError as error:
        if sqlite.is_duplicate(error) or postgresql.is_duplicate(error):
            raise Duplicate from error
        raise
    except DBAPIError as error:
        if _is_away(error):
            raise _unavailable() from error
        raise
    except (PoolTimeout, OSError, postgresql.StandbyServer) as error:
        raise _unavailable() from error


@contextmanager
def _committing() -> Iterator[None]:
    """A commit that got no answer may have happened: that is never told as a no (CONSISTENCY §4)."""
    try:
        with translated():
            yield
    except refusals.Refused as refused:
        cause = refused.__cause__
        if isinstance(cause, DBAPIError) and (sqlite.is_certain_no(cause) or postgresql.is_certain_no(cause)):
            raise
        raise refusals.OUTCOME_UNKNOWN("The store went away while the change was committed.") from cause


def _is_away(error: DBAPIError) -> bool:
    return error.connection_invalidated or sqlite.is_away(error) or postgresql.is_away(error)


def _unavailable() -> refusals.Refused:
    return refusals.STORE_UNAVAILABLE("The store does not answer at the moment.", headers={"Retry-After": RETRY_AFTER_SECONDS})


# A child process forgets its parent's connections and never closes them: closing an SQLite handle there could drop the parent's locks,
# closing a socket would end the parent's session. They stay referenced here, so that no garbage collection closes them either.
_engines: "weakref.WeakSet[Engine]" = weakref.WeakSet()
_stores: "weakref.WeakSet[Store]" = weakref.WeakSet()
_forgotten: list[Pool] = []


def forget_in_children(engine: AsyncEngine) -> None:
    """Make the engine open connections of its own in a forked child."""
    _engines.add(engine.sync_engine)


def _forget() -> None:
    for engine in list(_engines):
        _forgotten.append(engine.pool)
        engine.dispose(close=False)
    for store in list(_stores):
        store.revising = asyncio.Lock()


os.register_at_fork(after_in_child=_forget)
