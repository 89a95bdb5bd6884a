"""Where an installation lies, and how it is held while it is copied: nobody may change it meanwhile, and nobody may begin to serve it.

An installation is one database on PostgreSQL, and two files on SQLite. Each of them is a half here, with the tables that lie in it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Table, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from keyrack.store import (
    connector_tables,
    delivery_tables,
    embed_key_tables,
    endpoint_tables,
    oauth_tables,
    postgresql,
    replay_tables,
    sqlite,
    tables,
    token_tables,
    traffic_tables,
)
from keyrack.store.database import is_sqlite, translated
from keyrack.store.sqlite import StoreUnusable

SECONDS_MAX = 600
"""How long one statement of a copy may take."""

BUSY_SECONDS_MAX = 2
# A third of a lease passes between two renewals; the margin is for a slow node.
LEASE_PATIENCE = 1.05
FILE_SUFFIXES = (".db", ".sqlite", ".sqlite3")
MAIN_NAME, TRAFFIC_NAME = "keyrack.db", "traffic.db"

LEFT_BEHIND = frozenset({tables.leases, replay_tables.replay_claims})
"""What belongs to running processes, and to no copy."""

COPIED = (
    connector_tables.connectors,
    delivery_tables.deliveries,
    embed_key_tables.embed_keys,
    endpoint_tables.endpoints,
    oauth_tables.grants,
    token_tables.tokens,
)
"""Tables of modules that nobody else may have loaded: naming them here puts all of theirs into the copy."""

COUNTERS = frozenset({tables.revisions, tables.event_positions})
"""What migrations make with a row in it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an installation lies. `folder` is the data folder of one on SQLite: it holds the second file, the spool and maybe the key."""

    url: str = field(repr=False)
    traffic_url: str | None = None
    folder: Path | None = None

    @classmethod
    def named(cls, name: str, folder: Path | None = None) -> "Place":
        """Return the place that an operator names: a data folder, the URL of its main file, or that of a PostgreSQL database.

        `folder` is where the rest of an installation lies whose main file stands apart. Raises StoreUnusable for what names none.
        """
        name = name.replace("postgres://", "postgresql://", 1) if name.startswith("postgres://") else name
        path = _path_in(name)
        if name in ("", "sqlite:"):
            raise StoreUnusable("This names no installation: give a data folder, or a database's URL.")
        if path is None:
            return cls._of_url(name, folder)
        if path.is_file() or (path.suffix in FILE_SUFFIXES and not path.is_dir()):
            return cls(_file_url(path), _file_url((folder or path.absolute().parent) / TRAFFIC_NAME), folder or path.absolute().parent)
        return cls(_file_url(path / MAIN_NAME), _file_url(path / TRAFFIC_NAME), path.absolute())

    @classmethod
    def _of_url(cls, name: str, folder: Path | None) -> "Place":
        try:
            url = make_url(name)
            if is_sqlite(name):
                return cls.named(f"sqlite:{url.database or ''}", folder)
        except (ArgumentError, ValueError) as error:
            told = str(error) if isinstance(error, ValueError) else "give one like sqlite:///data/keyrack.db or postgresql://user@host/name"
            # The name itself may hold a password.
            raise StoreUnusable(f"This names no installation: {told}. A data folder will do as well.") from None
        return cls(postgresql.async_url(name).render_as_string(hide_password=False))

    @property
    def is_sqlite(self) -> bool:
        """Whether the installation lies in files."""
        return self.folder is not None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of an installation on SQLite."""
        return tuple(_file_of(url) for url in (self.url, self.traffic_url) if url and self.is_sqlite)

    def __str__(self) -> str:
        """The place, as it may be shown."""
        if self.is_sqlite:
            return str(self.files[0])
        return make_url(self.url).set(drivername="postgresql").render_as_string()


@dataclass(frozen=True, slots=True)
class Half:
    """One database of an installation, open, and the tables in it that are copied, each after those that it refers to."""

    connection: AsyncConnection
    tables: Sequence[Table]


def tables_of(place: Place) -> list[tuple[str, list[Table]]]:
    """Return the databases of an installation by their URLs, with what of each is copied."""
    main = [table for table in tables.metadata.sorted_tables if table not in LEFT_BEHIND]
    traffic = [table for table in traffic_tables.metadata.sorted_tables if table not in LEFT_BEHIND]
    if place.traffic_url is None:
        return [(place.url, main + traffic)]
    return [(place.url, main), (place.traffic_url, traffic)]


@asynccontextmanager
async def held_to_read(place: Place) -> AsyncIterator[list[Half]]:
    """Hold an installation so that nobody changes it, and read all of it as it is at this moment. Raises StoreUnusable where it is used."""
    async with AsyncExitStack() as stack:
        if not place.is_sqlite:
            await refuse_running(place)
        halves = []
        for url, copied in tables_of(place):
            connection = await stack.enter_async_context(_open(place, url, isolation_level="REPEATABLE READ"))
            if not place.is_sqlite:
                # The other side may keep this one waiting. What is read begins after the lock, and so after the last who wrote.
                await connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{SECONDS_MAX}s'"))
                await connection.execute(text(f"LOCK TABLE {', '.join(table.fullname for table in (*LEFT_BEHIND, *copied))} IN SHARE MODE"))
            halves.append(Half(connection, copied))
        yield halves


@asynccontextmanager
async def held_to_write(place: Place) -> AsyncIterator[list[Half]]:
    """Hold an installation so that nobody serves from it. Raises StoreUnusable where somebody does."""
    async with AsyncExitStack() as stack:
        halves = []
        for url, copied in tables_of(place):
            halves.append(Half(await stack.enter_async_context(_open(place, url)), copied))
        yield halves


@asynccontextmanager
async def looked_at(place: Place, url: str) -> AsyncIterator[AsyncConnection | None]:
    """Read one database, and change nothing of it; None where there is no such file."""
    if place.is_sqlite and not _file_of(url).exists():
        yield None
        return
    engine = sqlite.looking_engine(url) if place.is_sqlite else postgresql.engine_of(url, statement_seconds_max=SECONDS_MAX)
    async with _connected(place, engine) as connection:
        yield connection


async def refuse_running(place: Place) -> None:
    """Raise StoreUnusable where a process on PostgreSQL renews its lease: it serves from this database."""
    before = await _leases(place)
    if not before:
        return
    await asyncio.sleep(max(length_ms for _, length_ms in before.values()) / 1000 * LEASE_PATIENCE)
    if any(before.get(lease_id) != lease for lease_id, lease in (await _leases(place)).items()):
        raise StoreUnusable(f"A process serves from {place}: stop every one of them first. Nothing was touched.")


async def _leases(place: Place) -> dict[str, tuple[int, int]]:
    async with looked_at(place, place.url) as connection:
        assert connection is not None
        if not await connection.run_sync(lambda c: inspect(c).has_table(tables.leases.name, tables.SCHEMA)):
            return {}
        columns = (tables.leases.c.id, tables.leases.c.renewal, tables.leases.c.length_ms)
        return {row.id: (row.renewal, row.length_ms) for row in await connection.execute(select(*columns))}


@asynccontextmanager
async def _open(place: Place, url: str, **options: str) -> AsyncIterator[AsyncConnection]:
    if place.is_sqlite:
        sqlite.check_place(url)
        engine = sqlite.holding_engine(url, BUSY_SECONDS_MAX)
    else:
        engine = postgresql.engine_of(url, statement_seconds_max=SECONDS_MAX).execution_options(**options)
    async with _connected(place, engine) as connection:
        yield connection


@asynccontextmanager
async def _connected(place: Place, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        with translated():
            connection = await _first_connection(place, engine)
            try:
                yield connection
            finally:
                await connection.close()
    finally:
        await engine.dispose()


async def _first_connection(place: Place, engine: AsyncEngine) -> AsyncConnection:
    try:
        connection = await engine.connect()
        if place.is_sqlite:
            await connection.execute(text("SELECT count(*) FROM sqlite_master"))
    except DBAPIError as error:
        if sqlite.is_busy(error):
            raise StoreUnusable(f"Another process has {place} open: stop every one of them first. Nothing was touched.") from None
        raise
    return connection


def _path_in(name: str) -> Path | None:
    """Return the path where a name is one, with or without `sqlite:` before it."""
    scheme, colon, rest = name.partition(":")
    if colon and rest.startswith("//"):
        return None
    if colon and scheme == "sqlite":
        return Path(rest)
    return None if colon and scheme in ("postgres", "postgresql") else Path(name)


def _file_of(url: str) -> Path:
    return Path(make_url(url).database or "")


def _file_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{quote(str(path.absolute()))}"
