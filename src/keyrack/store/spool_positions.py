"""How far each spool segment has been moved into the request log. A position moves in the transaction that adds the lines."""

from sqlalchemy import delete, select, update

from keyrack.store.bulk import add_many
from keyrack.store.database import Connection
from keyrack.store.traffic_tables import spool_positions


async def get(c: Connection, segment: str) -> int | None:
    """Return how far a segment has been moved, or None where it has not begun."""
    row = await c.first(select(spool_positions.c.position).where(spool_positions.c.segment == segment))
    return int(row.position) if row else None


async def advance(c: Connection, segment: str, start: int | None, end: int, at: int) -> bool:
    """Move a position from where it stood, or say False: another transaction was quicker, and this one must be rolled back.

    Its row is locked until the transaction ends, so of two that move the same lines one waits and then is told False.
    """
    if start is None:
        return bool(await add_many(c, spool_positions, [(segment, end, at)]))
    own = (spool_positions.c.segment == segment) & (spool_positions.c.position == start)
    return bool(await c.execute(update(spool_positions).where(own).values(position=end, updated_at=at)))


async def forget(c: Connection, segment: str) -> None:
    """Forget a segment that has been removed."""
    await c.execute(delete(spool_positions).where(spool_positions.c.segment == segment))


async def forget_before(c: Connection, at: int) -> None:
    """Forget segments that moved nothing since a time (ms), so that a process killed between removing and forgetting leaves no row."""
    await c.execute(delete(spool_positions).where(spool_positions.c.updated_at < at))
