"""Many rows in few statements, for what is written with every call.

A statement per row would hand the interpreter's lock back and forth for each; one for a few hundred rows does it once.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Table

from keyrack.store import sqlite
from keyrack.store.database import Connection

# Few sizes, so that the database knows all statements already; the largest stays below its number of parameters (32,766).
SIZES = (256, 64, 16, 4, 1)


async def add_many(c: Connection, table: Table, rows: Sequence[Sequence[Any]], on_conflict: str = "DO NOTHING") -> int:
    """Insert rows that hold all columns of a table in order, and return how many. `on_conflict` is SQL for a key that is there already."""
    start = added = 0
    for size in SIZES:
        while len(rows) - start >= size:
            sql = _statement(table, c.dialect, size, on_conflict)
            added += await c.execute_values(sql, tuple(chain.from_iterable(rows[start : start + size])))
            start += size
    return added


@lru_cache(maxsize=64)
def _statement(table: Table, dialect: str, size: int, on_conflict: str) -> str:
    columns = table.columns.keys()
    key = ", ".join(column.name for column in table.primary_key)
    if dialect == sqlite.DIALECT:
        name, row = table.name, f"({', '.join('?' * len(columns))})"
        values = ", ".join([row] * size)
    else:
        name = table.fullname
        numbers = iter(range(1, size * len(columns) + 1))
        values = ", ".join(f"({', '.join(f'${next(numbers)}' for _ in columns)})" for _ in range(size))
    # Names come from our own tables, values are bound.
    return f"INSERT INTO {name} ({', '.join(columns)}) VALUES {values} ON CONFLICT ({key}) {on_conflict}"  # noqa: S608
