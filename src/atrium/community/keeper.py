"""The community of a running host: founded when it starts, told of what is new, and its mail written, for as long as the host runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from atrium.community.announcements import announce
from atrium.community.founding import Home, found
from atrium.community.notices import send_due
from atrium.database import Database, now_ms
from keyrack import Keyrack, refusals

log = structlog.get_logger("atrium.community")
TURN_SECONDS = 5.0


class Keeper:
    """Keeps the community of one host."""

    def __init__(self, rack: Keyrack, database: Database) -> None:
        self._rack = rack
        self._database = database
        self._home: Home | None = None

    @property
    def home(self) -> Home:
        """Where the community is. Raises Refused 503 while the store has not let it be founded."""
        if self._home is None:
            raise refusals.STORE_UNAVAILABLE("The community is not open yet: try again in a moment.", headers={"Retry-After": "5"})
        return self._home

    async def turn(self) -> None:
        """Do what is due. What fails is told in the log, and tried again at the next turn."""
        try:
            if self._home is None:
                home = await found(self._rack, self._database, f"{self._rack.brand.name} Dev. Community")
                await announce(self._rack, self._database, home)
                self._home = home
            await send_due(self._rack, self._database, self._home, now_ms())
        except Exception as error:  # noqa: BLE001 - the product goes on without its community
            log.warning("community_waits", error=type(error).__name__)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take turns for as long as the block lasts; the first before it begins, so that the first page finds the community."""
        stopped = asyncio.Event()
        await self.turn()
        turns = asyncio.create_task(self._run(stopped))
        try:
            yield
        finally:
            stopped.set()
            await turns

    async def _run(self, stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            try:
                await asyncio.wait_for(stopped.wait(), TURN_SECONDS)
            except TimeoutError:
                await self.turn()
