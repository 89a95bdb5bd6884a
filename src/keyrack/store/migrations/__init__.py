"""Migrations of Keyrack's own tables: run by the program, on its own connection, beside whatever a host runs for its tables.

Each script says in its name whether it comes before (pre) or after (post) the code that needs it. The branch `main` is what must not be
lost, `traffic` the rest: two files on SQLite, one database on PostgreSQL. A script's revision is its branch and its number, and follows
the number before, so that names and numbers alone say what is missing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, column, func, inspect, select, table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.schema import CreateSchema

from keyrack.store import postgresql, sqlite
from keyrack.store.database import is_sqlite, translated
from keyrack.store.tables import SCHEMA

VERSION_TABLE = "keyrack_versions"
SECONDS_MAX = 600
"""How long one statement may take, and how long a process waits for another one that migrates."""

MAIN, TRAFFIC = "main", "traffic"
VERSIONS = Path(__file__).parent / "versions"


async def migrate(store_url: str, traffic_url: str | None = None) -> list[str]:
    """Bring a store up to this version of Keyrack and return the scripts that ran, in order: none where it was up to date.

    Several processes, or several tasks of one, may do this at once: one migrates, the others wait. Each database gets all or nothing.
    Raises `StoreUnusable` where the store cannot stand there, or where a newer Keyrack has migrated it; Refused `store_unavailable`
    where it does not answer.
    """
    ran: list[str] = []
    for url, branches in _databases(store_url, traffic_url):
        async with _opened(url) as engine:
            # Most starts find nothing to do, and then hold up nobody who writes.
            if await _pending(engine, branches):
                ran += await _migrate(engine, branches)
    return ran


async def pending(store_url: str, traffic_url: str | None = None) -> list[str]:
    """Return the scripts that `migrate` would run, in order, and run none. Raises what `migrate` raises."""
    missing: list[str] = []
    for url, branches in _databases(store_url, traffic_url):
        async with _opened(url) as engine:
            missing += await _pending(engine, branches)
    return missing


def include_object(_object: object, name: str | None, kind: str, _reflected: bool, _compared_to: object) -> bool:
    """Keep Keyrack's tables out of a host's Alembic: pass this to `context.configure(include_object=…)`."""
    return not (kind == "table" and name is not None and name.startswith("keyrack_"))


def version_schema(dialect_name: str) -> str | None:
    """Return the schema of the version table."""
    return SCHEMA if dialect_name == postgresql.DIALECT else None


def _databases(store_url: str, traffic_url: str | None) -> list[tuple[str, tuple[str, ...]]]:
    """Return each database with its branches."""
    if traffic_url is None or traffic_url == store_url:
        return [(store_url, (MAIN, TRAFFIC))]
    return [(store_url, (MAIN,)), (traffic_url, (TRAFFIC,))]


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[AsyncEngine]:
    if is_sqlite(url):
        sqlite.check_place(url)
        engine = sqlite.migrating_engine(url, SECONDS_MAX)
    else:
        engine = postgresql.engine_of(url, statement_seconds_max=SECONDS_MAX)
    try:
        with translated():
            yield engine
    finally:
        await engine.dispose()


async def _pending(engine: AsyncEngine, branches: tuple[str, ...]) -> list[str]:
    async with engine.execution_options(**{sqlite.READ_ONLY_OPTION: True}).connect() as connection:
        return await connection.run_sync(_missing, branches)


async def _migrate(engine: AsyncEngine, branches: tuple[str, ...]) -> list[str]:
    async with engine.begin() as connection:
        if connection.dialect.name == postgresql.DIALECT:
            await _prepare_postgresql(connection)
        return await connection.run_sync(_upgrade, branches)


async def _prepare_postgresql(connection: AsyncConnection) -> None:
    # Waiting for a process that migrates may take long; waiting for a lock on a table holds up all who use the table.
    await connection.execute(select(func.set_config("lock_timeout", f"{SECONDS_MAX}s", True)))
    await connection.execute(postgresql.lock(postgresql.Lock.MIGRATIONS))
    await connection.execute(select(func.set_config("lock_timeout", f"{postgresql.LOCK_WAIT_SECONDS_MAX}s", True)))
    # Asked first: `IF NOT EXISTS` wants the right to create schemas even where there is nothing to create.
    if await connection.scalar(select(func.to_regnamespace(SCHEMA).is_(None))):
        await connection.execute(CreateSchema(SCHEMA))


def _upgrade(connection: Connection, branches: tuple[str, ...]) -> list[str]:
    if not _missing(connection, branches):
        # Another process was first.
        return []
    # Alembic takes nearly as long to load as all of Keyrack: only a start that has something to run waits for it.
    ran: list[str] = import_module(f"{__name__}.upgrade").upgrade(connection, branches)
    return ran


def _missing(connection: Connection, branches: tuple[str, ...]) -> list[str]:
    """Return the scripts of these branches that have not run."""
    heads = _heads(connection)
    unknown = sorted(heads - {_revision(script) for branch in (MAIN, TRAFFIC) for script in _scripts(branch)})
    if unknown:
        raise sqlite.StoreUnusable(f"A newer Keyrack has migrated this store (to {', '.join(unknown)}): run that version, or a later one.")
    missing: list[str] = []
    for branch in branches:
        scripts = _scripts(branch)
        done = next((number for number, script in enumerate(scripts, 1) if _revision(script) in heads), 0)
        missing += [script.stem for script in scripts[done:]]
    return missing


def _heads(connection: Connection) -> set[str]:
    """Return the newest revision of each branch in this database."""
    schema = version_schema(connection.dialect.name)
    if not inspect(connection).has_table(VERSION_TABLE, schema):
        return set()
    return set(connection.scalars(select(column("version_num")).select_from(table(VERSION_TABLE, schema=schema))))


def _scripts(branch: str) -> list[Path]:
    return sorted((VERSIONS / branch).glob("[0-9]*.py"))


def _revision(script: Path) -> str:
    return f"{script.parent.name}_{script.stem.partition('_')[0]}"
