"""Pages: newest first, from a place in the order that stays where it is when its row is gone."""

from typing import Any

from sqlalchemy import Select, Table, tuple_

Place = tuple[int, str]
"""Where a page ended: `created_at` and `id` of its last row."""


def newest_first(statement: Select[Any], table: Table, after: Place | None, limit: int) -> Select[Any]:
    """Return the statement bounded to at most `limit` rows below a place."""
    if after is not None:
        statement = statement.where(tuple_(table.c.created_at, table.c.id) < after)
    return statement.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
