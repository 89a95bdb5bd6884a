"""How far each reader of events has come: one row per reader, moved in the transaction of what the reader made of the events."""

from sqlalchemy import select, update

from keyrack.store.bulk import add_many
from keyrack.store.database import Connection
from keyrack.store.delivery_tables import event_cursors


async def get(c: Connection, reader: str) -> int:
    """Return the position of the last event that a reader has read; 0 where it has not begun."""
    row = await c.first(select(event_cursors.c.position).where(event_cursors.c.reader == reader))
    return 0 if row is None else int(row.position)


async def begin(c: Connection, reader: str, position: int) -> None:
    """Have a reader begin behind a position, unless it has begun."""
    await add_many(c, event_cursors, [(reader, position)])


async def advance(c: Connection, reader: str, was: int, position: int) -> bool:
    """Move a cursor on, or back. False: another process has moved it from where it was, and this transaction must not commit."""
    own = (event_cursors.c.reader == reader) & (event_cursors.c.position == was)
    return bool(await c.execute(update(event_cursors).where(own).values(position=position)))
