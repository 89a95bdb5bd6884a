"""PostgreSQL as the store needs it: a primary, bounded waits, one snapshot per reading transaction, and durable commits."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import asyncpg
from sqlalchemy import ColumnElement, Select, Table, event, func, literal, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

DIALECT = "postgresql"
CONNECTIONS_MAX = 10
POOL_WAIT_SECONDS_MAX = 5
CONNECT_SECONDS_MAX = 5
STATEMENT_SECONDS_MAX = 10
LOCK_WAIT_SECONDS_MAX = 5
IDLE_IN_TRANSACTION_SECONDS_MAX = 30
# The same where others wait: their process may have been stopped, or its link cut. In a change those of its workspace do, and from its
# revision on all others. Where a store is told to wait for longer than usual, these are longer too, as parts of that.
IDLE_IN_CHANGE_SECONDS = 1.0
IDLE_IN_CHANGE_PART = 0.5
IDLE_IN_REVISION_SECONDS = 0.5
IDLE_IN_REVISION_PART = 0.25
RECYCLE_SECONDS = 1800

# SQLSTATE classes and codes (PostgreSQL, appendix A): connection lost, out of resources, server stopping or statement timed out,
# system error; serialization failure and deadlock; a lock waited for too long; a primary that became a standby; a transaction whose
# client said nothing for too long.
_AWAY_CLASSES = ("08", "40", "53", "57", "58")
_AWAY = frozenset({"55P03", "25006", "25P03"})
_UNIQUE = "23505"

_PROOF_SQL = "SELECT pg_is_in_recovery(), current_setting('synchronous_commit')"
_DURABLE_SQL = "SET synchronous_commit = on"


class StandbyServer(Exception):
    """The server at this address follows another one: what it says may be behind."""


class Lock(IntEnum):
    """Advisory locks, which last until their transaction ends. The numbers keep apart from a host's own."""

    MIGRATIONS = 0x4B520001
    CHANGES = 0x4B520002
    EVENTS = 0x4B520003
    PARTITIONS = 0x4B520004
    COUNTS = 0x4B520005
    CLAIMS = 0x4B520006


def lock(kind: Lock, name: str = "") -> Select[Any]:
    """Return the statement that waits for a lock; two names may share one, which only means more waiting."""
    return select(func.pg_advisory_xact_lock(literal(int(kind)), func.hashtext(name)))


def turn(name: str, wait_seconds: float) -> Select[Any]:
    """Return the statement that waits for a change's turn, and has the server end the change where its client falls silent.

    `wait_seconds` is how long the others would wait.
    """
    return lock(Lock.CHANGES, name).add_columns(_idle_limit(max(IDLE_IN_CHANGE_SECONDS, wait_seconds * IDLE_IN_CHANGE_PART)))


def silence_in_revision(wait_seconds: float) -> ColumnElement[str]:
    """Return what the statement that takes a revision selects, for which all others wait from then on: how long it may stand still."""
    return _idle_limit(max(IDLE_IN_REVISION_SECONDS, wait_seconds * IDLE_IN_REVISION_PART))


def _idle_limit(seconds: float) -> ColumnElement[str]:
    return func.set_config("idle_in_transaction_session_timeout", f"{round(seconds * 1000)}ms", True)


def engines(url: str, wait_seconds: float, *, durable: bool) -> tuple[AsyncEngine, AsyncEngine, AsyncEngine]:
    """Return the engines of a database, on one pool: reading, writing, and asking, where each statement is a transaction of its own.

    Commits are durable here whatever is asked.
    `wait_seconds`, how long a transaction may take to begin, is kept by who begins it.
    """
    engine = engine_of(url)
    return (
        engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
        engine.execution_options(isolation_level="READ COMMITTED"),
        engine.execution_options(isolation_level="AUTOCOMMIT"),
    )


def host_engine(url: str) -> AsyncEngine:
    """Return an engine for a host's own tables."""
    return engine_of(url)


def engine_of(url: str, *, statement_seconds_max: int = STATEMENT_SECONDS_MAX) -> AsyncEngine:
    """Return an engine whose every wait ends: for a connection, for the pool, for a lock, for a statement."""
    limits = {"application_name": "keyrack", **_limits(statement_seconds_max)}
    engine = create_async_engine(
        async_url(url),
        pool_size=CONNECTIONS_MAX,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS_MAX,
        pool_recycle=RECYCLE_SECONDS,
        hide_parameters=True,
        # The client's own limit is only for a server that has stopped answering: the server's comes first.
        connect_args={"timeout": CONNECT_SECONDS_MAX, "command_timeout": statement_seconds_max + 5, "server_settings": limits},
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    return engine


async def open_session(url: str, statement_seconds_max: float) -> Any:
    """Open one connection of asyncpg's own, in no pool, on a primary and with durable commits; every wait on it ends.

    Raises StandbyServer, and what asyncpg raises.
    """
    named = async_url(url)
    _, options = named.get_dialect()().create_connect_args(named)
    for pooled in ("prepared_statement_cache_size", "prepared_statement_name_func"):
        options.pop(pooled, None)
    limits = {"application_name": "keyrack feed", **_limits(statement_seconds_max)}
    connection = await asyncpg.connect(**options, timeout=min(CONNECT_SECONDS_MAX, statement_seconds_max), server_settings=limits)
    try:
        standby, durability = await connection.fetchrow(_PROOF_SQL, timeout=statement_seconds_max)
        if standby:
            raise StandbyServer("this server is in recovery")
        if durability == "off":
            await connection.execute(_DURABLE_SQL, timeout=statement_seconds_max)
    except BaseException:
        connection.terminate()
        raise
    return connection


def _limits(statement_seconds_max: float) -> dict[str, str]:
    return {
        "statement_timeout": f"{round(statement_seconds_max * 1000)}ms",
        "lock_timeout": f"{round(min(LOCK_WAIT_SECONDS_MAX, statement_seconds_max) * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS_MAX}s",
    }


async def copy(connection: Any, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Add rows with COPY: a third of what statements cost. What fails is raised as SQLAlchemy would."""
    try:
        await connection.driver_connection.copy_records_to_table(
            table.name, schema_name=table.schema, columns=table.columns.keys(), records=rows
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        kind = IntegrityError if getattr(error, "sqlstate", None) == _UNIQUE else DBAPIError
        raise kind("COPY", None, error, connection_invalidated=isinstance(error, asyncpg.InterfaceError)) from error


def async_url(url: str) -> URL:
    """Return the URL with its driver."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(_PROOF_SQL)
    standby, durability = cursor.fetchone()
    if standby:
        raise StandbyServer("this server is in recovery")
    if durability == "off":
        cursor.execute(_DURABLE_SQL)
    cursor.close()
    connection.commit()


def is_away(error: DBAPIError) -> bool:
    """Whether an error says that the server cannot answer now, rather than that a statement is wrong."""
    state = _state(error)
    # So says the driver where a server that stops has said so between two statements.
    is_cut_off = isinstance(getattr(error.orig, "__cause__", None), asyncpg.InternalClientError)
    return is_cut_off or state in _AWAY or state[:2] in _AWAY_CLASSES


def is_certain_no(error: DBAPIError) -> bool:
    """Whether a failed commit certainly did not happen: the server itself rolled it back."""
    return _state(error)[:2] == "40"


def is_duplicate(error: DBAPIError) -> bool:
    """Whether an error says that a unique constraint refused a row."""
    return _state(error) == _UNIQUE


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""
