"""Reading events once, in order, over all workspaces, and deriving from them what is to be done (CONSISTENCY §3, §6).

A reader keeps how far it has come in the traffic's database, and moves that in the transaction that adds what it derived: of several
processes one derives from each event, and a process that dies in between leaves nothing half done. It is woken by commits of its own
process, and looks by itself for those of others.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import structlog

from keyrack.manage import events
from keyrack.manage.desk import Desk
from keyrack.model.events import Event, EventType
from keyrack.model.refusals import Refused
from keyrack.store import event_cursors
from keyrack.store import events as event_rows
from keyrack.store.bells import Bell
from keyrack.store.database import Connection

log = structlog.get_logger("keyrack.events")

READ_AT_ONCE_MAX = 500
LOOK_SECONDS = 0.45
"""How long after a commit of another process its events are found."""

PACE_SECONDS = 0.03
"""The shortest time between two turns: each one that finds something gives events their places, which is a commit."""

RETRY_SECONDS = 1.0


class Derives(Protocol):
    """What a reader makes of events. `name` is that of its cursor."""

    name: str

    async def derive(self, events: Sequence[Event]) -> Sequence[Any]:
        """Return what follows from events, which come in order. Reads what it needs; writes nothing."""

    async def add(self, c: Connection, derived: Sequence[Any]) -> None:
        """Add what was derived, in the traffic's transaction that moves the cursor."""


class Made(Protocol):
    """Something that hears of events from its making on."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def workspace_id(self) -> str:
        """Its workspace's."""

    @property
    def created_at(self) -> int:
        """When it was made, in ms since the epoch."""


class _MovedElsewhere(Exception):
    """Another process has derived from these events: nothing of this turn stays."""


class EventReader:
    """One reader. `tell` is called when something was derived here."""

    def __init__(self, desk: Desk, derives: Derives, tell: Callable[[], object]) -> None:
        self._desk = desk
        self._store = desk.store
        self._derives = derives
        self._tell = tell
        self._bell = Bell()
        # Where the cursor stood when this process last saw it, so that one look is enough while nothing happens.
        self._known = -1
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to follow the events: where this reader never did, behind all that has happened by now. Raises Refused."""
        name = self._derives.name
        await events.number(self._desk)
        # The cursor first: others move it on meanwhile, and never beyond what is read after it.
        async with self._store.reading_traffic() as c:
            at = await event_cursors.get(c, name)
        async with self._store.reading() as c:
            newest = await event_rows.newest(c)
        async with self._store.writing_traffic() as c:
            await event_cursors.begin(c, name, newest)
            if newest < at:
                # The events come from an older copy than the cursor: those that follow get places that it has passed.
                log.warning("event_cursor_set_back", reader=name, position=at, newest=newest)
                await event_cursors.advance(c, name, at, newest)
        self._known = -1
        self._task = asyncio.create_task(self._follow(), name=f"keyrack:read_{self._derives.name}")

    async def stop(self) -> None:
        """End; what was not read yet is read by whoever comes next."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._task = None

    async def turn(self) -> int:
        """Derive from the next events, and return how many there were; 0 where another process was faster.

        Raises Refused `store_unavailable`.
        """
        if await events.number(self._desk) == self._known:
            return 0
        name = self._derives.name
        async with self._store.reading_traffic() as c:
            self._known = was = await event_cursors.get(c, name)
        async with self._store.reading() as c:
            found = await event_rows.above(c, was, READ_AT_ONCE_MAX)
        if not found:
            return 0
        derived = await self._derives.derive(found)
        try:
            async with self._store.writing_traffic() as c:
                if not await event_cursors.advance(c, name, was, found[-1].position or 0):
                    raise _MovedElsewhere
                await self._derives.add(c, derived)
        except _MovedElsewhere:
            return 0
        if derived:
            self._tell()
        return len(found)

    async def _follow(self) -> None:
        while True:
            try:
                read = await self.turn()
            except Refused as refused:
                log.warning("events_not_read", reader=self._derives.name, reason=refused.refusal.code)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except Exception as error:  # noqa: BLE001 - a reader that fails is logged and tried again
                log.warning("events_not_read", reader=self._derives.name, reason=f"{type(error).__name__}: {error}"[:500])
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if read:
                await asyncio.sleep(PACE_SECONDS)
            if read < READ_AT_ONCE_MAX:
                await self._bell.wait(LOOK_SECONDS * apart())


async def came_before(c: Connection, event: Event, made: Made, making: EventType) -> bool:
    """Whether an event was there before something was made, of which an event of the type `making` tells.

    Its place says so, not its time: one that was only begun before, and committed after, was not, nor one by a clock that runs behind.
    """
    if event.created_at >= made.created_at:
        return False
    told = await event_rows.page(c, made.workspace_id, limit=1, kind=making.name, object_id=made.id)
    return not told or (event.position or 0) < (told[0].position or 0)


def apart() -> float:
    """Return by how much to stretch a pause, so that processes which began together do not look together."""
    return random.uniform(0.8, 1.2)  # noqa: S311 - nobody gains by guessing it
