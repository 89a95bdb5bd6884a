"""Pages of lists in any order, each from a place that stays where it is when its row is gone."""

from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, Select, String, func, tuple_

from keyrack.model.orders import NEWEST, Order, Place

AnySelect = TypeVar("AnySelect", bound=Select[Any])


class Columns(Protocol):
    """The columns of a list by their names: those of a table (`table.c`), or a dict."""

    def __getitem__(self, name: str, /) -> ColumnElement[Any]:
        """Return the column with this name."""


def keyset(
    statement: AnySelect,
    columns: Columns,
    *,
    limit: int,
    order: Order = NEWEST,
    after: Place | None = None,
    updated_after: int | None = None,
) -> AnySelect:
    """Return the statement bounded to at most `limit` rows in an order, from beyond a place in it.

    `columns` has `id` and the order's column; with `updated_after` (ms) also `updated_at`: then only rows count that were changed at that
    time or later. An index on what chooses the rows, the column (`lower(…)` of a text) and `id` serves the order both ways.
    """
    by, row_id = columns[order.column], columns["id"]
    is_text = isinstance(by.type, String)
    value = func.lower(by) if is_text else by
    if updated_after is not None:
        statement = statement.where(columns["updated_at"] >= updated_after)
    if after is not None:
        name, _, anchor_id = after[1].rpartition("\n")
        place: Any = tuple_(func.lower(name), anchor_id) if is_text else after
        here = tuple_(value, row_id)
        statement = statement.where(here < place if order.descending else here > place)
    ordered = (value.desc(), row_id.desc()) if order.descending else (value.asc(), row_id.asc())
    return statement.order_by(*ordered).limit(limit)
