"""The credentials and endpoints this process believes in.

The read path takes no lock: it reads one dict. Evicting, advancing and storing hold the lock, for memory operations only, so that a slow
database never holds up an event loop.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from keyrack.model.principals import Principal
from keyrack.model.recipients import Recipient


@dataclass(frozen=True, slots=True)
class Start:
    """What a look-up notes when it begins: decides whether its result may be stored (CONSISTENCY §2)."""

    drops: int
    applied: int


class Cache:
    """Principals by the digest of their credential, and recipients by their endpoint, each evicted by any of the ids it was derived from.

    `applied` is the newest revision whose changes have been evicted; -1 before the first was read. It only moves in `advance` and `drop`,
    after the evictions that it speaks for.
    """

    def __init__(self, entries_max: int) -> None:
        self.entries: dict[bytes, Principal] = {}
        self.recipients: dict[str, Recipient] = {}
        self.applied = -1
        self._names: dict[str, set[bytes | str]] = {}
        self._entries_max = entries_max
        self._drops = 0
        # Taken again by its holder where a garbage collection inside closes a stream, which takes its watch back.
        self._lock = threading.RLock()
        self._watchers: dict[bytes, set[Callable[[], None]]] = {}

    def start(self) -> Start:
        """Note the state in which a look-up begins."""
        with self._lock:
            return Start(self._drops, self.applied)

    def store(self, name: bytes | str, found: Principal | Recipient, revision: int, start: Start) -> bool:
        """Keep what a look-up read at a revision, unless something was evicted since that the look-up may have missed."""
        with self._lock:
            if start.drops != self._drops or self.applied < 0 or revision < self.applied:
                return False
            self._forget(name)
            shelf: dict[Any, Any] = self.recipients if isinstance(name, str) else self.entries
            if len(shelf) >= self._entries_max:
                self._forget_oldest(shelf)
            # The ids first: an entry that an eviction could not find would be believed for ever.
            for key in found.derived_from:
                self._names.setdefault(key, set()).add(name)
            shelf[name] = found
            return True

    def advance(self, revision: int, touched: Collection[str]) -> None:
        """Evict what the changes up to a revision touched, then let `applied` say so."""
        with self._lock:
            for key in touched:
                for name in list(self._names.get(key, ())):
                    self._forget(name)
            if touched:
                self._tell_watchers()
            self.applied = revision

    def drop(self, revision: int) -> None:
        """Forget everything, and every look-up under way, and begin anew at a revision (-1: not yet known)."""
        with self._lock:
            self._drops += 1
            self.entries.clear()
            self.recipients.clear()
            self._names.clear()
            self._tell_watchers()
            self.applied = revision

    def watch(self, digest: bytes, may_have_ended: Callable[[], None]) -> None:
        """Have a function called before any change is acknowledged that may have ended this credential, until it is taken back.

        It is called under the lock, from any thread, and means "look": at once, as a change since the caller was proved would else be
        missed; when the credential's entry is evicted; and, while it has no entry (it was never stored, or others needed the room), at
        every access change, for nothing says which ids it was derived from.
        """
        with self._lock:
            self._watchers.setdefault(digest, set()).add(may_have_ended)
            may_have_ended()

    def unwatch(self, digest: bytes, may_have_ended: Callable[[], None]) -> None:
        """Take a watch back."""
        with self._lock:
            watchers = self._watchers.get(digest)
            if watchers is not None:
                watchers.discard(may_have_ended)
                if not watchers:
                    del self._watchers[digest]

    def after_fork(self) -> None:
        """Begin anew in a forked child; the lock may have been held by a thread that does not exist here."""
        self._lock = threading.RLock()
        self._watchers.clear()
        self.drop(-1)

    def _tell_watchers(self) -> None:
        for digest in [digest for digest in self._watchers if digest not in self.entries]:
            for may_have_ended in list(self._watchers.get(digest, ())):
                # Its event loop is closed: nobody is left to be told, and the others must be.
                with suppress(RuntimeError):
                    may_have_ended()

    def _forget(self, name: bytes | str) -> None:
        found = self.recipients.pop(name, None) if isinstance(name, str) else self.entries.pop(name, None)
        if found is None:
            return
        for key in found.derived_from:
            names = self._names.get(key)
            if names is not None:
                names.discard(name)
                if not names:
                    del self._names[key]

    def _forget_oldest(self, shelf: Mapping[Any, object]) -> None:
        # A tenth at a time, oldest stored first: a dict keeps its order, and a hot credential is back after one look-up.
        for name in list(islice(shelf, max(1, self._entries_max // 10))):
            self._forget(name)
