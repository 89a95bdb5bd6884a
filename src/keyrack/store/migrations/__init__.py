"""Migrations of Keyrack's own tables: run by the program, on its own connection, beside whatever a host runs for its tables.

Each script says in its name whether it comes before (pre) or after (post) the code that needs it. A pre script only adds: code that does
not know it goes on working, so a server runs it when it starts, beside older ones. A post script takes away what older code needs, so it
runs when somebody asks for it, once no older code runs; code that knows it works before and after. A new database gets all of them.

The branch `main` is what must not be lost, `traffic` the rest: two files on SQLite, one database on PostgreSQL. A script's revision is its
branch and its number, and follows the number before; behind the first post script it also names the newest one that has run
(`main_0005_needs_0004`). So names alone say what is missing, and older code can tell whether it still works.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, TableClause, column, func, inspect, select, table
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
UNFINISHED_COPY = "unfinished_copy"
"""Stands among the versions of a database that is being copied into."""

_POST = re.compile(r"\d+_post_")
_REVISION = re.compile(rf"(?P<branch>{MAIN}|{TRAFFIC})_(?P<number>\d+)(?:_needs_(?P<needed>\d+))?")


async def migrate(store_url: str, traffic_url: str | None = None, *, post: bool = False) -> list[str]:
    """Bring a store up to this version of Keyrack and return the scripts that ran, in order: none where it was up to date.

    Those that come after the code run only where `post` says that no older code does, or where the database is new. Several processes, or
    several tasks of one, may do this at once: one migrates, the others wait. Each database gets all or nothing.
    Raises `StoreUnusable` where the store cannot stand there, where a newer Keyrack has taken away what this one needs, or where a post
    script of the version before is in the way; Refused `store_unavailable` where it does not answer.
    """
    ran: list[str] = []
    for url, branches in _databases(store_url, traffic_url):
        async with _opened(url) as engine:
            # Most starts find nothing to do, and then hold up nobody who writes.
            async with engine.execution_options(**{sqlite.READ_ONLY_OPTION: True}).connect() as connection:
                is_due = bool(await connection.run_sync(_due, branches, post))
            if is_due:
                ran += await _migrate(engine, branches, post)
    return ran


async def pending(store_url: str, traffic_url: str | None = None) -> list[str]:
    """Return the scripts that have not run, in order, and run none. Raises `StoreUnusable` and Refused as `migrate` does."""
    missing: list[str] = []
    for url, branches in _databases(store_url, traffic_url):
        async with _opened(url) as engine, engine.execution_options(**{sqlite.READ_ONLY_OPTION: True}).connect() as connection:
            missing += [script.stem for scripts in (await connection.run_sync(_missing, branches)).values() for script in scripts]
    return missing


def is_post(name: str) -> bool:
    """Whether a script comes after the code that needs it."""
    return _POST.match(name) is not None


def include_object(_object: object, name: str | None, kind: str, _reflected: bool, _compared_to: object) -> bool:
    """Keep Keyrack's tables out of a host's Alembic: pass this to `context.configure(include_object=…)`."""
    return not (kind == "table" and name is not None and name.startswith("keyrack_"))


def version_schema(dialect_name: str) -> str | None:
    """Return the schema of the version table."""
    return SCHEMA if dialect_name == postgresql.DIALECT else None


def version_table(dialect_name: str) -> TableClause:
    """Return the table of the revisions that have run: the newest of each branch."""
    return table(VERSION_TABLE, column("version_num"), schema=version_schema(dialect_name))


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


async def _migrate(engine: AsyncEngine, branches: tuple[str, ...], post: bool) -> list[str]:
    async with engine.begin() as connection:
        if connection.dialect.name == postgresql.DIALECT:
            await _prepare_postgresql(connection)
        return await connection.run_sync(_upgrade, branches, post)


async def _prepare_postgresql(connection: AsyncConnection) -> None:
    # Waiting for a process that migrates may take long; waiting for a lock on a table holds up all who use the table.
    await connection.execute(select(func.set_config("lock_timeout", f"{SECONDS_MAX}s", True)))
    await connection.execute(postgresql.lock(postgresql.Lock.MIGRATIONS))
    await connection.execute(select(func.set_config("lock_timeout", f"{postgresql.LOCK_WAIT_SECONDS_MAX}s", True)))
    # Asked first: `IF NOT EXISTS` wants the right to create schemas even where there is nothing to create.
    if await connection.scalar(select(func.to_regnamespace(SCHEMA).is_(None))):
        await connection.execute(CreateSchema(SCHEMA))


def _upgrade(connection: Connection, branches: tuple[str, ...], post: bool) -> list[str]:
    due = _due(connection, branches, post)
    if not due:
        # Another process was first.
        return []
    # Alembic takes nearly as long to load as all of Keyrack: only a start that has something to run waits for it.
    upgrade = import_module(f"{__name__}.upgrade").upgrade
    upgrade(connection, {branch: revision(scripts[-1]) for branch, scripts in due.items()})
    return [script.stem for scripts in due.values() for script in scripts]


def _due(connection: Connection, branches: tuple[str, ...], post: bool) -> dict[str, list[Path]]:
    """Return the scripts of each branch that are to run now; no branch without any."""
    missing = _missing(connection, branches)
    if not post and _heads(connection):
        missing = {branch: _before_post(scripts) for branch, scripts in missing.items()}
    return {branch: scripts for branch, scripts in missing.items() if scripts}


def _before_post(scripts: list[Path]) -> list[Path]:
    """Return the scripts before the first that comes after the code. Raises StoreUnusable where one behind it would have to run."""
    first = next((place for place, script in enumerate(scripts) if is_post(script.stem)), len(scripts))
    if not all(is_post(script.stem) for script in scripts[first:]):
        raise sqlite.StoreUnusable(
            f"{scripts[first].stem} of an earlier version did not run, and this version needs what comes behind it: "
            "stop every process that runs an older version, then run keyrack migrate --post"
        )
    return scripts[:first]


def _missing(connection: Connection, branches: tuple[str, ...]) -> dict[str, list[Path]]:
    """Return the scripts of each branch that have not run."""
    heads = _heads(connection)
    if UNFINISHED_COPY in heads:
        raise sqlite.StoreUnusable("This database is an unfinished copy: run the same keyrack copy again, which goes on where it stood.")
    found: Mapping[str, list[Path]] = {branch: _scripts(branch) for branch in (MAIN, TRAFFIC)}
    newer = [head for head in heads if all(head != revision(script) for scripts in found.values() for script in scripts)]
    for head in newer:
        _refuse_unless_known(head, found)
    missing: dict[str, list[Path]] = {}
    for branch in branches:
        scripts = found[branch]
        done = next((number for number, script in enumerate(scripts, 1) if revision(script) in heads), 0)
        is_ahead = any(head.startswith(f"{branch}_") for head in newer)
        missing[branch] = [] if is_ahead else scripts[done:]
    return missing


def _refuse_unless_known(head: str, found: Mapping[str, list[Path]]) -> None:
    """Raise StoreUnusable unless a newer version has only added to what this one needs."""
    parsed = _REVISION.fullmatch(head)
    known = max(_number(script) for script in found[parsed["branch"]]) if parsed else 0
    if parsed is None or int(parsed["number"]) <= known or int(parsed["needed"] or 0) > known:
        raise sqlite.StoreUnusable(f"A newer Keyrack has migrated this store (to {head}): run that version, or a later one.")


def _heads(connection: Connection) -> set[str]:
    """Return the newest revision of each branch in this database."""
    versions = version_table(connection.dialect.name)
    if not inspect(connection).has_table(VERSION_TABLE, versions.schema):
        return set()
    return set(connection.scalars(select(versions.c.version_num)))


def _scripts(branch: str) -> list[Path]:
    return sorted((VERSIONS / branch).glob("[0-9]*.py"))


def _number(script: Path) -> int:
    return int(script.stem.partition("_")[0])


def revision(script: Path) -> str:
    """Return the revision that a script's place among the others gives it."""
    posts = [_number(other) for other in _scripts(script.parent.name) if is_post(other.stem) and other.stem <= script.stem]
    number = script.stem.partition("_")[0]
    return f"{script.parent.name}_{number}" + (f"_needs_{posts[-1]:04}" if posts else "")
