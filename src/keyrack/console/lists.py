"""Lists on pages: their filters and their place come from the address, so a list can be sent to a colleague."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from keyrack.manage.cursors import Cursors
from keyrack.model.principals import Principal

Row = TypeVar("Row")
Place = tuple[int, str]
ROWS = 25
FILTER_LENGTH_MAX = 200
PAGES_BACK_MAX = 40
"""How many pages back the address remembers; before that there is the first one."""


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """One page of a list. `previous` and `following` are the addresses of its neighbours, or None; `filters` what was asked for."""

    rows: Sequence[Row]
    filters: Mapping[str, str]
    previous: str | None
    following: str | None

    @property
    def is_filtered(self) -> bool:
        """Whether anything was asked for, so that an empty list does not mean that there is nothing."""
        return any(self.filters.values())


class ListQuery:
    """What the address of a list asks for: filters by these names, and a place behind a row."""

    def __init__(self, request: Request, member: Principal, cursors: Cursors, names: Sequence[str]) -> None:
        given = request.query_params
        self.filters = {name: given.get(name, "").strip()[:FILTER_LENGTH_MAX] for name in names}
        self._cursors = cursors
        self._scope: dict[str, Any] = {**self.filters, "list": request.url.path, "workspace": member.workspace.id}
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
        return Listing(rows, self.filters, self._address(previous), self._address(following))

    def _address(self, cursors: Sequence[str] | None) -> str | None:
        if cursors is None:
            return None
        filters = [(name, value) for name, value in self.filters.items() if value]
        return "?" + urlencode([*filters, *(("cursor", cursor) for cursor in cursors)])
