"""Keeping deliveries and their attempts no longer than a plan keeps its logs."""

from functools import partial

from keyrack.model.request_logs import DAY_MS
from keyrack.store import attempts, deliveries
from keyrack.store.database import Store
from keyrack.work.request_logs import DAYS_KEPT, KeepDays, delete_all


async def prune(store: Store, keep_days: KeepDays, now: int) -> int:
    """Delete what is older than each workspace keeps its logs, in small transactions; return how many rows. What waits to be sent stays."""
    deleted, after = 0, ""
    while True:
        async with store.reading_traffic() as c:
            found = await deliveries.workspace_ids(c, after)
        if not found:
            return deleted
        kept = await keep_days(found)
        for workspace_id in found:
            at = now - kept.get(workspace_id, DAYS_KEPT) * DAY_MS
            for delete_before in (attempts.delete_before, deliveries.delete_before):
                deleted += await delete_all(store, partial(delete_before, workspace_id=workspace_id, at=at))
        after = found[-1]
