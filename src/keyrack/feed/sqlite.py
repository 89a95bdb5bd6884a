"""The feed on SQLite: ask the file (CONSISTENCY §3).

`PRAGMA data_version` moves whenever another connection, of this process or any other, has committed. Once a change has returned, its
commit is over, so the next question sees it.
"""

import asyncio
import os
import sqlite3
import threading
from pathlib import Path

from keyrack.feed.cache import Cache
from keyrack.store.changes import ABOVE_SQL, Changes


class _Probe(threading.local):
    """One thread's own synchronous connection and the version it last applied. SQLite handles must not wander between threads."""

    connection: sqlite3.Connection | None = None
    version = -1
    answered_for: object | None = None


class SqliteFeed:
    """Says whether the cache may be believed, by asking the file on every call.

    Calls that the server scheduled in one turn of the event loop share one question. Why that is safe: the first asker queues
    `_forget` with call_soon. The loop runs its queue in order, so a task that runs before `_forget` was queued before the question was
    asked, and its call's head had arrived by then; a change that returned before that head arrived had committed before the question.
    The answer is kept per thread, as
    loops are. This needs each call to be a task of its own, so the same task never uses one answer twice (in-process transports run many calls in
    one task), and no eager tasks (uvicorn makes none).
    """

    def __init__(self, path: Path, cache: Cache) -> None:
        self._path = path
        self._cache = cache
        self._probe = _Probe()
        self._applying = threading.Lock()
        self._inode: tuple[int, int] | None = None
        self._lost = False
        os.register_at_fork(after_in_child=self._forget_everything)

    def current(self) -> bool:
        """Whether the cache holds nothing that a change which has returned made untrue. False: decide by a look-up."""
        task = _current_task()
        probe = self._probe
        if task is not None and probe.answered_for is not None and probe.answered_for is not task:
            return True
        if self._lost:
            return False
        try:
            connection = probe.connection or self._connect(probe)
            version: int = connection.execute("PRAGMA data_version").fetchone()[0]
            if version != probe.version:
                self._apply(connection)
                # Only now: had the apply failed, the next question must apply again.
                probe.version = version
        except sqlite3.Error:
            return False
        if task is not None:
            probe.answered_for = task
            task.get_loop().call_soon(self._forget_answer)
        return True

    async def settle(self, revision: int) -> None:
        """Return when nobody can believe what held before this revision: here at once, for every process asks the file."""
        self._forget_answer()
        self.current()

    def replaced(self) -> bool:
        """Whether another file stands under the store's name. Asked by stat, never by opening it: closing would drop POSIX locks."""
        try:
            seen = os.stat(self._path)
        except FileNotFoundError:
            return self._inode is not None
        self._inode = self._inode or (seen.st_dev, seen.st_ino)
        if self._inode != (seen.st_dev, seen.st_ino):
            self._lost = True
        return self._lost

    def _forget_answer(self) -> None:
        self._probe.answered_for = None

    def _connect(self, probe: _Probe) -> sqlite3.Connection:
        # Autocommit and read-only; no waiting, for a call that cannot ask simply does without the cache.
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=0, isolation_level=None)
        probe.connection = connection
        probe.version = -1
        return connection

    def _apply(self, connection: sqlite3.Connection) -> None:
        with self._applying:
            applied = self._cache.applied
            found = Changes.of(connection.execute(ABOVE_SQL, (applied,)).fetchall(), applied)
            if applied < 0 or not found.complete:
                # Joining, a file that was set back, or rows that were pruned before this process read them.
                self._cache.drop(found.newest)
            else:
                self._cache.advance(found.newest, found.touched)

    def _forget_everything(self) -> None:
        # In a forked child: the handle is forgotten, never closed, for closing would drop the parent's POSIX locks.
        _ORPHANS.append(self._probe.connection)
        self._probe = _Probe()
        self._applying = threading.Lock()
        self._cache.after_fork()


_ORPHANS: list[sqlite3.Connection | None] = []


def _current_task() -> "asyncio.Task[object] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
