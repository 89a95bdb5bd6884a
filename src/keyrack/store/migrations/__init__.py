"""Migrations of Keyrack's own tables: run by the program, on its own connection, beside whatever a host runs for its tables.

Each script says in its name whether it comes before (pre) or after (post) the code that needs it. The branch `main` is what must not be
lost, `traffic` the rest: two files on SQLite, one database on PostgreSQL.
"""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.schema import CreateSchema

from keyrack.store import postgresql, sqlite
from keyrack.store.database import create_engine, is_sqlite, translated
from keyrack.store.tables import SCHEMA

VERSION_TABLE = "keyrack_versions"
SECONDS_MAX = 600
"""How long one statement may take, and how long a process waits for another one that migrates."""

MAIN, TRAFFIC = "main", "traffic"

_FOLDER = Path(__file__).parent


async def migrate(store_url: str, traffic_url: str | None = None) -> list[str]:
    """Bring a store up to this version of Keyrack and return the scripts that ran, in order: none where it was up to date.

    Several processes may do this at once: one migrates, the others wait. Each database gets all or nothing. Raises `StoreUnusable`
    where the store cannot stand there, or where a newer Keyrack has migrated it; Refused `store_unavailable` where it does not answer.
    """
    if traffic_url is None or traffic_url == store_url:
        return await _migrate(store_url, MAIN, TRAFFIC)
    return await _migrate(store_url, MAIN) + await _migrate(traffic_url, TRAFFIC)


async def pending(store_url: str, traffic_url: str | None = None) -> list[str]:
    """Return the scripts that `migrate` would run, in order, and run none. Raises what `migrate` raises."""
    if traffic_url is None or traffic_url == store_url:
        return await _pending(store_url, "heads")
    return await _pending(store_url, "main@head") + await _pending(traffic_url, "traffic@head")


def include_object(_object: object, name: str | None, kind: str, _reflected: bool, _compared_to: object) -> bool:
    """Keep Keyrack's tables out of a host's Alembic: pass this to `context.configure(include_object=…)`."""
    return not (kind == "table" and name is not None and name.startswith("keyrack_"))


def version_schema(dialect_name: str) -> str | None:
    """Return the schema of the version table."""
    return SCHEMA if dialect_name == postgresql.DIALECT else None


async def _migrate(url: str, *branches: str) -> list[str]:
    if is_sqlite(url):
        sqlite.check_place(url)
        engine = sqlite.migrating_engine(url, SECONDS_MAX)
    else:
        engine = postgresql.engine_of(url, statement_seconds_max=SECONDS_MAX)
    try:
        return await _migrate_on(engine, branches)
    finally:
        await engine.dispose()


async def _pending(url: str, destination: str) -> list[str]:
    engine = create_engine(url).execution_options(**{sqlite.READ_ONLY_OPTION: True})
    try:
        with translated():
            async with engine.connect() as connection:
                return await connection.run_sync(_missing, destination)
    finally:
        await engine.dispose()


async def _migrate_on(engine: AsyncEngine, branches: tuple[str, ...]) -> list[str]:
    with translated():
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
    config = _config()
    _refuse_newer(connection, ScriptDirectory.from_config(config))
    ran: list[str] = []
    config.attributes.update(connection=connection, ran=ran)
    for branch in branches:
        command.upgrade(config, f"{branch}@head")
    return ran


def _missing(connection: Connection, destination: str) -> list[str]:
    scripts = ScriptDirectory.from_config(_config())
    _refuse_newer(connection, scripts)
    newest_first = scripts.iterate_revisions(destination, _heads(connection))
    return [Path(script.path).stem for script in reversed(list(newest_first))]


def _config() -> Config:
    config = Config()
    folders = [_FOLDER / "versions" / branch for branch in (MAIN, TRAFFIC)]
    # The parser of Alembic's settings reads a % as the beginning of a reference.
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", os.pathsep.join(map(str, folders)).replace("%", "%%"))
    return config


def _refuse_newer(connection: Connection, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    unknown = sorted(set(_heads(connection)) - known)
    if unknown:
        raise sqlite.StoreUnusable(f"A newer Keyrack has migrated this store (to {', '.join(unknown)}): run that version, or a later one.")


def _heads(connection: Connection) -> tuple[str, ...]:
    schema = version_schema(connection.dialect.name)
    found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "version_table_schema": schema})
    return found.get_current_heads()
