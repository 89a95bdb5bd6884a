"""Access changes to the store beside the calls: so many a second, each of a key that is not called. A process of its own.

A change leaves what a real one does to a server: a commit that the next question notices, and a revision that it has to read.
"""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

COMMITS_PER_SECOND = 200
RAISE = "UPDATE keyrack_revisions SET revision = revision + 1 RETURNING revision"
TOUCH = "INSERT INTO keyrack_changes (revision, touched_id, change_id) VALUES (?, ?, ?)"


@contextmanager
def committing(folder: Path, core: int) -> Iterator[None]:
    """Commit to the store in a folder until the block is left."""
    command = [sys.executable, "-m", "bench.commits", str(folder / "keyrack.db"), str(core)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.terminate()


def main() -> None:
    """Commit for ever, at an even pace."""
    os.sched_setaffinity(0, {int(sys.argv[2])})
    connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=5)
    connection.execute("PRAGMA synchronous = FULL")
    ids = cycle([row[0] for row in connection.execute("SELECT id FROM keyrack_keys ORDER BY id DESC LIMIT 100")])
    due = time.monotonic()
    for number, key_id in enumerate(ids):
        connection.execute("BEGIN IMMEDIATE")
        revision = connection.execute(RAISE).fetchall()[0][0]
        connection.execute(TOUCH, (revision, key_id, f"bench{number}"))
        connection.execute("COMMIT")
        if number == 0:
            print("committing", flush=True)
        due += 1 / COMMITS_PER_SECOND
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
