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

PARAMETERS_MAX = 32_766
"""Both databases take so many in a statement."""

NOTHING = "DO NOTHING"


async def add_many(c: Connection, table: Table, rows: Sequence[Sequence[Any]], on_conflict: str = NOTHING) -> int:
    """Insert rows that hold all columns of a table in order, and return how many. `on_conflict` is SQL for a key that is there already.

    The sizes of statements are powers of two, so that the database knows them already. Where a row that comes twice changes nothing, the
    last statement is filled up with one row again and again; else several smaller ones take the rest.
    """
    size_max = 1 << (PARAMETERS_MAX // len(table.columns)).bit_length() - 1
    start = added = 0
    while (left := len(rows) - start) > 0:
        size = min(1 << ((left - 1).bit_length() if on_conflict == NOTHING else left.bit_length() - 1), size_max)
        taken = [*rows[start : start + size], *[rows[-1]] * (size - left)]
        added += await c.execute_values(_statement(table, c.dialect, size, on_conflict), tuple(chain.from_iterable(taken)))
        start += size
    return added


@lru_cache(maxsize=128)
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
