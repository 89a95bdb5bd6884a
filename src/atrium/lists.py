"""Lists: in pages that neither repeat nor skip a row while others add and delete, by the rule that Keyrack's own lists follow."""

from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.database import Row
from atrium.dependencies import Rack, ReadingSession
from atrium.rows import find_row
from keyrack import Keyrack, NamedQuery, Page, SortedQuery, keyset

AnyRow = TypeVar("AnyRow", bound=Row)


class PageReader:
    """Reads pages for one call."""

    def __init__(self, request: Request, response: Response, rack: Keyrack, session: AsyncSession) -> None:
        self._lists = rack.lists(request, response)
        self._session = session

    async def read(self, model: type[AnyRow], query: SortedQuery | NamedQuery, **scope: str) -> Page[Any]:
        """Return the page of the model's rows that lie in `scope` (columns and their values) and match the query's filters.

        Each filter is named like the column that it compares.
        """
        after = await self._lists.after(query, lambda id: find_row(self._session, model, id, lock=False, **scope))
        filters: dict[str, Any] = query.model_dump(mode="json", include=set(query.filters()), exclude_none=True)
        rows = select(model).filter_by(**filters, **scope)
        columns = inspect(model).columns
        wanted = keyset(rows, columns, limit=query.limit + 1, order=query.order, after=after, updated_after=query.updated_after)
        return self._lists.page(query, (await self._session.scalars(wanted)).all(), lambda row: row)


async def _page_reader(request: Request, response: Response, rack: Rack, session: ReadingSession) -> PageReader:
    return PageReader(request, response, rack, session)


Pages = Annotated[PageReader, Depends(_page_reader)]
