"""What outlives its call's decision: streams and sockets. They end with their credential."""

import asyncio
from collections.abc import Awaitable, Callable

from keyrack.feed.cache import Cache


class StreamEnded(Exception):
    """The credential of a running stream or socket is no longer accepted: nothing more passes."""


class Watch:
    """Watches over one running stream or socket.

    An eviction marks it, before the change that evicts is acknowledged; no message passes after the mark. The task that made the watch
    is cancelled a moment later on its event loop, so that a silent stream ends too, where the caller really is no longer accepted (an
    eviction may also mean that the name of a key was edited).
    """

    def __init__(self, cache: Cache, digest: bytes, accepted: Callable[[], Awaitable[bool]]) -> None:
        self._cache = cache
        self._digest = digest
        self._accepted = accepted
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self._checking: asyncio.Task[None] | None = None
        self.ended = False
        cache.watch(digest, self._mark)

    async def check(self) -> None:
        """Let one message pass, or raise StreamEnded."""
        if not await self._accepted():
            self.ended = True
        if self.ended:
            raise StreamEnded

    def close(self) -> None:
        """Stop watching."""
        self._cache.unwatch(self._digest, self._mark)

    def _mark(self) -> None:
        # Called under the cache's lock, from any thread: the question is asked on the loop.
        self._loop.call_soon_threadsafe(self._ask)

    def _ask(self) -> None:
        self._checking = self._loop.create_task(self._end_unless_accepted())

    async def _end_unless_accepted(self) -> None:
        if not await self._accepted():
            self.ended = True
            if self._task is not None:
                self._task.cancel()
