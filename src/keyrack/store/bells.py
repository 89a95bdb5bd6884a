"""Bells: who waits for events in this process is told at once when some were committed here. Other processes look by themselves."""

import asyncio
import os
import threading
from weakref import WeakSet


class Bell:
    """Waits for events that this process commits. Belongs to the event loop that waits; `ring` is for any thread."""

    def __init__(self) -> None:
        self._rung = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._event = asyncio.Event()
        _bells.add(self)

    def ring(self) -> None:
        """Wake whoever waits. Most rings find that somebody else has rung already, and cost a look."""
        if self._rung or self._loop is None:
            return
        self._rung = True
        if threading.get_ident() == self._thread:
            self._event.set()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> None:
        """Return when the bell was rung since the last wait, or after so many seconds."""
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            # First the event: a ring in between is a reason too many to look, and never one too few.
            self._event.clear()
            self._rung = False


_bells: "WeakSet[Bell]" = WeakSet()
# A forked child has none of the loops that wait for them.
os.register_at_fork(after_in_child=_bells.clear)


def ring() -> None:
    """Tell everybody who waits in this process that events were committed."""
    for bell in tuple(_bells):
        bell.ring()
