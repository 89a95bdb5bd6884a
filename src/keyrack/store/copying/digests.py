"""What a table holds, as one number: the same on both databases, in whatever order the rows come.

Each row is written in one way, hashed, and the hashes are added up. So a table can be read in any order, and a row that is missing, twice
there or different shows.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Table, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from keyrack.store.tables import Json

ROWS_AT_ONCE = 2000
_MODULUS = 1 << 128
_HASH_BYTES = 16
_encode = msgspec.msgpack.Encoder(order="deterministic").encode

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Contents:
    """How many rows a table holds, and the number that stands for what is in them."""

    rows: int
    digest: int


async def contents(connection: AsyncConnection, table: Table, read: Callable[[int], None]) -> Contents:
    """Read a whole table. `read` is told of every batch, how many rows it had."""
    jsons = json_columns(table)
    count = total = 0
    async for rows in batches(connection, table):
        count += len(rows)
        total += sum(_hash(row, jsons) for row in rows)
        read(len(rows))
    return Contents(count, total % _MODULUS)


async def batches(connection: AsyncConnection, table: Table, after: Sequence[Any] | None = None) -> AsyncIterator[Rows]:
    """Yield the rows of a table in the order of its key, from behind a key on."""
    key = list(table.primary_key)
    while True:
        wanted = select(table).order_by(*key).limit(ROWS_AT_ONCE)
        if after is not None:
            wanted = wanted.where(tuple_(*key) > tuple(after) if len(key) > 1 else key[0] > after[0])
        rows = (await connection.execute(wanted)).all()
        if rows:
            yield rows
        if len(rows) < ROWS_AT_ONCE:
            return
        after = key_of(table, rows[-1])


def key_of(table: Table, row: Sequence[Any]) -> list[Any]:
    """Return the key of a row."""
    names = table.columns.keys()
    return [row[names.index(column.name)] for column in table.primary_key]


def json_columns(table: Table) -> list[int]:
    """Return which columns hold JSON."""
    return [place for place, column in enumerate(table.columns) if isinstance(column.type, type(Json))]


async def counted(connection: AsyncConnection, tables: Sequence[Table]) -> dict[str, int]:
    """Return how many rows each table holds."""
    return {str(table.name): (await connection.execute(select(func.count()).select_from(table))).scalar_one() for table in tables}


def _hash(row: Sequence[Any], jsons: Sequence[int]) -> int:
    values = list(row)
    for place in jsons:
        values[place] = _plain(values[place])
    return int.from_bytes(blake2b(_encode(values), digest_size=_HASH_BYTES).digest(), "big")


def _plain(value: Any) -> Any:
    """Return JSON as both databases give it back: PostgreSQL knows one kind of number."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
