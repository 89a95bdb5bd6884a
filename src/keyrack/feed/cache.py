"""The credentials this process believes in.

The read path takes no lock: it reads one dict. Evicting, advancing and storing hold the lock, for memory operations only, so that a slow
database never holds up an event loop.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from keyrack.model.principals import Principal


@dataclass(frozen=True, slots=True)
class Start:
    """What a look-up notes when it begins: decides whether its result may be stored (CONSISTENCY §2)."""

    drops: int
    applied: int


class Cache:
    """Principals by the digest of their credential, each evicted by any of the ids it was derived from.

    `applied` is the newest revision whose changes have been evicted; -1 before the first was read. It only moves in `advance`, after the
    evictions that it speaks for.
    """

    def __init__(self, entries_max: int) -> None:
        self.entries: dict[bytes, Principal] = {}
        self.applied = -1
        self._digests: dict[str, set[bytes]] = {}
        self._entries_max = entries_max
        self._drops = 0
        self._lock = threading.Lock()
        self._watchers: dict[bytes, set[Callable[[], None]]] = {}

    def start(self) -> Start:
        """Note the state in which a look-up begins."""
        with self._lock:
            return Start(self._drops, self.applied)

    def store(self, digest: bytes, principal: Principal, revision: int, start: Start) -> bool:
        """Keep what a look-up read at a revision, unless something was evicted since that the look-up may have missed."""
        with self._lock:
            if start.drops != self._drops or self.applied < 0 or revision < self.applied:
                return False
            if len(self.entries) >= self._entries_max:
                self._forget_oldest()
            self._forget(digest)
            self.entries[digest] = principal
            for key in principal.derived_from:
                self._digests.setdefault(key, set()).add(digest)
            return True

    def advance(self, revision: int, touched: Iterable[str]) -> None:
        """Evict what the changes up to a revision touched, then let `applied` say so."""
        with self._lock:
            for key in touched:
                for digest in self._digests.get(key, set()).copy():
                    self._forget(digest)
                    self._mark(digest)
            self.applied = revision

    def drop(self, revision: int) -> None:
        """Forget everything, and every look-up under way, and begin anew at a revision (-1: not yet known)."""
        with self._lock:
            self.entries.clear()
            self._digests.clear()
            for digest in list(self._watchers):
                self._mark(digest)
            self._drops += 1
            self.applied = revision

    def watch(self, digest: bytes, ended: Callable[[], None]) -> None:
        """Have `ended` called when this credential's entry is evicted: before any change that evicts it is acknowledged."""
        with self._lock:
            self._watchers.setdefault(digest, set()).add(ended)

    def unwatch(self, digest: bytes, ended: Callable[[], None]) -> None:
        """Take a watch back."""
        with self._lock:
            watchers = self._watchers.get(digest)
            if watchers is not None:
                watchers.discard(ended)
                if not watchers:
                    del self._watchers[digest]

    def after_fork(self) -> None:
        """Begin anew in a forked child; the lock may have been held by a thread that does not exist here."""
        self._lock = threading.Lock()
        self._watchers.clear()
        self.drop(-1)

    def _mark(self, digest: bytes) -> None:
        for ended in self._watchers.get(digest, ()):
            ended()

    def _forget(self, digest: bytes) -> None:
        principal = self.entries.pop(digest, None)
        if principal is None:
            return
        for key in principal.derived_from:
            digests = self._digests[key]
            digests.discard(digest)
            if not digests:
                del self._digests[key]

    def _forget_oldest(self) -> None:
        # A tenth at a time, oldest stored first: a dict keeps its order, and a hot credential is back after one look-up.
        for digest in list(self.entries)[: max(1, self._entries_max // 10)]:
            self._forget(digest)
