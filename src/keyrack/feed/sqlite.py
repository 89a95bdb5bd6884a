"""The feed on SQLite: ask the file (CONSISTENCY §3).

`PRAGMA data_version` moves whenever another connection, of this process or any other, has committed. Once a change has returned, its
commit is over, so the next question sees it.
"""

import asyncio
import os
import sqlite3
import threading
from pathlib import Path
from weakref import WeakSet

from keyrack.feed.cache import Cache
from keyrack.model.refusals import STORE_UNAVAILABLE
from keyrack.store.changes import ABOVE_SQL, Changes

_VERSION_SQL = "PRAGMA data_version"
_Standing = tuple[tuple[int, int], ...]


class _Probe(threading.local):
    """One thread's own synchronous connection and the version it last applied. SQLite handles must not wander between threads."""

    connection: sqlite3.Connection | None = None
    version = -1
    asker: "asyncio.Task[object] | None" = None


class SqliteFeed:
    """Says whether the cache may be believed, by asking the file on every call.

    Calls that the server scheduled in one turn of the event loop share one question. Why that is safe: before it asks, the first task
    queues `_forget_answer` with call_soon. The loop runs its queue in order, so whatever runs before `_forget_answer` was queued before
    the question was asked; where it is a new task, its call's head had arrived by then, and a change that had returned before that head
    arrived had committed before the question. What reads heads (a socket's callback) starts a task for each call, which is queued
    behind. The answer is kept per thread and believed on its own loop only, for a loop that was stopped may not have forgotten it.

    It needs each call to be a task of its own, as uvicorn makes them; a task never uses its own answer again, for in-process transports
    run many calls in one. A task that starts at once, where its head was read, would come before `_forget_answer`: only a
    task factory makes those, so a loop with one shares nothing.
    """

    def __init__(self, path: Path, cache: Cache) -> None:
        self._path = path.absolute()
        self._cache = cache
        self._probe = _Probe()
        # Every thread's connection: one that only its thread knew would be closed with that thread, in a forked child too.
        self._connections: dict[threading.Thread, sqlite3.Connection] = {}
        self._lock = threading.Lock()
        # By which change the revision that was applied is known: a file that was set back may have reached the same number anew.
        self._applied_change: str | None = None
        self._standing: _Standing | None = None
        self._lost = False
        self._inherited = False
        _feeds.add(self)

    def current(self, *, shared: bool = True) -> bool:
        """Whether the cache holds nothing that a change which has returned made untrue. False: decide by a look-up.

        Not `shared`: the answer is as new as this question. Raises Refused `store_unavailable` where another file has taken the store's
        name: a look-up would read the past as well.
        """
        if self._lost:
            raise STORE_UNAVAILABLE("Another file has taken the place of the store: this process must be started anew.")
        task = _current_task()
        probe = self._probe
        asker = probe.asker
        if shared and asker is not None and task is not None and asker is not task and asker.get_loop() is task.get_loop():
            return True
        if task is not None:
            task.get_loop().call_soon(self._forget_answer)
        try:
            connection = probe.connection or self._connected(probe)
            version: int = connection.execute(_VERSION_SQL).fetchone()[0]
            if version != probe.version:
                self._apply(connection)
                # Only now: had the apply failed, the next question must apply again.
                probe.version = version
        except (sqlite3.Error, FileNotFoundError):
            return False
        if task is not None and task.get_loop().get_task_factory() is None:
            probe.asker = task
        return True

    async def settle(self, revision: int) -> None:
        """Return when nobody can believe what held before this revision: here at once, for every process asks the file."""
        self.current(shared=False)

    def replaced(self) -> bool:
        """Whether another file stands under the store's name, or under that of its log or of the log's shared memory.

        Two processes that have different ones open do not see each other's changes. Asked by stat, never by opening them: closing would
        drop POSIX locks.
        """
        if self._standing is not None and not self._lost:
            try:
                self._lost = self._stand() != self._standing
            except FileNotFoundError:
                self._lost = True
        return self._lost

    def close(self) -> None:
        """Close every thread's connection. Nobody may be asking; the feed can be used again."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self._probe = _Probe()
        self._standing = None

    def forget(self) -> None:
        """Begin anew in a forked child: the handles are forgotten, never closed, for closing could undo what the parent relies on.

        SQLite keeps one record of locks per process and file. A child that inherits an open file inherits that record, without the
        locks: it would open the file without a lock of its own, and lose the log under its feet when the parent closes. So a child
        believes nothing where it inherited the file.
        """
        _orphans.extend(self._connections.values())
        self._connections = {}
        self._probe = _Probe()
        self._lock = threading.Lock()
        self._applied_change = None
        self._standing = None
        self._inherited = self._inherited or _is_open(self._path)
        self._cache.after_fork()

    def _forget_answer(self) -> None:
        self._probe.asker = None

    def _connected(self, probe: _Probe) -> sqlite3.Connection:
        with self._lock:
            self._close_dead()
            connection = self._connect()
            self._connections[threading.current_thread()] = connection
        probe.connection, probe.version = connection, -1
        return connection

    def _connect(self) -> sqlite3.Connection:
        if self._inherited:
            raise sqlite3.OperationalError("the file was open in the process that this one was forked from")
        before = os.stat(self._path)
        # Autocommit and read-only; no waiting, for a call that cannot ask simply does without the cache. Used by its own thread alone,
        # but closed by others.
        connection = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(_VERSION_SQL).fetchone()  # opens the log and its shared memory
            self._note_standing((before.st_dev, before.st_ino))
        except BaseException:
            connection.close()
            raise
        return connection

    def _close_dead(self) -> None:
        for thread in list(self._connections):
            if not thread.is_alive():
                self._connections.pop(thread).close()

    def _note_standing(self, opened: tuple[int, int]) -> None:
        # While a connection is open here, nobody removes the log or its shared memory: SQLite does so when the last one closes.
        seen = self._stand()
        if seen[0] != opened:
            raise sqlite3.OperationalError("the file was replaced while it was opened")
        if self._standing is None or (seen[0] == self._standing[0] and not self._connections):
            self._standing = seen
        elif seen != self._standing:
            self._lost = True
            raise sqlite3.OperationalError("the file was replaced")

    def _stand(self) -> _Standing:
        found = (os.stat(f"{self._path}{end}") for end in ("", "-wal", "-shm"))
        return tuple((file.st_dev, file.st_ino) for file in found)

    def _apply(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            applied = self._cache.applied
            found = Changes.of(connection.execute(ABOVE_SQL, (applied,)).fetchall(), applied, self._applied_change)
            if applied < 0 or not found.complete:
                # Joining, a file that was set back, or rows that were pruned before this process read them.
                self._cache.drop(found.newest)
            else:
                self._cache.advance(found.newest, found.touched)
            self._applied_change = found.newest_change


_feeds: "WeakSet[SqliteFeed]" = WeakSet()
_orphans: list[sqlite3.Connection] = []


def _forget() -> None:
    for feed in list(_feeds):
        feed.forget()


os.register_at_fork(after_in_child=_forget)


def _is_open(path: Path) -> bool:
    """Whether this process has a file open, under whatever name. Asked without opening it."""
    try:
        file = os.stat(path)
    except FileNotFoundError:
        return False
    try:
        numbers = [int(entry.name) for entry in Path("/dev/fd").iterdir()]
    except OSError:
        return True  # nothing says so, and believing needs a reason
    for number in numbers:
        try:
            held = os.fstat(number)
        except OSError:
            continue
        if (held.st_dev, held.st_ino) == (file.st_dev, file.st_ino):
            return True
    return False


def _current_task() -> "asyncio.Task[object] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
