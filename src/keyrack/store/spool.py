"""The spool: where a record is safe from the death of its process, before the answer that it tells of is complete (CONSISTENCY §8).

A segment is a preallocated, memory-mapped file that one process fills. After a header come frames: 4 bytes length, 4 bytes CRC-32, the
record; zeros follow the last one. The record is copied first and its length and checksum last, so a process that is killed in between
leaves zeros where a length should be, or a checksum that does not fit: everything before is whole, and what a reader accepts was
completely written. The kernel writes the pages out whoever dies; a power cut may take the last ones.

A process holds its segments with `flock`, and the system drops that lock when the process ends: whoever can lock a segment finds its
owner dead. Nothing is written after the system had no room for it: `posix_fallocate` says so when a segment is made, not a SIGBUS later.
"""

import fcntl
import mmap
import os
import secrets
import time
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from struct import Struct
from zlib import crc32

import structlog

from keyrack.model.request_logs import RECORD_BYTES_MAX

log = structlog.get_logger("keyrack.spool")

MAGIC = b"KEYRACK-SPOOL-1\n"
START = len(MAGIC)
SUFFIX = ".spool"
UNFINISHED_SUFFIX = ".new"
ORPHANS_MAX = 16
UNFINISHED_SECONDS_MIN = 60
TOUCHED_BYTES = 256 * 1024
# Linux's MADV_POPULATE_WRITE, which the mmap module does not name yet.
POPULATE_WRITE = 23

_FRAME = Struct("<II")
_write_frame = _FRAME.pack_into
_read_frame = _FRAME.unpack_from
PLACE_BYTES = _FRAME.size + RECORD_BYTES_MAX


class SpoolFull(Exception):
    """There is no room for another record. The cause says what the system answered."""


class Segment:
    """A file of records that this process holds.

    `end` is where its last record ends as far as this process has seen; `moved` how far the store has them, None where it must be asked.
    `is_final` says that nobody writes to it any more.
    """

    def __init__(self, path: Path, handle: int, end: int, *, is_final: bool = False) -> None:
        self.path = path
        self.name = path.name
        self.end = end
        self.is_final = is_final
        self.moved: int | None = None
        self.handle = handle
        self.content = mmap.mmap(handle, 0)

    @property
    def made_at(self) -> int:
        """When the segment was made, in ms since the epoch."""
        return int(self.name[:16], 16) // 1_000_000

    def read(self, offset: int, records_max: int) -> tuple[list[bytes], int]:
        """Return at most `records_max` records from an offset on, and the offset after the last of them."""
        found = []
        for record, after in read(self.content, offset):
            found.append(record)
            offset = after
            if len(found) == records_max:
                break
        return found, offset

    def damaged_bytes(self, offset: int) -> int:
        """Return how many bytes of records lie behind a place where no record can be read; 0 for the torn tail that a kill leaves."""
        rest = len(self.content[offset:].rstrip(b"\0"))
        begun = offset + _FRAME.size <= len(self.content) and _read_frame(self.content, offset)[0] != 0
        return rest if begun or rest > PLACE_BYTES else 0

    def remove(self) -> None:
        """Remove the file. First the name, then the lock, so that nobody takes it for a dead process's."""
        self.path.unlink(missing_ok=True)
        self.forget()

    def forget(self) -> None:
        """Let go of the file and leave it where it is."""
        self.content.close()
        os.close(self.handle)


class Spool:
    """One process's segments in a folder that several processes share.

    `reserve`, `append` and `release` belong to one thread; `prepare` may run in another. A forked child forgets its parent's segments and
    makes its own.
    """

    def __init__(self, folder: Path, segment_bytes: int) -> None:
        if segment_bytes < START + PLACE_BYTES:
            raise ValueError(f"a segment of {segment_bytes} bytes holds no record: give at least {START + PLACE_BYTES}")
        self.folder = folder
        self.segment_bytes = segment_bytes
        self._current: Segment | None = None
        self._full: list[Segment] = []
        self._ready: deque[Segment] = deque()
        self._taken: list[Segment] = []
        self._others: dict[Path, Segment] = {}
        self._content: mmap.mmap
        self._at = self._end = START
        self._reserved = 0
        self._refused = False
        _spools.add(self)

    @property
    def has_room(self) -> bool:
        """Whether the system gave room when it was last asked: False from the first segment that could not be made to the next that was."""
        return not self._refused

    def reserve(self) -> None:
        """Keep a place for the record of a call that begins, so that its answer can be logged. Raises SpoolFull.

        Each call reserves once, then either appends once or releases.
        """
        self._reserved += 1
        if self._at + self._reserved * PLACE_BYTES > self._end:
            self._find_places()

    def release(self) -> None:
        """Give back the place of a call that is not recorded."""
        self._reserved -= 1

    def append(self, record: bytes) -> None:
        """Write a record of 1 to RECORD_BYTES_MAX bytes into a reserved place. When this returns, it outlives the process."""
        length = len(record)
        at = self._at
        start = at + 8
        end = start + length
        if end > self._end or not 0 < length <= RECORD_BYTES_MAX:
            self._turn(length)
            at = self._at
            start = at + 8
            end = start + length
        self._content[start:end] = record
        _write_frame(self._content, at, length, crc32(record))
        self._at = end
        self._reserved -= 1

    @property
    def wants_segment(self) -> bool:
        """Whether `prepare` would make a segment."""
        return self._refused or not self._ready

    def prepare(self) -> None:
        """Make the next segment ahead of time, its pages touched, so that no call pays for it. Raises SpoolFull."""
        if self.wants_segment:
            segment = self._make()
            _touch(segment.content)
            self._ready.append(segment)

    def own(self) -> list[Segment]:
        """Return the segments that this process has written to, oldest first; only the last is still written to."""
        if self._current is None:
            return list(self._full)
        self._current.end = self._at
        return [*self._full, self._current]

    def finish(self, segment: Segment) -> None:
        """Remove a final segment of `own` or `orphans`, whose records have all been moved."""
        (self._full if segment in self._full else self._taken).remove(segment)
        segment.remove()

    def orphans(self) -> list[Segment]:
        """Take over segments whose owners are dead, at most ORPHANS_MAX, oldest first. Each is `finish`ed or given back."""
        self._clear_unfinished()
        while len(self._taken) < ORPHANS_MAX and (segment := self._take_next()) is not None:
            self._taken.append(segment)
        return list(self._taken)

    def give_back(self) -> None:
        """Let go of the orphans that were not finished."""
        while self._taken:
            self._taken.pop().forget()

    def let_go(self) -> None:
        """Let go of segments that are full: another process moves them, as it does a dead one's."""
        while self._full:
            self._full.pop().forget()

    def others(self) -> list[Segment]:
        """Return all segments that are there, the same ones each time, opened and not locked: to read what living processes write."""
        paths = self._paths()
        for path in self._others.keys() - set(paths):
            self._others.pop(path).forget()
        for path in paths:
            if path not in self._others and (segment := _open(path)) is not None:
                self._others[path] = segment
        return list(self._others.values())

    def find(self, head: bytes) -> bytes | None:
        """Return the record on this machine that begins with these bytes, whoever wrote it, or None. Reads all segments that are left."""
        for path in reversed(self._paths()):
            with suppress(FileNotFoundError), path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
                at = held.find(head, START)
                while at != -1:
                    for record, _ in read(held, at - _FRAME.size):
                        return record
                    at = held.find(head, at + 1)
        return None

    def bytes_on_disk(self) -> int:
        """Return how large the segments of all processes are."""
        total = 0
        for path in self._paths():
            with suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    def close(self) -> None:
        """Let go of all segments. What has not been moved waits for the next process; empty segments are removed."""
        for segment in self.own():
            if segment.end == START:
                segment.remove()
            else:
                segment.forget()
        while self._ready:
            self._ready.popleft().remove()
        for segment in self._others.values():
            segment.forget()
        self._forget()

    def _find_places(self) -> None:
        """Make segments until every reserved place is there, or take the last reservation back."""
        in_each = (self.segment_bytes - START) // PLACE_BYTES
        places = max(self._end - self._at, 0) // PLACE_BYTES + len(self._ready) * in_each
        try:
            while places < self._reserved:
                if self._refused:
                    raise SpoolFull("the disk is full")
                self._ready.append(self._make())
                places += in_each
        except SpoolFull:
            self._reserved -= 1
            raise

    def _turn(self, length: int) -> None:
        """Go on in the next segment. A reserved place is always there; it is made here only for a record that had none."""
        if not 0 < length <= RECORD_BYTES_MAX:
            raise ValueError(f"a record has 1 to {RECORD_BYTES_MAX} bytes, not {length}")
        following = self._ready.popleft() if self._ready else self._make()
        if self._current is not None:
            self._current.end = self._at
            self._current.is_final = True
            self._full.append(self._current)
        self._current = following
        self._content = following.content
        self._at, self._end = START, len(following.content)

    def _make(self) -> Segment:
        try:
            segment = _make(self.folder, self.segment_bytes)
        except OSError as error:
            if not self._refused:
                log.warning(
                    "spool_full", error=str(error), advice="free space on the disk of the data folder; calls are refused until then"
                )
            self._refused = True
            raise SpoolFull(str(error)) from error
        if self._refused:
            log.info("spool_has_room")
        self._refused = False
        return segment

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{SUFFIX}"))

    def _take_next(self) -> Segment | None:
        """Lock the next segment that nobody holds. Those of an unknown format are left alone."""
        held = {segment.path for segment in [*self._own_files(), *self._taken]}
        for path in self._paths():
            if path in held or (handle := _lock(path)) is None:
                continue
            if os.pread(handle, START, 0) == MAGIC:
                return Segment(path, handle, os.fstat(handle).st_size, is_final=True)
            os.close(handle)
        return None

    def _clear_unfinished(self) -> None:
        """Remove what a process left that died while it made a segment."""
        for path in self.folder.glob(f"*{UNFINISHED_SUFFIX}"):
            if (handle := _lock(path)) is not None:
                # A young one may belong to a process that has not come to lock it.
                if time.time() - os.fstat(handle).st_mtime > UNFINISHED_SECONDS_MIN:
                    path.unlink()
                os.close(handle)

    def _own_files(self) -> list[Segment]:
        return [*self._full, *self._ready, *([self._current] if self._current else [])]

    def _forget(self) -> None:
        self._current = None
        self._full, self._taken, self._ready, self._others = [], [], deque(), {}
        self._at = self._end = START
        self._reserved = 0
        self._refused = False

    def forget_parents(self) -> None:
        """In a forked child: close what the parent holds, and begin anew.

        The lock belongs to the open file that both share: closed here, and not unlocked, it stays the parent's.
        """
        for segment in [*self._own_files(), *self._taken, *self._others.values()]:
            segment.forget()
        self._forget()


def read(held: mmap.mmap, offset: int) -> Iterator[tuple[bytes, int]]:
    """Yield each whole record from an offset on, with the offset after it; stop at the first place that holds none."""
    size = len(held)
    while offset + _FRAME.size <= size:
        length, checksum = _read_frame(held, offset)
        start = offset + _FRAME.size
        offset = start + length
        if not 0 < length <= RECORD_BYTES_MAX or offset > size:
            return
        record = held[start:offset]
        if crc32(record) != checksum:
            return
        yield record, offset


def _make(folder: Path, size: int) -> Segment:
    """Make a segment. It gets its name when it is locked and whole, so that nobody takes it for a dead process's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{time.time_ns():016x}-{secrets.token_hex(6)}{SUFFIX}"
    unfinished = path.with_suffix(UNFINISHED_SUFFIX)
    handle = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.posix_fallocate(handle, 0, size)
        os.pwrite(handle, MAGIC, 0)
        unfinished.rename(path)
        return Segment(path, handle, START)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        os.close(handle)
        raise


def _lock(path: Path) -> int | None:
    """Open and lock a file, or return None: its owner lives, or it is gone."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None


def _open(path: Path) -> Segment | None:
    """Open a segment without its lock, or return None: it is gone, or of an unknown format."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if os.pread(handle, START, 0) == MAGIC:
        return Segment(path, handle, os.fstat(handle).st_size)
    os.close(handle)
    return None


def _touch(held: mmap.mmap) -> None:
    """Have the system map every page now. Piece by piece, because the interpreter stands still for each."""
    with suppress(OSError):
        for start in range(0, len(held), TOUCHED_BYTES):
            held.madvise(POPULATE_WRITE, start, min(TOUCHED_BYTES, len(held) - start))


_spools: "weakref.WeakSet[Spool]" = weakref.WeakSet()


def _forget_in_child() -> None:
    for spool in list(_spools):
        spool.forget_parents()


os.register_at_fork(after_in_child=_forget_in_child)
