"""Finding one row, for the handlers of a single thing."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.database import Row
from atrium.fields import ID_SHAPE
from keyrack import refusals

AnyRow = TypeVar("AnyRow", bound=Row)


async def find_row(session: AsyncSession, model: type[AnyRow], id: str, *, lock: bool = False, **scope: str) -> AnyRow:
    """Return the row with this id inside `scope` (columns and their values), or raise the refusal `not_found`.

    With `lock`, others that want to change the row wait until this session's transaction has ended.
    """
    row = None
    if ID_SHAPE.fullmatch(id):
        rows = select(model).filter_by(id=id, **scope)
        row = await session.scalar(rows.with_for_update() if lock else rows)
    if row is None:
        raise refusals.NOT_FOUND(f"No {model.__name__.lower()} {id[:40]}.")
    return row
