"""What was used of limits per day and month, written every few seconds: counters that lost it go on from here."""

from collections.abc import Collection, Iterable

from sqlalchemy import delete, select

from keyrack.model.quotas import Quota
from keyrack.store.bulk import add_many
from keyrack.store.database import Connection
from keyrack.store.traffic_tables import quotas

_LATEST_WINS = "DO UPDATE SET state = excluded.state WHERE excluded.state > keyrack_quotas.state"


async def of(c: Connection, workspace_id: str, keys: Collection[bytes]) -> list[Quota]:
    """Return what is kept of these buckets (those of one call)."""
    names = [key.hex() for key in keys]
    found = select(quotas).where(quotas.c.workspace_id == workspace_id, quotas.c.bucket.in_(names))
    return [Quota(row.workspace_id, bytes.fromhex(row.bucket), row.state) for row in await c.all(found)]


async def save(c: Connection, used: Iterable[Quota]) -> None:
    """Write what was used, one per bucket; what is less than what is there changes nothing.

    In the order of their keys: two transactions that write the same ones then wait for each other in one direction only.
    """
    rows = sorted((quota.workspace_id, quota.key.hex(), quota.state) for quota in used)
    await add_many(c, quotas, rows, _LATEST_WINS)


async def forget_before(c: Connection, state: int) -> None:
    """Forget the windows that ended before the one with which a state begins."""
    await c.execute(delete(quotas).where(quotas.c.state < state))
