"""What outlives its call's decision: streams and sockets. They end with their credential."""

import asyncio
from collections.abc import Awaitable, Callable

from keyrack.feed.cache import Cache


class StreamEnded(Exception):
    """The credential of a running stream or socket is no longer accepted: nothing more passes."""


class Watch:
    """Watches over one running stream or socket.

    An eviction marks it, before the change that evicts is acknowledged; no message passes after the mark. `task`, which serves the whole
    call, is cancelled a moment later on its event loop, so that a silent stream ends too, where the caller really is no longer accepted
    (an eviction may also mean that the name of a key was edited).
    """

    def __init__(self, cache: Cache, digest: bytes, accepted: Callable[[], Awaitable[bool]], task: "asyncio.Task[object] | None") -> None:
        self._cache = cache
        self._digest = digest
        self._accepted = accepted
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._checking: asyncio.Task[None] | None = None
        self._marks = 0
        self.ended = False
        cache.watch(digest, self._mark)

    async def check(self) -> None:
        """Let one message pass, or raise StreamEnded. An answer that was overtaken by a mark is asked for again."""
        asked_at = -1
        while asked_at != self._marks and not self.ended:
            asked_at = self._marks
            self.ended = not await self._accepted() or self.ended
        if self.ended:
            raise StreamEnded

    def close(self) -> None:
        """Stop watching. Nobody is cancelled any more: the call's task may go on to another one."""
        self._task = None
        self._cache.unwatch(self._digest, self._mark)

    def _mark(self) -> None:
        # Called under the cache's lock, from any thread: the question is asked on the loop.
        self._marks += 1
        self._loop.call_soon_threadsafe(self._ask)

    def _ask(self) -> None:
        self._checking = self._loop.create_task(self._end_unless_accepted())

    async def _end_unless_accepted(self) -> None:
        if not await self._accepted():
            self.ended = True
            if self._task is not None:
                self._task.cancel()
