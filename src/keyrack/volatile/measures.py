"""What the processes of one machine have measured, in a folder that they share: each writes a file, and any of them can read all.

A file is one process's, held with `flock`, which the system drops when the process ends: whoever can lock it finds its owner dead, and
takes its counts over, so that no count ever falls. Who has taken a file over names it before the file is removed: a reader that sees
both leaves it out, and one that misses a file begins anew.
"""

import fcntl
import os
import secrets
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from struct import Struct
from zlib import crc32

import msgspec

from keyrack.model.measures import Standing, Tally

SUFFIX = ".measures"
FILE_BYTES_MAX = 256 * 1024
READ_TRIES = 5
TAKEN_NAMES_MAX = 1024
_FRAME = Struct("<II")


class _Written(msgspec.Struct):
    tally: Tally
    standing: Standing | None
    taken: list[str]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Written).decode


class Measures:
    """One process's file, and its view of all of them. A forked child makes its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path: Path | None = None
        self._handle = -1
        self._taken: list[str] = []
        self._lock = threading.Lock()
        _opened.add(self)

    def write(self, tally: Tally, standing: Standing | None) -> None:
        """Have others see this, and take over what dead processes counted. Raises OSError."""
        with self._lock:
            if self._path is None:
                self._make()
            dead = self._take_over(tally)
            self._taken = [*self._taken, *(path.name for path, _ in dead)][-TAKEN_NAMES_MAX:]
            content = _encode(_Written(tally, standing, self._taken))
            os.pwrite(self._handle, _FRAME.pack(len(content), crc32(content)) + content, 0)
            for path, handle in dead:
                path.unlink(missing_ok=True)
                os.close(handle)

    def read(self) -> tuple[Tally, list[Standing]]:
        """Return what all have counted, dead ones included, and how the living ones stand."""
        for _ in range(READ_TRIES):
            with suppress(FileNotFoundError):
                return self._sum()
        return Tally(), []

    def close(self) -> None:
        """Leave the counts to the next process that writes."""
        if self._path is not None:
            os.close(self._handle)
        self._path = None
        self._taken = []

    def forget(self) -> None:
        """Begin anew in a forked child; the lock may have been held by a thread that does not exist here."""
        self._lock = threading.Lock()
        self.close()

    def _make(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{time.time_ns():016x}-{secrets.token_hex(6)}{SUFFIX}"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # Somebody took it for a dead process's in this moment, and removes it: the next write makes another.
            os.close(handle)
            raise
        self._path, self._handle = path, handle

    def _take_over(self, tally: Tally) -> list[tuple[Path, int]]:
        files = self._files()
        # One that died between naming a file and removing it has counted it all the same.
        counted = {name for written, _ in files.values() for name in written.taken}
        found = []
        for name, (written, _) in files.items():
            path = self.folder / name
            if path == self._path or (handle := _lock(path)) is None:
                continue
            if name not in counted:
                tally.add((_read(handle) or written).tally)
            found.append((path, handle))
        return found

    def _sum(self) -> tuple[Tally, list[Standing]]:
        files = self._files()
        taken = {name for written, _ in files.values() for name in written.taken}
        tally, standings = Tally(), []
        for name, (written, lives) in files.items():
            if name in taken:
                continue
            tally.add(written.tally)
            if lives and written.standing is not None:
                standings.append(written.standing)
        return tally, standings

    def _files(self) -> dict[str, tuple[_Written, bool]]:
        """Return what stands in each file, and whether its owner lives. Raises FileNotFoundError where one was removed meanwhile."""
        found = {}
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                found[path.name] = _read(handle) or _Written(Tally(), None, []), _lives(handle)
            finally:
                os.close(handle)
        return found


def _read(handle: int) -> _Written | None:
    """Read a file whole; None where its owner died before it had written, or while it wrote."""
    for _ in range(READ_TRIES):
        content = os.pread(handle, FILE_BYTES_MAX, 0)
        if len(content) < _FRAME.size:
            return None
        length, checksum = _FRAME.unpack_from(content)
        payload = content[_FRAME.size : _FRAME.size + length]
        if crc32(payload) == checksum:
            with suppress(msgspec.MsgspecError):
                return _decode(payload)
            return None
        # Its owner is just writing.
        time.sleep(0.001)
    return None


def _lives(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _lock(path: Path) -> int | None:
    """Open and lock a dead process's file, or return None: its owner lives, or it is gone."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Somebody else may have taken it over, and removed it, in the meantime.
        if path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
    os.close(handle)
    return None


_opened: "weakref.WeakSet[Measures]" = weakref.WeakSet()


def _let_go_in_child() -> None:
    # The lock belongs to the open file that parent and child share: closed here, it stays the parent's.
    for measures in list(_opened):
        measures.forget()


os.register_at_fork(after_in_child=_let_go_in_child)
