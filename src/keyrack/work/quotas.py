"""Quotas of days and months, kept in the store: written while they are used, read where the counters lost them, forgotten when over."""

from collections.abc import Collection, Mapping

from keyrack.model.quotas import oldest_state
from keyrack.store import quotas
from keyrack.store.database import Store
from keyrack.volatile.valkey import ValkeyCounters


async def keep(store: Store, counters: ValkeyCounters) -> None:
    """Write what was used since this was last done."""
    unkept = counters.unkept()
    if not unkept:
        return
    try:
        async with store.writing_traffic() as c:
            await quotas.save(c, unkept)
    except BaseException:
        counters.put_back(unkept)
        raise


async def recall(store: Store, workspace_id: str, keys: Collection[bytes]) -> Mapping[bytes, int]:
    """Return the states of these buckets that are kept, by key. Raises Refused `store_unavailable`."""
    async with store.reading_traffic() as c:
        return {quota.key: quota.state for quota in await quotas.of(c, workspace_id, keys)}


async def prune(store: Store, now: int) -> None:
    """Forget the quotas of windows that are over; `now` in ms since the epoch."""
    async with store.writing_traffic() as c:
        await quotas.forget_before(c, oldest_state(now))
