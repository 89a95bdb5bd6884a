"""A process that forks, and tells on stdout what became of it and of its children: `python -m tests.feed.forking FILE`."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from keyrack.feed.cache import Cache
from keyrack.feed.sqlite import SqliteFeed
from keyrack.manage import keys
from keyrack.manage.operators import operator
from keyrack.manage.workspaces import Workspaces
from keyrack.store.migrations import migrate
from tests.feed.processes import Parts, Process, url
from tests.feed.story import START

ENDED = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(ends_at) FROM keyrack_keys').fetchone()[0])"


def main() -> None:
    """Fork before anything is open, and after; once with a child that leaves at once, once with one that ends as programs do."""
    path = Path(sys.argv[1])
    asyncio.run(migrate(url(path)))
    told: dict[str, Any] = {"early_child": _early_child(path)}
    process = Process("parent", path, asyncio.new_event_loop)
    process.begin(Parts())
    process.now = START
    owner, issued = process.run(_made(process))
    secret = issued.secret.text
    told["believed_before"] = process.run(process.decide(secret)) == process.decide_in_thread(secret)
    before = _locks(path)
    told["locks"] = len(before)

    def look() -> dict[str, Any]:
        return {
            "current": process.feed.current(),
            "entries": len(process.cache.entries),
            "believed": process.decide_in_thread(secret) is not None,
        }

    for name, leave in (("child", os._exit), ("ending_child", sys.exit)):
        told[name] = _in_child(look, leave)
        told[name]["parents_locks_kept"] = _locks(path) == before
        told[name]["parent_still_believes"] = process.decide_in_thread(secret) is not None
    told["replaced"] = process.feed.replaced()
    process.run(_revoked(process, owner, issued.key.id))
    told["ended_to_others"] = int(subprocess.run([sys.executable, "-c", ENDED, path], capture_output=True, check=True).stdout)
    process.end()
    process.stop()
    sys.stdout.write(json.dumps(told))


def _early_child(path: Path) -> dict[str, Any]:
    """A child that was forked before this process had the file open is a process like any other."""
    feed = SqliteFeed(path, Cache(9))

    def look() -> dict[str, Any]:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT 1 FROM keyrack_revisions").fetchall()
            return {"current": feed.current()}

    return _in_child(look, os._exit)


def _in_child(look: Callable[[], dict[str, Any]], leave: Callable[[int], Any]) -> dict[str, Any]:
    """What a forked child sees, which then leaves."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, json.dumps(look()).encode())
        os.close(writing)
        leave(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        told: dict[str, Any] = json.loads(answer.read())
    told["status"] = os.waitpid(child, 0)[1]
    return told


def _locks(path: Path) -> set[tuple[str, ...]]:
    """The POSIX locks that this process holds on the file and its log's index, as the kernel lists them."""
    numbers = {str(os.stat(f"{path}{end}").st_ino) for end in ("", "-shm")}
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return {tuple(line[1:]) for line in lines if line[4] == str(os.getpid()) and line[5].split(":")[-1] in numbers}


async def _made(process: Process) -> tuple[Any, keys.Issued]:
    workspace = await Workspaces(process.desk).create("Acme", slug="acme")
    owner = await operator(process.desk, workspace.id)
    return owner, await keys.create(process.desk, owner, name="local-dev")


async def _revoked(process: Process, owner: Any, key_id: str) -> None:
    await keys.revoke(process.desk, owner, key_id)


if __name__ == "__main__":
    main()
