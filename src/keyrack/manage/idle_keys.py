"""Keys that nobody uses: candidates for ending, for whoever wants as few doors as there are uses."""

from typing import Any

from keyrack.manage import keys
from keyrack.manage.desk import Desk
from keyrack.manage.keys import Listed
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Principal

IDLE_DAYS = 30
READ_AT_ONCE, READS_MAX = 500, 40
_DAY = 24 * 3600 * 1000


async def page(
    desk: Desk,
    actor: Principal,
    *,
    limit: int,
    after: Place | None = None,
    days: int = IDLE_DAYS,
    order: Order = NEWEST,
    **filters: Any,
) -> list[Listed]:
    """Return up to `limit` keys that are accepted, were made over `days` days ago and were not used since, in an order.

    `filters` are those of `keys.page`. When a key was used stands in another file, so keys are read some at a time, until there are enough
    or READ_AT_ONCE * READS_MAX were looked at. Raises Refused 403 without org-level Admin.
    """
    now = desk.now()
    since = now - days * _DAY
    found: list[Listed] = []
    for _ in range(READS_MAX):
        read = await keys.page(desk, actor, limit=READ_AT_ONCE, after=after, ended=False, order=order, **filters)
        found += [one for one in read if is_idle(one, now, since)]
        if len(read) < READ_AT_ONCE or len(found) >= limit:
            break
        after = order.place(read[-1].key)
    return found[:limit]


def is_idle(listed: Listed, now: int, since: int) -> bool:
    """Whether a key that is accepted now was neither made nor used from a time (ms) on."""
    return listed.key.state(now) == "active" and max(listed.key.created_at, listed.last_used_at or 0) < since
