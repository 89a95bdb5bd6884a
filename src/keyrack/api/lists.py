"""Lists: one rule for our own and the host's. A page at a time, from a signed cursor that stays where it is when its row is gone."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from keyrack.api.dependencies import Actor, TheAssembly
from keyrack.api.described import name_filters
from keyrack.api.fields import Id, TimeGiven, View
from keyrack.manage.cursors import CURSOR_LENGTH_MAX, Cursors
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.refusals import INVALID_REQUEST, NOT_FOUND, Refused

LIMIT_MAX = 100
Row = TypeVar("Row")
Item = TypeVar("Item")
_PLACING = ("limit", "cursor", "starting_after", "wait_seconds")
_ORDERING = ("sort", "updated_after")


def _in_range(value: Any, check: ValidatorFunctionWrapHandler) -> int:
    try:
        return int(check(value))
    except ValidationError:
        raise ValueError(f"write a number from 1 to {LIMIT_MAX}") from None


class ListQuery(BaseModel):
    """The parameters that every list takes. A list adds its filters, and `sort` where it comes in several orders."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX), WrapValidator(_in_range)] = 25
    cursor: str | None = Field(default=None, max_length=CURSOR_LENGTH_MAX)
    starting_after: Id | None = None

    @property
    def order(self) -> Order:
        """The order that was asked for; the newest first, where the list has no other."""
        return Order.read(getattr(self, "sort", str(NEWEST)))

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Say of each parameter what it is."""
        name_filters(cls)

    def filters(self) -> dict[str, Any]:
        """The filters, by name; None where one was not given. Neither place nor order is one."""
        return {name: value for name, value in self if name not in (*_PLACING, *_ORDERING)}

    def marks(self) -> dict[str, Any]:
        """What a cursor of this list holds for: its filters and its order."""
        return {name: value for name, value in self if name not in _PLACING}


class ChangedQuery(ListQuery):
    """The parameters of a list whose objects have `updated_at`. `updated_after` includes that moment itself."""

    updated_after: TimeGiven | None = None


class SortedQuery(ChangedQuery):
    """The parameters of a list that is sorted by its times."""

    sort: Literal["created_at", "-created_at", "updated_at", "-updated_at"] = "-created_at"


class NamedQuery(ChangedQuery):
    """The parameters of a list that is sorted by its times, or by `name`."""

    sort: Literal["created_at", "-created_at", "updated_at", "-updated_at", "name", "-name"] = "-created_at"


class Page(View, Generic[Item]):
    """One page of a list. `next_cursor` and `next_url` lead to the next one, where there is more."""

    object: Literal["list"] = "list"
    data: list[Item]
    has_more: bool
    next_cursor: str | None
    next_url: str | None


class Lists:
    """Finds the place where the page of one call begins, and says where the next one does: in it, and in the `Link` header (RFC 8288).

    A cursor holds for its list (the path), its workspace, its filters and its order alone. `base_url` is where callers reach this host.
    """

    def __init__(self, request: Request, response: Response, cursors: Cursors, base_url: str, workspace_id: str | None) -> None:
        self._request = request
        self._response = response
        self._cursors = cursors
        self._base_url = base_url
        self._scope = {"list": request.url.path, "workspace": workspace_id}

    async def after(
        self, query: ListQuery, find: Callable[[str], Awaitable[Row]], place: Callable[[Row], Place] | None = None
    ) -> Place | None:
        """Return the place behind which the page begins, None for the list's beginning.

        `find` returns what has the id `starting_after`, also where the filters leave it out, and refuses with `not_found`; `place` says
        where a row stands, unless it is by the query's order. Raises Refused 400 for a cursor of another list, and for an unknown id.
        """
        if query.starting_after is None:
            return self._cursors.read(query.cursor, query.marks() | self._scope)
        if query.cursor is not None:
            raise INVALID_REQUEST("Send cursor or starting_after, not both.", param="starting_after")
        try:
            anchor = await find(query.starting_after)
        except Refused as refused:
            if refused.refusal is not NOT_FOUND:
                raise
            # A cursor holds its place by itself; an id names one for as long as there is a row that has it.
            raise INVALID_REQUEST(
                "starting_after names nothing in this list, or nothing any more: a cursor goes on where its row is gone.",
                param="starting_after",
            ) from refused
        return (place or query.order.place)(anchor)

    def page(
        self,
        query: ListQuery,
        rows: Sequence[Row],
        view: Callable[[Row], Item],
        place: Callable[[Row], Place] | None = None,
    ) -> Page[Item]:
        """Return a page of rows, of which one more than the query's limit was read, where there is one."""
        shown = rows[: query.limit]
        following = (place or query.order.place)(shown[-1]) if len(rows) > query.limit else None
        return self.continued(query, [view(row) for row in shown], following)

    def continued(self, query: ListQuery, data: list[Item], place: Place | None) -> Page[Item]:
        """Return a page that goes on behind a place, or ends with None."""
        if place is None:
            return Page(data=data, has_more=False, next_cursor=None, next_url=None)
        cursor = self._cursors.write(place, query.marks() | self._scope)
        url = self._request.url.remove_query_params("starting_after").include_query_params(cursor=cursor)
        address = f"{self._base_url}{url.path}?{url.query}"
        self._response.headers["Link"] = f'<{address}>; rel="next"'
        return Page(data=data, has_more=True, next_cursor=cursor, next_url=address)


async def _lists(request: Request, response: Response, assembly: TheAssembly, actor: Actor) -> Lists:
    return Lists(request, response, Cursors(assembly.desk.cursors), assembly.problems.base_url(request.scope), actor.workspace.id)


TheLists = Annotated[Lists, Depends(_lists)]
