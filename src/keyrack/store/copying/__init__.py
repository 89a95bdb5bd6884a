"""Copying an installation into another database, verified, so that its keys, cursors and logs go on there.

The source is held while it is read: nobody else may use it. Rows come in the order of their keys, and how far each table has come is
written with them, so a copy that was killed goes on where it stood. At the end both sides are read whole and compared.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import Connection, Table, insert, inspect, select, text
from sqlalchemy.exc import DataError

from keyrack.model.refusals import STORE_UNAVAILABLE
from keyrack.model.request_logs import DAY_MS
from keyrack.store import postgresql, request_log_days
from keyrack.store.copying import records
from keyrack.store.copying.digests import Contents, Rows, batches, contents, counted, json_columns, key_of
from keyrack.store.copying.places import Half, Place, held_to_read, held_to_write, refuse_running
from keyrack.store.copying.records import State
from keyrack.store.database import Store
from keyrack.store.migrations import is_post, migrate, pending, version_table
from keyrack.store.sqlite import StoreUnusable
from keyrack.store.tables import changes as change_rows
from keyrack.store.tables import event_positions, revisions, workspaces
from keyrack.store.traffic_tables import request_logs

Tell = Callable[[str, str, int, int], None]
"""Told of each batch: what is done (copy, verify), the table, and how many rows are done out of how many, over all tables."""

COPY, VERIFY = "copy", "verify"
PATIENCE_SECONDS = 60.0
"""How long a transaction of a copy may take to begin: nobody's call waits for it."""

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    OSError,
)


class _Course:
    """How far one pass over all tables has come."""

    def __init__(self, tell: Tell, doing: str, total: int) -> None:
        self._tell = tell
        self._doing = doing
        self._total = total
        self._done = 0

    def at(self, table: Table) -> Callable[[int], None]:
        """Return what is told of each batch of a table."""

        def add(rows: int) -> None:
            self._done += rows
            self._tell(self._doing, table.name, self._done, self._total)

        return add


class CopyDiffers(StoreUnusable):
    """What was copied is not what the source holds. The target stays marked as unfinished."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that was verified. `resumed_rows` were there from an earlier run; `host_tables` lie in the source and were not copied."""

    tables: Mapping[str, Contents]
    resumed_rows: int
    host_tables: Sequence[str]


async def check(source: Place, target: Place) -> None:
    """Raise StoreUnusable for whatever `copy` would refuse before it begins, and touch nothing."""
    await _refuse_same(source, target)
    if missing := [name for name in await pending(source.url, source.traffic_url) if not is_post(name)]:
        raise StoreUnusable(f"{source} is of an older version ({', '.join(missing)} did not run): keyrack migrate brings it up to date.")
    async with held_to_read(source) as read:
        await _standing(target, await fingerprint(read))


async def copy(source: Place, target: Place, tell: Tell) -> Copied:
    """Copy an installation, or go on with a copy of it, verify it, and let servers use it.

    Raises StoreUnusable, and touches nothing, where the source is in use or of another version, or where the target holds anything else;
    CopyDiffers where both sides differ at the end.
    """
    await check(source, target)
    async with held_to_read(source) as read:
        made_of = await fingerprint(read)
        begun = await _prepare(target, made_of)
        async with held_to_write(target) as written:
            for half, has_begun in zip(written, begun, strict=True):
                if not has_begun:
                    await records.begin(half, made_of)
            rows = sum([sum((await counted(half.connection, half.tables)).values()) for half in read])
            resumed = await _copy_all(read, written, target, _Course(tell, COPY, rows))
            found = await verify(read, written, tell)
            await _finish(written)
        host_tables = [name for half in read for name in await half.connection.run_sync(_host_tables)]
    return Copied(found, resumed, host_tables)


async def fingerprint(read: Sequence[Half]) -> str:
    """Return by what a source is known again: another one, or this one after it was used again, has another fingerprint."""
    facts: list[Any] = []
    for half in read:
        versions = version_table(half.connection.dialect.name)
        facts.append(sorted((await half.connection.execute(select(versions.c.version_num))).scalars()))
        facts.append(sorted((await counted(half.connection, half.tables)).items()))
    newest = select(change_rows.c.change_id).order_by(change_rows.c.revision.desc(), change_rows.c.touched_id).limit(1)
    first = select(workspaces.c.id).order_by(workspaces.c.id).limit(1)
    for asked in (select(revisions.c.revision), select(event_positions.c.position), newest, first):
        facts.append((await read[0].connection.execute(asked)).scalar())
    return hashlib.sha256(msgspec.msgpack.encode(facts)).hexdigest()


async def verify(read: Sequence[Half], written: Sequence[Half], tell: Tell) -> dict[str, Contents]:
    """Read both sides whole and compare them. Raises CopyDiffers."""
    rows = sum([sum((await counted(half.connection, half.tables)).values()) for half in (*read, *written)])
    course = _Course(tell, VERIFY, rows)
    found: dict[str, Contents] = {}
    differing = []
    for table, source, target in _pairs(read, written):
        expected = await contents(source.connection, table, course.at(table))
        found[str(table.name)] = await contents(target.connection, table, course.at(table))
        if expected != found[table.name]:
            differing.append(f"{table.name} (source {expected.rows:,} rows, target {found[table.name].rows:,})")
    if differing:
        raise CopyDiffers(
            f"What was copied differs from the source in {', '.join(differing)}. The target stays marked as unfinished, so that no server "
            "starts on it: empty it, and copy anew."
        )
    return found


async def _refuse_same(source: Place, target: Place) -> None:
    if source.url == target.url or set(source.files) & set(target.files):
        raise StoreUnusable(f"{source} is named twice: name another place to copy to.")
    for file in source.files:
        if not file.is_file():
            raise StoreUnusable(f"There is no Keyrack data in {file.parent} ({file.name} is missing): name the folder that holds it.")


async def _standing(target: Place, made_of: str) -> list[State]:
    """Look at a target before anything of it is touched. Raises StoreUnusable where it is neither empty nor this copy, half done."""
    found = await records.states(target, made_of)
    # The first half is marked first and released last, so a filled second one beside a marked first one is this copy's own, finished.
    if State.FILLED in found[:1] or (State.FILLED in found and found[0] is not State.BEGUN):
        raise StoreUnusable(f"{target} holds data already, and no unfinished copy of this source: name an empty one. Nothing was touched.")
    if not target.is_sqlite:
        await refuse_running(target)
    return found


async def _prepare(target: Place, made_of: str) -> list[bool]:
    """Migrate a target where it is empty, and return which of its halves have begun."""
    found = await _standing(target, made_of)
    if target.folder is not None:
        target.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if State.BEGUN not in found:
        await migrate(target.url, target.traffic_url, post=True)
    return [state is not State.EMPTY for state in found]


async def _copy_all(read: Sequence[Half], written: Sequence[Half], target: Place, course: _Course) -> int:
    """Copy what is missing, table by table, and return how many rows were there already."""
    store = Store(target.url, target.traffic_url, PATIENCE_SECONDS)
    resumed = 0
    try:
        for table, source, half in _pairs(read, written):
            if not await half.connection.run_sync(_is_finished):
                resumed += await _copy_table(table, source, half, store, course.at(table))
    finally:
        await store.close()
    return resumed


async def _copy_table(table: Table, source: Half, half: Half, store: Store, tell: Callable[[int], None]) -> int:
    at_first, key, done = await records.position(half, table)
    await half.connection.commit()
    copied = at_first
    tell(copied)
    if done:
        return at_first
    async for rows in batches(source.connection, table, key):
        if table is request_logs and half.connection.dialect.name == postgresql.DIALECT:
            days = {row[table.columns.keys().index("created_at")] // DAY_MS for row in rows}
            await request_log_days.make(store, days)
        await records.advance(half, table, copied, copied + len(rows), key_of(table, rows[-1]))
        await _add(half, table, rows)
        await half.connection.commit()
        copied += len(rows)
        tell(len(rows))
    await records.advance(half, table, copied, copied, None)
    await half.connection.commit()
    return at_first


async def _add(half: Half, table: Table, rows: Rows) -> None:
    """Add rows to the transaction that has begun."""
    names = table.columns.keys()
    try:
        if half.connection.dialect.name == postgresql.DIALECT:
            await _stream(half, table, rows)
        else:
            await half.connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])
    except (DataError, asyncpg.DataError, ValueError) as error:
        first, last = (key_of(table, row) for row in (rows[0], rows[-1]))
        raise StoreUnusable(f"The target cannot hold a row of {table.name} between {first} and {last}: {error}") from None
    except _AWAY as error:
        raise STORE_UNAVAILABLE("The target went away: run the same command again, which goes on where this one stood.") from error


async def _stream(half: Half, table: Table, rows: Rows) -> None:
    """Add rows by COPY, which takes a fraction of what a statement with values does."""
    raw = await half.connection.get_raw_connection()
    driver: Any = raw.driver_connection
    jsons = json_columns(table)
    records_ = [_with_json(row, jsons) for row in rows] if jsons else rows
    await driver.copy_records_to_table(table.name, schema_name=table.schema, columns=table.columns.keys(), records=records_)


def _with_json(row: Sequence[Any], jsons: Sequence[int]) -> list[Any]:
    values = list(row)
    for place in jsons:
        values[place] = None if values[place] is None else json.dumps(values[place])
    return values


async def _finish(written: Sequence[Half]) -> None:
    for half in reversed(written):
        if not await half.connection.run_sync(_is_finished):
            await records.finish(half)
        if half.connection.dialect.name == postgresql.DIALECT:
            # Until it knows how many rows there are, the database reads whole tables.
            await half.connection.execute(text(f"ANALYZE {', '.join(table.fullname for table in half.tables)}"))
            await half.connection.commit()


def _pairs(read: Sequence[Half], written: Sequence[Half]) -> list[tuple[Table, Half, Half]]:
    """Return each table with the half that it is in on either side."""
    there = {table: half for half in written for table in half.tables}
    return [(table, half, there[table]) for half in read for table in half.tables]


def _host_tables(connection: Connection) -> list[str]:
    """Return the host's own tables that lie beside ours."""
    return sorted(name for name in inspect(connection).get_table_names() if not name.startswith("keyrack_"))


def _is_finished(connection: Connection) -> bool:
    return not inspect(connection).has_table(records.NAME, version_table(connection.dialect.name).schema)
