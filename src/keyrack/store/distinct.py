"""Which values a column has, where they are few and the rows are many."""

from typing import Any

from sqlalchemy import Column, Select, func, select


def distinct_after(column: Column[str], after: str, limit: int) -> Select[Any]:
    """Return the statement for the values of a column (as `id`) that follow one, in order: one look into its index for each."""
    next_id = select(func.min(column)).where(column > after)
    found = select(next_id.scalar_subquery().label("id")).cte("found", recursive=True)
    following = select(func.min(column)).where(column > found.c.id).correlate(found).scalar_subquery()
    found = found.union_all(select(following).where(found.c.id.is_not(None)))
    return select(found.c.id).where(found.c.id.is_not(None)).limit(limit)
