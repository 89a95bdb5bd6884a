"""Many rows in one go, for what is written with every call: as each driver does it quickest."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Table

from keyrack.store import sqlite
from keyrack.store.database import Connection

PARAMETERS_MAX = 32_766
"""PostgreSQL takes so many in a statement."""

NOTHING = "DO NOTHING"


async def add_many(c: Connection, table: Table, rows: Sequence[tuple[Any, ...]], on_conflict: str = NOTHING) -> int:
    """Insert rows that hold all columns of a table in order, and return how many. `on_conflict` is SQL for a key that is there already.

    SQLite runs one statement again and again. PostgreSQL answers each, so it gets few large ones, whose sizes are powers of two, so that it
    knows them already: where a row that comes twice changes nothing, the last is filled up with one row, else smaller ones take the rest.
    """
    if not rows:
        return 0
    if c.dialect == sqlite.DIALECT:
        return await c.execute_many(_for_sqlite(table, on_conflict), rows)
    size_max = 1 << (PARAMETERS_MAX // len(table.columns)).bit_length() - 1
    start = added = 0
    while (left := len(rows) - start) > 0:
        size = min(1 << ((left - 1).bit_length() if on_conflict == NOTHING else left.bit_length() - 1), size_max)
        taken = [*rows[start : start + size], *[rows[-1]] * (size - left)]
        added += await c.execute_values(_for_postgresql(table, size, on_conflict), tuple(chain.from_iterable(taken)))
        start += size
    return added


@lru_cache(maxsize=32)
def _for_sqlite(table: Table, on_conflict: str) -> str:
    return _statement(table, table.name, f"({', '.join('?' * len(table.columns))})", on_conflict)


@lru_cache(maxsize=128)
def _for_postgresql(table: Table, size: int, on_conflict: str) -> str:
    numbers = iter(range(1, size * len(table.columns) + 1))
    values = ", ".join(f"({', '.join(f'${next(numbers)}' for _ in table.columns)})" for _ in range(size))
    return _statement(table, table.fullname, values, on_conflict)


def _statement(table: Table, name: str, values: str, on_conflict: str) -> str:
    key = ", ".join(column.name for column in table.primary_key)
    # Names come from our own tables, values are bound.
    return f"INSERT INTO {name} ({', '.join(table.columns.keys())}) VALUES {values} ON CONFLICT ({key}) {on_conflict}"  # noqa: S608
