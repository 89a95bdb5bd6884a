"""Lists: newest first, in pages that neither repeat nor skip a row while others add and delete."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.database import Row
from atrium.dependencies import Rack, ReadingSession
from atrium.fields import View
from keyrack import Keyrack

AnyView = TypeVar("AnyView", bound=View)


class PageQuery(BaseModel):
    """The parameters that every list takes. A list adds its filters, each named like the column that it compares."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=25, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=1000)

    def filters(self) -> dict[str, Any]:
        """The filters that were given, by column."""
        return self.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_none=True)


class Page(BaseModel, Generic[AnyView]):
    """One page of a list."""

    object: Literal["list"] = "list"
    data: list[AnyView]
    has_more: bool
    next_cursor: str | None


class PageReader:
    """Reads pages for one call, and names the next one in the `Link` header (RFC 8288)."""

    def __init__(self, request: Request, response: Response, rack: Keyrack, session: AsyncSession) -> None:
        self._request = request
        self._response = response
        self._cursors = rack.cursors
        self._session = session

    async def read(self, model: type[Row], query: PageQuery, **scope: str) -> dict[str, Any]:
        """Return the page of the model's rows that lie in `scope` (columns and their values) and match the query's filters."""
        columns = {**query.filters(), **scope}
        of_this_list = {"list": model.__tablename__, **columns}
        rows = select(model).filter_by(**columns).order_by(model.created_at.desc(), model.id.desc()).limit(query.limit + 1)
        if after := self._cursors.read(query.cursor, of_this_list):
            rows = rows.where(tuple_(model.created_at, model.id) < after)
        found = (await self._session.scalars(rows)).all()
        data, has_more = found[: query.limit], len(found) > query.limit
        following = self._cursors.write((data[-1].created_at, data[-1].id), of_this_list) if has_more else None
        if following:
            self._response.headers["Link"] = f'<{self._request.url.include_query_params(cursor=following)}>; rel="next"'
        return {"data": data, "has_more": has_more, "next_cursor": following}


async def _page_reader(request: Request, response: Response, rack: Rack, session: ReadingSession) -> PageReader:
    return PageReader(request, response, rack, session)


Pages = Annotated[PageReader, Depends(_page_reader)]
