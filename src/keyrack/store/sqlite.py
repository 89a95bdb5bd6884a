"""SQLite as the store needs it: explicit transactions, the write-ahead log, and a file system that can do both."""

import asyncio
import os
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

DIALECT = "sqlite"
BUSY_SECONDS_MAX = 5
# The part of the time for a transaction to begin that SQLite waits for a lock: its own no comes first, and leaves nothing behind.
BUSY_PART = 3 / 4
JOURNAL_RETRY_SECONDS = 0.01
POOL_WAIT_SECONDS_MAX = 10
READERS_MAX = 4
HOST_CONNECTIONS_MAX = 5
WAL_BYTES_KEPT_MAX = 64 * 1024 * 1024
READ_ONLY_OPTION = "keyrack_read_only"
NO_BEGIN_OPTION = "keyrack_no_begin"
_SCHEMALESS: dict[str, Any] = {"schema_translate_map": {"keyrack": None}}

# sqlite3's primary result codes (https://www.sqlite.org/rescode.html) that say the file cannot be used now: busy, locked, no memory,
# interrupted, I/O error, corrupt, full, cannot open, locking protocol, not a database.
_AWAY = frozenset({5, 6, 7, 9, 10, 11, 13, 14, 15, 26})
_CERTAIN_NO = frozenset({5, 13})
_UNIQUE = frozenset({1555, 2067, 2579})
# The write-ahead log shares memory between processes, which no network file system does (https://www.sqlite.org/wal.html).
_NETWORK = frozenset({"9p", "afs", "ceph", "cifs", "davfs", "fuse.sshfs", "gfs2", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"})


class StoreUnusable(Exception):
    """The store cannot work where it stands. The message says what to change."""


def engines(url: str, wait_seconds: float, *, durable: bool) -> tuple[AsyncEngine, AsyncEngine, AsyncEngine]:
    """Return the engines of one file: reading and writing, and asking, where each statement is a transaction of its own.

    A few connections read and ask, and cannot write; one writes. `wait_seconds` is how long a transaction may take to begin.

    A durable file is synced at each commit: a power cut must not bring a revoked key back. The other may lose its last seconds.
    """
    busy_seconds_max = wait_seconds * BUSY_PART
    reader = _engine(url, pool_size=READERS_MAX, durable=durable, read_only=True, busy_seconds_max=busy_seconds_max)
    writer = _engine(url, pool_size=1, durable=durable, busy_seconds_max=busy_seconds_max)
    return (
        reader.execution_options(**_SCHEMALESS, **{READ_ONLY_OPTION: True}),
        writer.execution_options(**_SCHEMALESS),
        reader.execution_options(**_SCHEMALESS, **{NO_BEGIN_OPTION: True}),
    )


def host_engine(url: str) -> AsyncEngine:
    """Return an engine for a host's own tables."""
    return _engine(url, pool_size=HOST_CONNECTIONS_MAX, durable=True)


def migrating_engine(url: str, busy_seconds_max: int) -> AsyncEngine:
    """Return an engine that waits long for another process that migrates the same file."""
    engine = _engine(url, pool_size=1, durable=True, busy_seconds_max=busy_seconds_max)
    return engine.execution_options(**_SCHEMALESS)


def holding_engine(url: str, busy_seconds_max: int) -> AsyncEngine:
    """Return an engine of one connection that has the file to itself, from its first statement until it is closed.

    It cannot be opened while any other connection is open, and no other one while it is.
    """
    engine = _engine(url, pool_size=1, durable=True, busy_seconds_max=busy_seconds_max, alone=True)
    return engine.execution_options(**_SCHEMALESS)


def looking_engine(url: str) -> AsyncEngine:
    """Return an engine that changes nothing of a file, not even how it is written."""
    path = quote(str(Path(async_url(url).database or "").absolute()))
    engine = create_async_engine(f"sqlite+aiosqlite:///file:{path}?mode=ro&uri=true", hide_parameters=True)
    return engine.execution_options(**_SCHEMALESS)


def _engine(
    url: str,
    *,
    pool_size: int,
    durable: bool,
    read_only: bool = False,
    busy_seconds_max: float = BUSY_SECONDS_MAX,
    alone: bool = False,
) -> AsyncEngine:
    engine = create_async_engine(
        async_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS_MAX,
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": busy_seconds_max},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        if alone:
            # Before the log is first looked at: else its index stays shared, and so does the file.
            connection.run_async(lambda driver: driver.execute_fetchall("PRAGMA locking_mode=EXCLUSIVE"))
        connection.run_async(lambda driver: _write_ahead(driver, busy_seconds_max))
        _prepare(connection, durable=durable, read_only=read_only)

    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "invalidate", _roll_back)
    return engine


def async_url(url: str) -> URL:
    """Return the URL with its driver. Raises StoreUnusable for a database in memory: every process would see another one."""
    parsed = make_url(url)
    if not parsed.database or parsed.database == ":memory:" or "mode" in parsed.query:
        raise StoreUnusable(f"Keyrack keeps its data in a file: write sqlite:///path/to/keyrack.db instead of {url!r}.")
    return parsed.set(drivername="sqlite+aiosqlite")


async def _write_ahead(driver: aiosqlite.Connection, seconds_max: float) -> None:
    """Turn the write-ahead log on, or find it on."""
    # Of several connections to a new file, SQLite refuses all but one at once, whatever the busy timeout: each of them has begun to
    # read, and would wait for the others. What is refused has let go.
    deadline = time.monotonic() + seconds_max
    while True:
        try:
            (row,) = await driver.execute_fetchall("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        await asyncio.sleep(JOURNAL_RETRY_SECONDS)
    if row[0] != "wal":
        raise StoreUnusable(
            f"SQLite answers journal_mode={row[0]} where WAL is needed: "
            "put the data folder on a local file system that this process may write."
        )


def _prepare(connection: Any, *, durable: bool, read_only: bool) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA journal_size_limit={WAL_BYTES_KEPT_MAX}")
    if read_only:
        cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    # The driver sends no BEGIN before a SELECT, so two reads would be two snapshots; and a deferred transaction that turns to writing
    # fails at once when another has written meanwhile, whatever the busy timeout. So both are explicit.
    options = connection.get_execution_options()
    if NO_BEGIN_OPTION not in options:
        connection.exec_driver_sql("BEGIN" if options.get(READ_ONLY_OPTION, False) else "BEGIN IMMEDIATE")


def _roll_back(connection: Any, _record: object, _error: BaseException | None) -> None:
    # A task that is cancelled inside a statement leaves a cursor open. SQLite keeps what a closed connection has locked until its last
    # cursor is gone, which waits for some garbage collection: nobody could write meanwhile. So the transaction ends before the
    # connection does. It is put into the queue of the connection's own thread, because a cancelled task should not await once more.
    driver = connection.driver_connection
    driver._tx.put_nowait((None, lambda: driver._conn.rollback()))


def check_place(url: str) -> None:
    """Raise StoreUnusable unless the file can stand where the URL says: a folder that exists, may be written and is local."""
    folder = Path(async_url(url).database or "").absolute().parent
    if not folder.is_dir():
        raise StoreUnusable(f"The data folder {folder} does not exist: create it, or name another.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreUnusable(f"The data folder {folder} may not be written by this user: change its owner, or name another.")
    kind = _file_system(folder)
    if kind in _NETWORK:
        raise StoreUnusable(
            f"The data folder {folder} is on a network file system ({kind}), where SQLite's write-ahead log loses data: "
            "name a folder on a local disk, or keep the data in PostgreSQL."
        )


def _file_system(folder: Path) -> str:
    """Return the type of the file system that holds a folder, as Linux names it; empty where the system does not tell."""
    mounts = Path("/proc/self/mountinfo")
    if not mounts.exists():
        return ""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.read_text(errors="replace").splitlines():
        mount, _, source = line.partition(" - ")
        if mount.split()[2] == number:
            return source.split()[0]
    return ""


def is_away(error: DBAPIError) -> bool:
    """Whether an error says that the file cannot be used now, rather than that a statement is wrong."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _AWAY


def is_certain_no(error: DBAPIError) -> bool:
    """Whether a failed commit certainly did not happen: the file was busy or full."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _CERTAIN_NO


def is_busy(error: DBAPIError) -> bool:
    """Whether an error says that somebody else has the file open, or writes to it."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_BUSY


def is_duplicate(error: DBAPIError) -> bool:
    """Whether an error says that a unique constraint refused a row."""
    return getattr(error.orig, "sqlite_errorcode", None) in _UNIQUE
