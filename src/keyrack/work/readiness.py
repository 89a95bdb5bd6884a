"""Whether this process can serve a call, and if not, why: asked often, by balancers and supervisors, so every answer comes soon."""

import asyncio
from typing import NamedTuple

from keyrack.feed.look_ups import Feed
from keyrack.feed.postgresql import PostgresqlFeed
from keyrack.model.refusals import Refused
from keyrack.store.database import Store
from keyrack.store.spool import Spool
from keyrack.store.sqlite import StoreUnusable

ANSWER_SECONDS_MAX = 1.0
CLOSE_SECONDS_MAX = 10.0


class Finding(NamedTuple):
    """Whether one thing is as it must be, and how it is, in words."""

    ok: bool
    detail: str


class Readiness:
    """Looks at what a call stands on. `is_started` is set by who starts and stops the rest."""

    def __init__(self, store: Store, spool: Spool, feed: Feed) -> None:
        self.is_started = False
        self._store = store
        self._spool = spool
        self._feed = feed
        self._asking: asyncio.Task[None] | None = None

    async def look(self) -> dict[str, Finding]:
        """Return what a call stands on, by name. Takes little more than ANSWER_SECONDS_MAX, whatever hangs."""
        found = {
            "process": Finding(self.is_started, "started" if self.is_started else "not started"),
            "request_log": Finding(self._spool.has_room, "has room" if self._spool.has_room else "no room for the request log"),
            "store": await self._answer_of_store(),
        }
        if isinstance(self._feed, PostgresqlFeed):
            held = self._feed.current()
            found["lease"] = Finding(held, "held" if held else "no lease on the database")
        return found

    async def close(self) -> None:
        """Ask nothing any more."""
        asking, self._asking = self._asking, None
        if asking is not None:
            await asyncio.wait({asking}, timeout=CLOSE_SECONDS_MAX)

    async def _answer_of_store(self) -> Finding:
        # One question at a time, however often somebody asks here: each one that hangs has connections.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._store.check(), name="keyrack:readiness")
        asking = self._asking
        await asyncio.wait({asking}, timeout=ANSWER_SECONDS_MAX)
        if not asking.done():
            return Finding(False, f"the store has not answered for {ANSWER_SECONDS_MAX:g} s")
        try:
            asking.result()
        except Refused as refused:
            return Finding(False, refused.detail)
        except StoreUnusable as unusable:
            return Finding(False, str(unusable))
        return Finding(True, "answers")
