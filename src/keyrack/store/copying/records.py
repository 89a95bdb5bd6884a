"""What a target knows of the copy that is being made into it: of which source, and how far each table has come.

The record is a table of its own, made when a copy begins and dropped when it was verified. Until then a mark among the versions of the
migrations keeps every server from starting on what is only half there.
"""

from enum import Enum
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, delete, func, insert, inspect, select, update

from keyrack.store.copying.places import COUNTERS, Half, Place, looked_at, tables_of
from keyrack.store.migrations import UNFINISHED_COPY, version_table
from keyrack.store.sqlite import StoreUnusable
from keyrack.store.tables import SCHEMA

NAME = "keyrack_copying"
_record = Table(
    NAME,
    MetaData(schema=SCHEMA),
    Column("name", Text, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("position", Text, nullable=True),
)
# No table is called so.
_SOURCE = "source"
_DONE = "done"


class State(Enum):
    """What a database is to a copy."""

    EMPTY = "empty"
    BEGUN = "begun"
    FILLED = "filled"


async def states(place: Place, source: str) -> list[State]:
    """Return what each database of a target is, and change nothing. Raises StoreUnusable for a half-done copy of another source."""
    found = []
    for url, copied in tables_of(place):
        async with looked_at(place, url) as connection:
            found.append(State.EMPTY if connection is None else await connection.run_sync(_state, place, copied, source))
    return found


async def begin(half: Half, source: str) -> None:
    """Mark an empty, migrated database as one that a copy of this source is made into."""
    connection = half.connection
    await connection.run_sync(_record.create)
    await connection.execute(insert(_record), [{"name": _SOURCE, "rows": 0, "position": source}, *_untouched(half)])
    await connection.execute(insert(version_table(connection.dialect.name)).values(version_num=UNFINISHED_COPY))
    for table in COUNTERS.intersection(half.tables):
        await connection.execute(delete(table))
    await connection.commit()


async def position(half: Half, table: Table) -> tuple[int, list[Any] | None, bool]:
    """Return how many rows of a table have been copied, the key of the last of them, and whether that is all."""
    row = (await half.connection.execute(select(_record.c.rows, _record.c.position).where(_record.c.name == table.name))).one()
    done = row.position == _DONE
    key = None if done or row.position is None else msgspec.msgpack.decode(bytes.fromhex(row.position))
    return row.rows, key, done


async def advance(half: Half, table: Table, before: int, rows: int, key: list[Any] | None) -> None:
    """Note that a table has come from `before` to `rows` rows and this key, None for its end, in the transaction that adds the rows.

    Raises StoreUnusable where another copy has come between.
    """
    reached = _DONE if key is None else msgspec.msgpack.encode(key).hex()
    own = (_record.c.name == table.name) & (_record.c.rows == before) & (_record.c.position.is_distinct_from(_DONE))
    moved = await half.connection.execute(update(_record).where(own).values(rows=rows, position=reached))
    if moved.rowcount != 1:
        raise StoreUnusable("Another keyrack copy writes into the same target: let it finish, or end it.")


async def finish(half: Half) -> None:
    """Take the mark away: from now on this is an installation like any other."""
    versions = version_table(half.connection.dialect.name)
    await half.connection.run_sync(_record.drop)
    await half.connection.execute(delete(versions).where(versions.c.version_num == UNFINISHED_COPY))
    await half.connection.commit()


def _untouched(half: Half) -> list[dict[str, Any]]:
    return [{"name": table.name, "rows": 0, "position": None} for table in half.tables]


def _state(connection: Connection, place: Place, copied: list[Table], source: str) -> State:
    schema = version_table(connection.dialect.name).schema
    there = set(inspect(connection).get_table_names(schema=schema))
    if NAME in there:
        if connection.scalar(select(_record.c.position).where(_record.c.name == _SOURCE)) != source:
            raise StoreUnusable(
                f"{place} holds an unfinished copy of another source, or of this one before it was used again: "
                "empty it, and begin anew. Nothing was touched."
            )
        return State.BEGUN
    filled = any(_is_filled(connection, table) for table in copied if table.name in there)
    return State.FILLED if filled else State.EMPTY


def _is_filled(connection: Connection, table: Table) -> bool:
    if table in COUNTERS:
        counter = list(table.columns)[1]
        return bool(connection.scalar(select(func.max(counter))))
    return connection.execute(select(*table.primary_key).limit(1)).first() is not None
