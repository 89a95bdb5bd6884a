"""The feed on SQLite: ask the file, where every process has it in memory (CONSISTENCY §3, docs/decisions/0005).

SQLite keeps the index of its write-ahead log in a file that all processes with the database open have mapped (`-shm`). Its header, 48
documented bytes (https://www.sqlite.org/walformat.html, "The WAL-Index Header"), changes with every commit before that commit returns: it
is how SQLite's own readers see that there is something new. To compare these bytes is to ask whether anything was committed, without a
system call, from any thread.

Why no change is missed: the bytes are read first, then the rows, and the bytes are remembered only once the rows were applied. Bytes that
were read in the middle of a commit are either the old ones, then that commit has not returned; or they differ, then the rows are read, and
read again at the next question where the whole header is another one. A commit between the two reads is applied twice, never missed.
"""

import os
import sqlite3
import sys
import threading
from collections import Counter
from contextlib import suppress
from mmap import PROT_READ, mmap
from pathlib import Path
from weakref import WeakSet

from keyrack.feed.cache import Cache, Start
from keyrack.model.refusals import STORE_UNAVAILABLE
from keyrack.store.changes import ABOVE_SQL, Changes

HEADER = slice(0, 48)
"""Where the header stands in the index."""
_MAPPED_BYTES = 4096
# The header's first field, in the machine's byte order: the one format of the index there has been since it exists (SQLite 3.7.0).
_FORMAT = 3_007_000
# The one that was opened, and the copy of it that mmap keeps.
_OWN_HANDLES = 2
_Place = tuple[int, int]
_Standing = tuple[_Place, ...]


class SqliteFeed:
    """Says whether the cache may be believed, by comparing the log's header on every call."""

    def __init__(self, path: Path, cache: Cache) -> None:
        self._path = path.absolute()
        self._cache = cache
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._index: mmap | None = None
        self._index_handle = -1
        self._applied_header = b""
        # By which change the revision that was applied is known: a file that was set back may have reached the same number anew.
        self._applied_change: str | None = None
        self._standing: _Standing | None = None
        self._lost = False
        # Why nothing can be believed here for as long as this process lives.
        self._never: str | None = None
        _feeds.add(self)

    def current(self) -> bool:
        """Whether the cache holds nothing that a change which has returned made untrue. False: decide by a look-up.

        Raises Refused `store_unavailable` where another file has taken the store's name: a look-up would read the past as well.
        """
        if self._lost:
            raise STORE_UNAVAILABLE("Another file has taken the place of the store: this process must be started anew.")
        index = self._index
        if index is not None and index[HEADER] == self._applied_header:
            return True
        return self._catch_up()

    async def begin(self) -> Start:
        """Return the state in which a look-up begins: at any time, for the file itself is never behind."""
        self.current()
        return self._cache.start()

    async def begin_again(self) -> Start | None:
        """Return None: what the file does not hold is nowhere."""
        return None

    async def settle(self, revision: int) -> None:
        """Return when nobody can believe what held before this revision: here at once, for every process asks the file."""
        self.current()

    async def start(self) -> None:
        """Begin to follow the changes: here with the first question."""

    async def stop(self) -> None:
        """End, so that nobody waits for this process any more: here nobody does."""
        self.close()

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
        """Let go of the file. Nobody may be asking; the feed can be used again.

        What others here still use stays until the next close of any feed: the store's connections close after this one, so that they can
        clear the log away.
        """
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._unmap()
            self._applied_header = b""
            self._standing = None

    def forget(self) -> None:
        """Begin anew in a forked child: the handles are forgotten, never closed, for closing could undo what the parent relies on.

        SQLite keeps one record of locks per process and file. A child that inherits an open file inherits that record, without the
        locks: it would open the file without a lock of its own, and lose the log under its feet when the parent closes. So a child
        believes nothing where it inherited the file.
        """
        _kept.extend(one for one in (self._connection, self._index) if one is not None)
        self._connection = self._index = None
        self._index_handle = -1
        self._applied_header = b""
        self._lock = threading.Lock()
        self._applied_change = None
        self._standing = None
        if _is_open(self._path):
            self._never = "the file was open in the process that this one was forked from"
        self._cache.after_fork()

    def _catch_up(self) -> bool:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection, self._index = self._connected()
                index = self._index
                if index is None:
                    return False
                header = index[HEADER]
                self._apply(self._connection)
                # Only now: had the apply failed, the next question must apply again.
                self._applied_header = header
            except (sqlite3.Error, OSError):
                return False
        return True

    def _connected(self) -> tuple[sqlite3.Connection, mmap]:
        if self._never is not None:
            raise sqlite3.NotSupportedError(self._never)
        before = os.stat(self._path)
        # Autocommit and read-only; no waiting, for a call that cannot ask simply does without the cache. One thread at a time has it.
        connection = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            # Opens the log and its index. To the end: a statement left half read would hold its snapshot, and later ones would see that.
            connection.execute("PRAGMA data_version").fetchall()
            self._note_standing(_place(before))
            return connection, self._mapped()
        except BaseException:
            connection.close()
            raise

    def _mapped(self) -> mmap:
        # While the connection is open, nobody removes or shortens the index: SQLite does so when the last one closes.
        self._index_handle = os.open(f"{self._path}-shm", os.O_RDONLY | os.O_CLOEXEC)
        # From here on the handle stays open, also where it is of no use: to try again would open one with every call.
        self._never = "the log's index cannot be read"
        index = mmap(self._index_handle, _MAPPED_BYTES, prot=PROT_READ)
        if int.from_bytes(index[:4], sys.byteorder) != _FORMAT:
            _kept.append(index)
            raise sqlite3.NotSupportedError("the log's index has an unknown format: nothing can be believed from memory")
        self._never = None
        return index

    def _unmap(self) -> None:
        """Give the index back: closed now, or by a later feed that lets go."""
        if self._index is not None:
            _left.append((self._index, self._index_handle))
        self._index, self._index_handle = None, -1
        _let_go()

    def _note_standing(self, opened: _Place) -> None:
        seen = self._stand()
        if seen[0] != opened:
            raise sqlite3.OperationalError("the file was replaced while it was opened")
        if self._standing is None:
            self._standing = seen
        elif seen != self._standing:
            self._lost = True
            raise sqlite3.OperationalError("the file was replaced")

    def _stand(self) -> _Standing:
        found = (os.stat(f"{self._path}{end}") for end in ("", "-wal", "-shm"))
        return tuple(_place(file) for file in found)

    def _apply(self, connection: sqlite3.Connection) -> None:
        applied = self._cache.applied
        found = Changes.of(connection.execute(ABOVE_SQL, (applied,)).fetchall(), applied, self._applied_change)
        if applied < 0 or not found.complete:
            # Joining, a file that was set back, or rows that were pruned before this process read them.
            self._cache.drop(found.newest)
        else:
            self._cache.advance(found.newest, found.touched)
        self._applied_change = found.newest_change


_feeds: "WeakSet[SqliteFeed]" = WeakSet()
# What must never be closed in this process.
_kept: list[sqlite3.Connection | mmap] = []
# Indexes that were in use elsewhere in this process when they were given back, each with its handle.
_left: list[tuple[mmap, int]] = []


def _let_go() -> None:
    """Close the indexes that nobody uses any more.

    Closing any handle on a file drops every POSIX lock that this process has on it, so those of a file are closed, all at once, only where
    nobody else here (the store, a host's own engine) has it open. Several threads may do this at once: each index is taken out by one.
    """
    taken: dict[_Place, list[tuple[mmap, int]]] = {}
    while _left:
        with suppress(IndexError):
            index, handle = _left.pop()
            taken.setdefault(_place(os.fstat(handle)), []).append((index, handle))
    handles = _handles() if taken else None
    for place, indexes in taken.items():
        if handles is None or handles[place] > _OWN_HANDLES * len(indexes):
            _left.extend(indexes)
            continue
        for index, handle in indexes:
            index.close()
            os.close(handle)


def _forget() -> None:
    _kept.extend(index for index, _ in _left)
    _left.clear()
    for feed in list(_feeds):
        feed.forget()


os.register_at_fork(after_in_child=_forget)


def _is_open(path: Path) -> bool:
    """Whether this process has a file open, under whatever name. Asked without opening it."""
    try:
        place, handles = _place(os.stat(path)), _handles()
    except FileNotFoundError:
        return False
    return handles is None or handles[place] > 0


def _place(file: os.stat_result) -> _Place:
    return file.st_dev, file.st_ino


def _handles() -> Counter[_Place] | None:
    """How many handles this process has on each file; None where nothing says so: then any may be open, for believing needs a reason."""
    try:
        numbers = [int(entry.name) for entry in Path("/dev/fd").iterdir()]
    except OSError:
        return None
    found: Counter[_Place] = Counter()
    for number in numbers:
        with suppress(OSError):
            found[_place(os.fstat(number))] += 1
    return found
