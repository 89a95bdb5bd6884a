"""Pages: newest first, unless somebody wants another order, from a place in the order that stays where it is when its row is gone."""

from typing import Any

from sqlalchemy import Select, Table, func, tuple_

Place = tuple[int, str]
"""Where a page ended: `created_at` and `id` of its last row; in the order of names, 0 and its name and `id`, a line each."""


def newest_first(statement: Select[Any], table: Table, after: Place | None, limit: int) -> Select[Any]:
    """Return the statement bounded to at most `limit` rows below a place."""
    if after is not None:
        statement = statement.where(tuple_(table.c.created_at, table.c.id) < after)
    return statement.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)


def oldest_first(statement: Select[Any], table: Table, after: Place | None, limit: int) -> Select[Any]:
    """Return the statement bounded to at most `limit` rows above a place."""
    if after is not None:
        statement = statement.where(tuple_(table.c.created_at, table.c.id) > after)
    return statement.order_by(table.c.created_at, table.c.id).limit(limit)


def by_name(statement: Select[Any], table: Table, after: Place | None, limit: int) -> Select[Any]:
    """Return the statement bounded to at most `limit` rows behind a place in the order of their names, whatever their case."""
    name = func.lower(table.c.name)
    if after is not None:
        text, _, row_id = after[1].rpartition("\n")
        statement = statement.where(tuple_(name, table.c.id) > tuple_(func.lower(text), row_id))
    return statement.order_by(name, table.c.id).limit(limit)
