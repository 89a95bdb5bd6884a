"""Lists: newest first, in pages that neither repeat nor skip a row while others add and delete."""

from collections import Counter
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.database import Row
from atrium.dependencies import Rack, ReadingSession
from atrium.fields import View
from keyrack import Keyrack, refusals

AnyView = TypeVar("AnyView", bound=View)


def _in_range(value: Any, check: ValidatorFunctionWrapHandler) -> int:
    try:
        return int(check(value))
    except ValidationError:
        raise PydanticCustomError("limit", "write a number from 1 to 100") from None


class PageQuery(BaseModel):
    """The parameters that every list takes. A list adds its filters, each named like the column that it compares."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=100), WrapValidator(_in_range)] = 25
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
        self._base_url = rack.settings.base_url
        self._session = session

    async def read(self, model: type[Row], query: PageQuery, **scope: str) -> dict[str, Any]:
        """Return the page of the model's rows that lie in `scope` (columns and their values) and match the query's filters."""
        self._refuse_repeated()
        columns = {**query.filters(), **scope}
        of_this_list = {"list": model.__tablename__, **columns}
        rows = select(model).filter_by(**columns).order_by(model.created_at.desc(), model.id.desc()).limit(query.limit + 1)
        if after := self._cursors.read(query.cursor, of_this_list):
            rows = rows.where(tuple_(model.created_at, model.id) < after)
        found = (await self._session.scalars(rows)).all()
        data, has_more = found[: query.limit], len(found) > query.limit
        following = self._cursors.write((data[-1].created_at, data[-1].id), of_this_list) if has_more else None
        if following:
            url = self._request.url.include_query_params(cursor=following)
            self._response.headers["Link"] = f'<{self._base_url or f"{url.scheme}://{url.netloc}"}{url.path}?{url.query}>; rel="next"'
        return {"data": data, "has_more": has_more, "next_cursor": following}

    def _refuse_repeated(self) -> None:
        # Of a parameter that stands twice a framework takes one; which of the two was meant is not for us to guess.
        for name, times in Counter(name for name, _ in self._request.query_params.multi_items()).items():
            if times > 1:
                raise refusals.INVALID_REQUEST(f"The parameter {name} stands more than once.", param=name)


async def _page_reader(request: Request, response: Response, rack: Rack, session: ReadingSession) -> PageReader:
    return PageReader(request, response, rack, session)


Pages = Annotated[PageReader, Depends(_page_reader)]
