"""Keys that nobody uses: candidates for ending, for whoever wants as few doors as there are uses."""

from dataclasses import dataclass

from keyrack.manage import keys
from keyrack.manage.desk import Desk
from keyrack.manage.keys import Listed
from keyrack.model.orders import Place
from keyrack.model.principals import Principal

IDLE_DAYS = 30
PAGE_LENGTH = 100
SEARCHED_MAX = 5000
_DAY = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Idle:
    """Idle keys, newest first. `searched_all` is False where a workspace has more keys than are looked at."""

    keys: list[Listed]
    searched_all: bool


async def find(desk: Desk, actor: Principal, *, days: int = IDLE_DAYS, limit: int = PAGE_LENGTH) -> Idle:
    """Return up to `limit` keys that are accepted, were made over `days` days ago and were not used since.

    Raises Refused 403 without org-level Admin.
    """
    now = desk.now()
    since = now - days * _DAY
    found: list[Listed] = []
    after: Place | None = None
    for _ in range(SEARCHED_MAX // PAGE_LENGTH):
        page = await keys.page(desk, actor, limit=PAGE_LENGTH, after=after, ended=False)
        found += [one for one in page if one.key.state(now) == "active" and one.key.created_at < since and (one.last_used_at or 0) < since]
        if len(page) < PAGE_LENGTH or len(found) >= limit:
            return Idle(found[:limit], searched_all=len(page) < PAGE_LENGTH)
        after = (page[-1].key.created_at, page[-1].key.id)
    return Idle(found[:limit], searched_all=False)
