"""Counters: what is left of every limit, exact over all processes of one machine, in one shared file (`keyrack.volatile.table`).

**The lock.** A take holds the file's `flock`, which the kernel takes from a process that dies. It is never waited for without bound,
because its holder may be stopped (SIGSTOP, a debugger, a frozen container): then calls are refused (503), since a limit that cannot be
counted is not "no limit". Threads exclude each other the same way, each with a descriptor of its own. `flock` is called through ctypes,
because `fcntl.flock` gives up the GIL, and whoever waits for the GIL behind busy threads would wait with the lock in hand.

**A kill at any moment** leaves what the table's module argues. A take from several buckets that is killed between two stores has charged
some of them for a call that was never answered: stricter by one call, never more generous.

**Time.** GCRA states are on CLOCK_BOOTTIME: all processes of a machine share it, it goes on while the machine sleeps, and nobody sets it,
so a step of the wall clock neither opens nor blocks a limit. With each boot it starts anew, and what was counted on it is forgotten. Days
and months are on the wall clock and outlive a boot. Both are read under the lock, so that time never runs backwards from one take to the
next, whichever processes make them.
"""

import os
import time
from collections.abc import Callable
from ctypes import PyDLL
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN
from functools import partial
from pathlib import Path
from weakref import WeakSet

from keyrack.model.limits import Bucket, Taken, take
from keyrack.model.refusals import STORE_UNAVAILABLE, Refused
from keyrack.volatile.table import SLOTS_WORD, Table

# The ns since this machine started, its sleep included: the same in all its processes, and set by nobody.
BOOT_NS: Callable[[], int] = partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)
# A take holds the lock for a few microseconds. Who holds it for longer than this is stopped, not busy.
WAIT_SECONDS = 0.05
# Once somebody has waited in vain the next hardly wait, until one gets the lock: else each call would hold up the event loop that long.
STUCK_WAIT_SECONDS = 0.001
OPEN_WAIT_SECONDS = 5.0
OPEN_TRIES = 3
# How soon a file that was deleted or replaced under a running process is noticed.
FILE_CHECK_NS = 1_000_000_000

_new = tuple.__new__
_flock = PyDLL(None).flock
_TRY = LOCK_EX | LOCK_NB


class Counters:
    """What is left of every limit, in the file at `path`, exact over all processes of this machine that open it. For any thread.

    `boot_ns` and `wall_ns` are the clocks, in ns: since boot for limits whose window is below a day, since the epoch for days and months.
    Raises OSError where the file cannot be opened or made, Refused `store_unavailable` where it stays locked.
    """

    def __init__(self, path: Path, *, boot_ns: Callable[[], int] = BOOT_NS, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._path = path.absolute()
        self._boot_ns = boot_ns
        self._wall_ns = wall_ns
        self._is_stuck = False
        # Every table has a descriptor and so a lock of its own. A thread takes an idle one for itself, or opens another.
        self._tables: list[Table] = []
        self._idle: list[Table] = []
        self._leave(self._open(OPEN_WAIT_SECONDS))
        _OPENED.add(self)

    @property
    def salt(self) -> bytes:
        """16 random bytes of this file, for keys that are made of what strangers choose: nobody can crowd those into one group."""
        return self._salt

    def take(self, buckets: tuple[Bucket, ...], cost: int) -> Taken:
        """Take `cost` from every bucket, or from none; a cost of 0 only looks. No two of the buckets have the same key.

        Raises Refused `store_unavailable` where the file is not to be had in time or cannot grow, ValueError for a negative cost or one
        that a limit could never meet. Neither consumes anything.
        """
        if cost < 0:
            raise ValueError(f"a call costs 0 or more, not {cost}")
        table = self._enter()
        try:
            now_ns = self._boot_ns()
            if now_ns >= table.check_at:
                table = self._checked(table, now_ns)
            if len(buckets) != 1:
                return self._take_all(table, buckets, cost, now_ns)
            # Most callers have one limit: what `_take_all` does, without its lists.
            bucket = buckets[0]
            limit = bucket.limit
            place = table.find(bucket)
            words = table.words
            before = words[place + 2] if place else 0
            after, budget = limit.take(before, cost, self._wall_ns() if limit.is_calendar else now_ns)
            wait = budget[3]
            if wait or not cost:
                if after < before:
                    words[place + 2] = after
            elif place:
                words[place + 2] = after
            else:
                place = self._claim(table, buckets, now_ns)[0]
                table.words[place + 2] = after
            return _new(Taken, ((budget,), wait))
        finally:
            _flock(table.fd, LOCK_UN)
            self._idle.append(table)

    def close(self) -> None:
        """Let go of the file, when nobody takes any more. A later take opens it again."""
        self._idle.clear()
        while self._tables:
            self._tables.pop().close()

    def _take_all(self, table: Table, buckets: tuple[Bucket, ...], cost: int, now_ns: int) -> Taken:
        places = []
        before = []
        for bucket in buckets:
            place = table.find(bucket)
            places.append(place)
            before.append(table.words[place + 2] if place else 0)
        taken, after = take(buckets, before, cost, now_ns, self._wall_ns)
        is_taken = cost and not taken.retry_after_seconds
        if is_taken and 0 in places:
            places = self._claim(table, buckets, now_ns)
        for place, old, state in zip(places, before, after, strict=True):
            # Where nothing is taken nothing is stored, but that a state too high to be true comes down, or it would never end.
            if is_taken or state < old:
                table.words[place + 2] = state
        return taken

    def _claim(self, table: Table, buckets: tuple[Bucket, ...], now_ns: int) -> list[int]:
        try:
            return table.claim(buckets, now_ns, self._wall_ns())
        except OSError as error:
            raise _unavailable() from error

    def _enter(self) -> Table:
        """Return a table for this thread alone, locked and mapped as large as the file is now."""
        try:
            table = self._idle.pop()
        except IndexError:
            return self._open_in_time()
        try:
            if _flock(table.fd, _TRY):
                self._wait(table, STUCK_WAIT_SECONDS if self._is_stuck else WAIT_SECONDS)
            if table.words[SLOTS_WORD] != table.slots:
                self._attach(table)
        except BaseException:
            self._leave(table)
            raise
        return table

    def _leave(self, table: Table) -> None:
        # To unlock does no harm where nothing was locked.
        _flock(table.fd, LOCK_UN)
        self._idle.append(table)

    def _wait(self, table: Table, seconds: float) -> None:
        """Try for the lock again and again, for so long at most."""
        deadline = time.monotonic() + seconds
        pause = 0.00001
        while _flock(table.fd, _TRY):
            if time.monotonic() > deadline:
                self._is_stuck = True
                raise _unavailable()
            time.sleep(pause)
            pause = min(2 * pause, 0.001)
        self._is_stuck = False

    def _checked(self, table: Table, now_ns: int) -> Table:
        """Return this table while its file is the one at our path, else one of that file."""
        table.check_at = now_ns + FILE_CHECK_NS
        if table.is_current():
            return table
        current = self._open_in_time()
        self._drop(table)
        return current

    def _open_in_time(self) -> Table:
        try:
            return self._open(WAIT_SECONDS)
        except OSError as error:
            raise _unavailable() from error

    def _open(self, seconds: float) -> Table:
        """Open the file, or make it; return its table locked."""
        for _ in range(OPEN_TRIES):
            table = Table(self._path)
            self._tables.append(table)
            try:
                self._wait(table, seconds)
                # Whoever waited may have got the lock of a file that was replaced meanwhile.
                if table.is_current():
                    self._attach(table)
                    return table
            except BaseException:
                self._drop(table)
                raise
            self._drop(table)
        raise _unavailable()

    def _attach(self, table: Table) -> None:
        table.attach()
        self._salt = table.salt

    def _drop(self, table: Table) -> None:
        self._tables.remove(table)
        table.close()


def _unavailable() -> Refused:
    return STORE_UNAVAILABLE("The limits cannot be counted at this moment.", headers={"Retry-After": "1"})


def _let_go_all() -> None:
    for counters in list(_OPENED):
        counters.close()


# A forked child has the parent's descriptors, and with them its locks, which would then outlive the parent: it closes them at once.
_OPENED: WeakSet[Counters] = WeakSet()
os.register_at_fork(after_in_child=_let_go_all)
