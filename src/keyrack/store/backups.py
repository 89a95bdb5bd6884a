"""Backups of an installation on SQLite: both files as they are at one moment each, while servers run.

A plain copy of a file would lack what is in its write-ahead log, or catch it half written.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from keyrack.store.sqlite import StoreUnusable

UNFINISHED_SUFFIX = ".unfinished"
BUSY_SECONDS_MAX = 30


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: everything up to this revision, and up to the event with this position."""

    files: Sequence[Path]
    revision: int
    event_position: int


def back_up(files: Sequence[Path], folder: Path) -> Backup:
    """Write a backup of an installation's files, the main one first, into a folder, and check it.

    Raises StoreUnusable where the folder holds one of them already, or what was written cannot be read.
    """
    for file in files:
        if not file.is_file():
            raise StoreUnusable(f"There is no Keyrack data in {file.parent} ({file.name} is missing): name its folder with --data.")
        if (folder / file.name).exists():
            raise StoreUnusable(f"{folder} holds a {file.name} already: name another folder. Nothing was written.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = [_save(file, folder / file.name) for file in files]
        _sync(folder)
    except (sqlite3.Error, OSError) as error:
        raise StoreUnusable(f"The backup into {folder} failed ({error}): it is not complete.") from error
    revision, event_position = _state(written[0])
    return Backup(written, revision, event_position)


def _save(source: Path, target: Path) -> Path:
    unfinished = target.with_name(target.name + UNFINISHED_SUFFIX)
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS_MAX)) as read,
        closing(sqlite3.connect(unfinished)) as written,
    ):
        # All pages in one step, and so in one snapshot, which holds up nobody.
        read.backup(written)
        # Whoever opens it turns the write-ahead log on again; without it the backup is one file.
        written.execute("PRAGMA journal_mode=DELETE").fetchall()
        (answer,) = written.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(f"{source.name}: {answer}")
    _sync(unfinished)
    unfinished.rename(target)
    return target


def _state(main: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(f"{main.absolute().as_uri()}?mode=ro", uri=True)) as read:
        ((revision,),) = read.execute("SELECT revision FROM keyrack_revisions").fetchall()
        ((position,),) = read.execute("SELECT position FROM keyrack_event_positions").fetchall()
    return revision, position


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
