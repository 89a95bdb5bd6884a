"""That somebody was told of a key's expiry, as rows: one per key, expiry and notice, so that nobody is told twice."""

from sqlalchemy import insert

from keyrack.model.keys import Key
from keyrack.store.database import Connection, Duplicate
from keyrack.store.tables import key_notices


async def add(c: Connection, key: Key, days: int, told_at: int) -> bool:
    """Note that a notice goes out. False: somebody else was first, and the transaction is lost."""
    own = {"key_id": key.id, "expires_at": key.expires_at, "days": days, "told_at": told_at}
    try:
        await c.execute(insert(key_notices).values(**own))
    except Duplicate:
        return False
    return True
