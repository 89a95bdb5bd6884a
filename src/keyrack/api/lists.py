"""Lists: a page at a time, from a signed cursor that stays where it is when its row is gone (RFC 8288 `Link` names the next page)."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from keyrack.api.dependencies import Actor, TheAssembly
from keyrack.api.described import name_filters
from keyrack.api.fields import View
from keyrack.manage.cursors import CURSOR_LENGTH_MAX, Cursors

Row = TypeVar("Row")
AnyView = TypeVar("AnyView", bound=View)
Place = tuple[int, str]


class ListQuery(BaseModel):
    """The parameters that every list takes. A list adds its filters."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=25, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=CURSOR_LENGTH_MAX)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Say of each parameter what it is."""
        name_filters(cls)

    def filters(self) -> dict[str, Any]:
        """The filters, by name; None where one was not given."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in ListQuery.model_fields}


class Page(View, Generic[AnyView]):
    """One page of a list."""

    object: Literal["list"] = "list"
    data: list[AnyView]
    has_more: bool
    next_cursor: str | None


class Lists:
    """Reads the cursor of one call and writes the next one. A cursor holds for its list, its workspace and its filters alone."""

    def __init__(self, request: Request, response: Response, assembly: TheAssembly, actor: Actor) -> None:
        self._request = request
        self._response = response
        self._cursors = Cursors(assembly.desk.cursors)
        self._base_url = assembly.problems.base_url(request.scope)
        self._scope = {"list": request.url.path, "workspace": actor.workspace.id}

    def place(self, query: ListQuery) -> Place | None:
        """Return the place after which the page begins. Raises Refused 400 for a cursor of another list or other filters."""
        return self._cursors.read(query.cursor, query.filters() | self._scope)

    def page(self, query: ListQuery, rows: Sequence[Row], view: Callable[[Row], AnyView], place: Callable[[Row], Place]) -> Page[AnyView]:
        """Return a page of rows, of which one more than the query's limit was read, where there is one."""
        shown = rows[: query.limit]
        return self.continued(query, [view(row) for row in shown], place(shown[-1]) if len(rows) > query.limit else None)

    def continued(self, query: ListQuery, data: list[AnyView], place: Place | None) -> Page[AnyView]:
        """Return a page that goes on at a place, or ends with None."""
        cursor = None if place is None else self._cursors.write(place, query.filters() | self._scope)
        if cursor is not None:
            url = self._request.url.include_query_params(cursor=cursor)
            self._response.headers["Link"] = f'<{self._base_url}{url.path}?{url.query}>; rel="next"'
        return Page(data=data, has_more=cursor is not None, next_cursor=cursor)


async def _lists(request: Request, response: Response, assembly: TheAssembly, actor: Actor) -> Lists:
    return Lists(request, response, assembly, actor)


TheLists = Annotated[Lists, Depends(_lists)]
