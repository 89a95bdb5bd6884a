"""The mapped file of counters: a header, then tables of slots, of which the header says the one that counts.

A table of C slots lies in the bytes from 32·C to 64·C, so tables of 4096, 8192, … slots follow one another without overlap. A slot is
four 64-bit words: the bucket's key (two of them), its state (`keyrack.model.limits`: one integer), and one left empty, so that none
straddles two pages. A key is found in one group of 32 neighbouring slots and nowhere else: a look-up ends there, and a slot is given
away without a trace once its budget is full again.

A process may be killed between any two instructions, and the kernel then drops its lock. What it leaves gives no bucket more than its
limit, and blocks none for longer than an empty budget takes to fill:

- A state is stored as one aligned 64-bit word, by one machine instruction.
- A slot changes hands in the order: state 0, then the two words of the key, then the new state. In between it is a full budget, of a key
  that nobody has, or of the new one, of which nothing was used.
- The file doubles by copying the table behind itself, into both halves of the next one; then one store into the header makes that one
  count. Killed before, nothing has changed, and whoever needs room next copies again. A key belongs into one of the halves; its copy in
  the other is never found there, and counts as free.
- A file that is made, or made anew because it is damaged or not ours, gets its number of slots last: until then it is not valid.

It is never truncated, because other processes have it mapped, and its blocks are allocated before they are mapped: on a full disk a store
into a hole would end the process.
"""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from errno import ENOSPC
from mmap import mmap
from pathlib import Path
from struct import Struct

from keyrack.model.limits import Bucket, is_full, outlives_boot

SLOTS_MIN = 1 << 16
# 128 MiB of slots in a file of 256 MiB: at the usual load well over a million budgets that are not full.
SLOTS_MAX = 1 << 22
# The word of the header that says how many slots count.
SLOTS_WORD = 1

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Magic, number of slots, boot id, salt. The magic stands for this layout: with another one the file is made anew.
_HEADER = Struct("<8sq16s16s")
_BOOT_AT = slice(16, 32)
_MAGIC = b"keyrack1"
_SIZES = frozenset(1 << bits for bits in range(SLOTS_MIN.bit_length() - 1, SLOTS_MAX.bit_length()))
_SLOT_WORDS = 4
_GROUP_WORDS = 32 * _SLOT_WORDS


class Table:
    """The file at `path`, open and mapped. But for opening, whoever calls holds the lock on `fd`.

    `words` are the file's 64-bit words and `slots` how many slots count, as they are mapped here: where the header's `SLOTS_WORD` says
    otherwise, `attach` first. `check_at` is when the caller next asks `is_current`. A *place* is the number of a slot's first word; its
    state is at `place + 2`. Raises OSError.
    """

    __slots__ = ("_first", "_mapped", "_mask", "_path", "check_at", "fd", "salt", "slots", "words")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mapped = mmap(-1, 8)
        self._mask = self._first = self.slots = 0
        self.words = memoryview(self._mapped).cast("q")
        self.salt = bytes(16)
        self.check_at = 0
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def is_current(self) -> bool:
        """Say whether the path still leads to this file, which somebody may have deleted or replaced."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self.fd))
        except OSError:
            return False

    def attach(self) -> None:
        """Map the file as it is now. What is not ours is made anew; what was counted on another boot's clock is forgotten."""
        header = os.pread(self.fd, _HEADER.size, 0).ljust(_HEADER.size, b"\0")
        magic, slots, boot_id, salt = _HEADER.unpack(header)
        if magic != _MAGIC or slots not in _SIZES or os.fstat(self.fd).st_size < 64 * slots:
            self._make()
            return
        self._map_slots(slots)
        self.salt = salt
        if boot_id != _this_boot():
            self._forget_boot()

    def find(self, bucket: Bucket) -> int:
        """Return the place of a bucket, or 0 where it has none because nothing of it is used."""
        words, low = self.words, bucket.low
        home = low & self._mask | self._first
        if words[home] == low and words[home + 1] == bucket.high:
            return home
        group = home & -_GROUP_WORDS
        lows = words[group : group + _GROUP_WORDS : _SLOT_WORDS].tolist()
        if low in lows:
            for place in range(group, group + _GROUP_WORDS, _SLOT_WORDS):
                if words[place] == low and words[place + 1] == bucket.high:
                    return place
        return 0

    def claim(self, buckets: Sequence[Bucket], now_ns: int, wall_ns: int) -> list[int]:
        """Return the places of all buckets, having given a slot to each that had none. The file doubles where a group is full.

        `now_ns` is since boot, `wall_ns` since the epoch. Raises OSError where the file cannot grow; then no state has changed.
        """
        while True:
            places = [self.find(bucket) for bucket in buckets]
            for number, bucket in enumerate(buckets):
                if not places[number]:
                    places[number] = self._give(bucket, places, now_ns, wall_ns)
            if 0 not in places:
                return places
            self._double()

    def close(self) -> None:
        """Let go of the file, its mapping and its lock."""
        # A thread that stayed behind in a fork may hold a piece of the mapping; then it stays too.
        with suppress(BufferError):
            self._unmap()
        os.close(self.fd)
        self.fd = -1

    def _give(self, bucket: Bucket, taken: Sequence[int], now_ns: int, wall_ns: int) -> int:
        """Give a bucket a slot of its group that is free and not one of those taken for this call; 0 where there is none."""
        words, mask = self.words, self._mask
        home = bucket.low & mask | self._first
        group = home & -_GROUP_WORDS
        for step in range(0, _GROUP_WORDS, _SLOT_WORDS):
            place = group | home + step & _GROUP_WORDS - 1
            is_copy = (words[place] ^ home) & mask >= _GROUP_WORDS
            if place not in taken and (is_copy or is_full(words[place + 2], now_ns, wall_ns)):
                words[place + 2] = 0
                words[place] = bucket.low
                words[place + 1] = bucket.high
                return place
        return 0

    def _double(self) -> None:
        slots = self.slots
        if slots >= SLOTS_MAX:
            raise OSError(ENOSPC, "the counters have reached their greatest size")
        os.posix_fallocate(self.fd, 64 * slots, 64 * slots)
        self._map_slots(2 * slots)
        words = self.words
        words[8 * slots : 12 * slots] = words[12 * slots : 16 * slots] = words[4 * slots : 8 * slots]
        words[SLOTS_WORD] = 2 * slots

    def _make(self) -> None:
        """Write an empty table over whatever the file holds."""
        os.posix_fallocate(self.fd, 0, 64 * SLOTS_MIN)
        self._map_slots(SLOTS_MIN)
        self.words[SLOTS_WORD] = 0
        self.words[4 * SLOTS_MIN :] = memoryview(bytes(32 * SLOTS_MIN)).cast("q")
        self.salt = secrets.token_bytes(16)
        self._mapped[: _HEADER.size] = _HEADER.pack(_MAGIC, 0, _this_boot(), self.salt)
        self.words[SLOTS_WORD] = SLOTS_MIN

    def _forget_boot(self) -> None:
        """Empty the states of another boot's clock, then call the table this boot's."""
        words = self.words
        for place in range(4 * self.slots, 8 * self.slots, _SLOT_WORDS):
            if not outlives_boot(words[place + 2]):
                words[place + 2] = 0
        self._mapped[_BOOT_AT] = _this_boot()

    def _map_slots(self, slots: int) -> None:
        mapped = mmap(self.fd, 64 * slots)
        self._unmap()
        self._mapped = mapped
        self.words = memoryview(mapped).cast("q")
        self.slots = slots
        # The bits of a key's low word that are its place in the table, and the table's own place.
        self._mask = _SLOT_WORDS * (slots - 1)
        self._first = _SLOT_WORDS * slots

    def _unmap(self) -> None:
        self.words.release()
        self._mapped.close()


def _this_boot() -> bytes:
    """Return the 16 bytes that name this start of the machine; zeros where the kernel does not say.

    Without it a GCRA state of an earlier boot is only a time too far ahead, which blocks no longer than an empty budget takes to fill.
    """
    try:
        return bytes.fromhex(_BOOT_ID.read_text().strip().replace("-", ""))[:16].ljust(16, b"\0")
    except (OSError, ValueError):
        return bytes(16)
