"""Followers: calls that wait for the next event of their workspace, so that a program learns of it at once and asks seldom.

A call waits without a connection, a transaction or a lock. One loop in each process asks the store for all that wait there, and wakes
those whose workspace has something new; each then reads for itself, with the rights that its caller has at that moment.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import structlog

from keyrack.manage import events
from keyrack.manage.desk import Desk
from keyrack.model.events import Event
from keyrack.model.principals import Principal
from keyrack.model.refusals import RATE_LIMITED

log = structlog.get_logger("keyrack.events")
WAIT_SECONDS_MAX = 20
"""Shorter than what any proxy on the way takes for a dead connection."""
STOPPING = "keyrack.stopping"
"""What a server sets in the state of its calls when it begins to stop: those that wait are answered then."""
LOOK_SECONDS = 0.25
CHECK_SECONDS = 1.0
READS_AT_ONCE = 4
"""How many of those that wait read at the same time: one event may wake many, and other calls want the store, too."""
PER_CREDENTIAL_MAX = 10
PER_WORKSPACE_MAX = 100
ALL_MAX = 2_000


class Followers:
    """All calls of this process that wait."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: dict[asyncio.Event, str] = {}
        self._counts: Counter[str] = Counter()
        self._looking: asyncio.Task[None] | None = None
        self._turns = asyncio.Semaphore(READS_AT_ONCE)

    def __len__(self) -> int:
        return len(self._waiting)

    async def first(
        self,
        principal: Principal,
        read: Callable[[], Awaitable[list[Event]]],
        seconds: float,
        is_over: Callable[[], Awaitable[bool]],
    ) -> list[Event]:
        """Return what `read` finds as soon as it finds anything; nothing after so many seconds, or when `is_over` says that nobody waits.

        It is woken when an event has got its place, so `read` need give none.

        Raises Refused 429 where the credential, its workspace or this process has as many calls waiting as it may.
        """
        ends = monotonic() + seconds
        with self._joined(principal) as news:
            # It has joined before it reads: whatever gets its place after that read wakes it.
            while not (found := await self._in_turn(read)):
                if not await _arrived(news, ends, is_over):
                    return []
            return found

    def close(self) -> None:
        """Look no more: nobody waits."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        # Another start may come on another event loop.
        self._turns = asyncio.Semaphore(READS_AT_ONCE)

    async def _in_turn(self, read: Callable[[], Awaitable[list[Event]]]) -> list[Event]:
        async with self._turns:
            return await read()

    @contextmanager
    def _joined(self, principal: Principal) -> Iterator[asyncio.Event]:
        places = (principal.credential_id, principal.workspace.id)
        self._admit(*places)
        news = asyncio.Event()
        self._counts.update(places)
        self._waiting[news] = principal.workspace.id
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="keyrack:followers")
        try:
            yield news
        finally:
            del self._waiting[news]
            self._counts -= Counter(places)

    def _admit(self, credential_id: str, workspace_id: str) -> None:
        bounds = (
            (self._counts[credential_id], PER_CREDENTIAL_MAX, "This credential"),
            (self._counts[workspace_id], PER_WORKSPACE_MAX, "The workspace"),
            (len(self._waiting), ALL_MAX, "This server"),
        )
        for waiting, most, who in bounds:
            if waiting >= most:
                raise RATE_LIMITED(
                    f"{who} has {most} calls that wait for events, and no more may: end one, or ask without `wait_seconds`.",
                    headers={"Retry-After": str(WAIT_SECONDS_MAX)},
                )

    async def _look(self) -> None:
        """Wake those for whom there is something new, for as long as anybody waits."""
        seen: int | None = None
        while self._waiting:
            try:
                newest, workspace_ids = await events.arrived(self._desk, seen)
                everybody = seen is None
            except Exception as error:  # noqa: BLE001 - each that waits meets the same fault by itself, and tells its caller
                log.warning("events_not_read", error=f"{type(error).__name__}: {error}"[:500])
                newest, workspace_ids, everybody = None, frozenset[str](), True
            seen = newest
            for news, workspace_id in self._waiting.items():
                if everybody or workspace_id in workspace_ids:
                    news.set()
            await asyncio.sleep(LOOK_SECONDS)


async def _arrived(news: asyncio.Event, ends: float, is_over: Callable[[], Awaitable[bool]]) -> bool:
    """Return True when there may be something new, False when the time has ended or nobody waits for it."""
    while (left := ends - monotonic()) > 0:
        try:
            await asyncio.wait_for(news.wait(), min(left, CHECK_SECONDS))
        except TimeoutError:
            if await is_over():
                return False
        else:
            news.clear()
            return True
    return False
