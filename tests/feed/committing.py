"""Another process that changes something, again and again, and tells its revision on stdout when the change has returned.

`python -m tests.feed.committing FILE TIMES`: it waits for a line on stdin before each change.
"""

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from keyrack.store import changes
from keyrack.store.database import Store
from keyrack.store.ids import new_id
from tests.feed.processes import url


async def main(path: Path, times: int) -> None:
    """Change, and now and then let SQLite begin its log anew."""
    store = Store(url(path))
    for number in range(times):
        sys.stdin.readline()
        async with store.changing() as c:
            revision = await changes.bump(c, ["key"], new_id())
        sys.stdout.write(f"{revision}\n")
        sys.stdout.flush()
        if number % 50 == 49:
            with closing(sqlite3.connect(path)) as connection:
                connection.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if number % 100 == 99 else 'RESTART'})").fetchall()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
