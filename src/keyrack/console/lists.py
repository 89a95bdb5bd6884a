"""Lists on pages: their filters and their place come from the address, so a list can be sent to a colleague."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from keyrack.manage.cursors import Cursors
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Principal

Row = TypeVar("Row")
ROWS = 25
BY_TIME = {"-created_at": "Newest first", "created_at": "Oldest first"}
"""The orders of a list, as its address has them, and what they are called: the first is the one that it comes in."""

BY_TIME_AND_NAME = {**BY_TIME, "name": "By name, A to Z", "-name": "By name, Z to A"}
FILTER_LENGTH_MAX = 200
PAGES_BACK_MAX = 40
"""How many pages back the address remembers; before that there is the first one."""


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """One page of a list. `previous` and `following` are the addresses of its neighbours, or None; `filters` what was asked for.

    `order` is the one that it comes in, of these `orders`.
    """

    rows: Sequence[Row]
    filters: Mapping[str, str]
    previous: str | None
    following: str | None
    order: Order = NEWEST
    orders: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_filtered(self) -> bool:
        """Whether anything was asked for, so that an empty list does not mean that there is nothing."""
        return any(self.filters.values())

    @property
    def directions(self) -> tuple[str, str]:
        """What lies before this page, and what behind it."""
        if self.order.column != "created_at":
            return "Previous", "Next"
        return ("Newer", "Older") if self.order.descending else ("Older", "Newer")

    def sorted_by(self, column: str) -> str:
        """Return the address of the list in the order of a column: times newest first, texts from A; and the other way round after that."""
        here = self.order.column == column
        asked = Order(column, not self.order.descending if here else column.endswith("_at"))
        return _address(self.filters, asked, self.orders, ())

    def direction(self, column: str) -> str:
        """Return how the list is sorted by a column, as `aria-sort` says it; empty where it is not."""
        if self.order.column != column:
            return ""
        return "descending" if self.order.descending else "ascending"


class ListQuery:
    """What the address of a list asks for: filters by these names, one of these orders, and a place behind a row."""

    def __init__(self, request: Request, member: Principal, cursors: Cursors, names: Sequence[str], orders: Mapping[str, str]) -> None:
        given = request.query_params
        self.filters = {name: given.get(name, "").strip()[:FILTER_LENGTH_MAX] for name in names}
        self.order = Order.read(given["sort"] if given.get("sort", "") in orders else next(iter(orders)))
        self._orders = orders
        self._cursors = cursors
        scope = {"list": request.url.path, "workspace": member.workspace.id, "sort": str(self.order)}
        self._scope: dict[str, Any] = {**self.filters, **scope}
        self._passed = [cursor for cursor in given.getlist("cursor") if cursor][-PAGES_BACK_MAX:]

    @property
    def place(self) -> Place | None:
        """The place after which the page begins. Raises Refused 400 for a cursor of another list or other filters."""
        return self._cursors.read(self._passed[-1] if self._passed else None, self._scope)

    def page(self, rows: Sequence[Row], place: Callable[[Row], Place]) -> Listing[Row]:
        """Return a page of rows, of which one more than `ROWS` was read, where there is one."""
        shown = rows[:ROWS]
        return self.continued(shown, place(shown[-1]) if len(rows) > ROWS else None)

    def continued(self, rows: Sequence[Row], after: Place | None) -> Listing[Row]:
        """Return a page of all these rows, and the next one after a place, where it goes on."""
        following = [*self._passed, self._cursors.write(after, self._scope)] if after is not None else None
        previous = self._passed[:-1] if self._passed else None
        before, behind = (
            None if cursors is None else _address(self.filters, self.order, self._orders, cursors) for cursors in (previous, following)
        )
        return Listing(rows, self.filters, before, behind, self.order, self._orders)


def _address(filters: Mapping[str, str], order: Order, orders: Mapping[str, str], cursors: Sequence[str]) -> str:
    asked = [(name, value) for name, value in filters.items() if value]
    if str(order) != next(iter(orders)):
        asked.append(("sort", str(order)))
    return "?" + urlencode([*asked, *(("cursor", cursor) for cursor in cursors)])
