"""Which values a column has, where they are few and the rows are many."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Select, func, select


def distinct_after(column: Column[str], after: str, limit: int, *of: ColumnElement[bool]) -> Select[Any]:
    """Return the statement for the values of a column (as `id`) that follow one, in order: one look into its index for each.

    `of` says which rows count, by what a partial index holds.
    """
    next_id = select(func.min(column)).where(column > after, *of)
    found = select(next_id.scalar_subquery().label("id")).cte("found", recursive=True)
    following = select(func.min(column)).where(column > found.c.id, *of).correlate(found).scalar_subquery()
    found = found.union_all(select(following).where(found.c.id.is_not(None)))
    return select(found.c.id).where(found.c.id.is_not(None)).limit(limit)
