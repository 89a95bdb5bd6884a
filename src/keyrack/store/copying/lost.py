"""What one database knows and another does not: the changes that were lost when a backup was put in the place of what came after it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

from sqlalchemy import Row, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from keyrack.store.copying.places import Place, looked_at
from keyrack.store.sqlite import StoreUnusable
from keyrack.store.tables import events

EVENTS_AT_ONCE = 1000
LOST_MAX = 100_000


async def lost_events(old: Place, restored: Place) -> list[Row[Any]]:
    """Return the events of the old database that the restored one does not have, oldest first, at most the newest LOST_MAX.

    Looks back until EVENTS_AT_ONCE events in a row are in both: a backup has everything up to its moment. Servers may run meanwhile.
    """
    lost: list[Row[Any]] = []
    async with AsyncExitStack() as stack:
        before, after = [await stack.enter_async_context(looked_at(place, place.url)) for place in (old, restored)]
        for place, connection in ((old, before), (restored, after)):
            await _refuse_without_events(place, connection)
        assert before is not None
        assert after is not None
        async for rows in _newest_first(before):
            known = select(events.c.id).where(events.c.id.in_([row.id for row in rows]))
            there = set((await after.execute(known)).scalars())
            lost += [row for row in rows if row.id not in there]
            if (len(there) == len(rows) and rows[0].position is not None) or len(lost) >= LOST_MAX:
                break
    return lost[LOST_MAX - 1 :: -1]


async def _newest_first(connection: AsyncConnection) -> AsyncIterator[Sequence[Row[Any]]]:
    # Those without a position were committed last. Whoever lists events numbers them first, so there are few.
    unnumbered = select(events).where(events.c.position.is_(None)).order_by(events.c.created_at.desc()).limit(EVENTS_AT_ONCE)
    rows = (await connection.execute(unnumbered)).all()
    if rows:
        yield rows
    numbered = select(events).where(events.c.position.is_not(None)).order_by(events.c.position.desc()).limit(EVENTS_AT_ONCE)
    rows = (await connection.execute(numbered)).all()
    while rows:
        yield rows
        rows = (await connection.execute(numbered.where(events.c.position < rows[-1].position))).all()


async def _refuse_without_events(place: Place, connection: AsyncConnection | None) -> None:
    schema = None if place.is_sqlite else events.schema
    if connection is None or not await connection.run_sync(lambda c: inspect(c).has_table(events.name, schema)):
        raise StoreUnusable(f"There is no Keyrack data in {place}: name a data folder, or a database's URL.")
