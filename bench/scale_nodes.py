"""How long a revoke takes beside so many nodes: light ones that speak the real protocol, each with cache, lease, thread and session.

What they cost together on this machine is measured, not what so many machines would do.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

import msgspec
import structlog

from bench.hosts import rack_at
from keyrack.feed.cache import Cache
from keyrack.feed.leases import Terms
from keyrack.feed.postgresql import PostgresqlFeed
from keyrack.manage import keys
from keyrack.server import Keyrack
from keyrack.store.database import Store

NODES_PER_PROCESS = 10
END_SECONDS_MAX = 60
PAUSE_SECONDS = 0.02
CACHE_ENTRIES_MAX = 1000
WAIT_SECONDS = 1.0


class Latency(msgspec.Struct):
    """The ms that a revoke took, beside so many other nodes."""

    nodes: int
    p50: float
    p95: float
    worst: float
    revokes: int


async def measure(folder: Path, database_url: str | None, node_counts: list[int], revokes: int) -> list[Latency]:
    """Revoke keys one after the other, beside each number of nodes in turn; on SQLite, where nobody waits for others, beside none."""
    rack = rack_at(folder, database_url)
    await rack.assembly.start()
    found = []
    try:
        for count in node_counts if database_url is not None else [0]:
            with ExitStack() as stack:
                for first in range(0, count, NODES_PER_PROCESS):
                    stack.enter_context(_nodes(database_url or "", min(NODES_PER_PROCESS, count - first)))
                found.append(await _revoke(rack, count, revokes))
    finally:
        await rack.assembly.stop()
    return found


async def _revoke(rack: Keyrack, nodes: int, revokes: int) -> Latency:
    desk = rack.assembly.desk
    workspace = await rack.workspaces.find("model")
    assert workspace is not None
    owner = await rack.workspaces.operator(workspace.id)
    made = [await keys.create(desk, owner, name=f"key {number}") for number in range(revokes)]
    times = []
    for key in made:
        began = time.perf_counter()
        await keys.revoke(desk, owner, key.key.id)
        times.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)
    return Latency(nodes, median(times), quantiles(times, n=20)[-1], max(times), len(times))


@contextmanager
def _nodes(database_url: str, count: int) -> Iterator[None]:
    """Run nodes in a process of their own, all under leases, for the length of a block."""
    command = [sys.executable, "-m", "bench.scale_nodes", database_url, str(count)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError("the nodes did not start")
        yield
    finally:
        process.stdin.close()
        process.wait(END_SECONDS_MAX)
        process.stdout.close()


async def _live(database_url: str, count: int) -> None:
    """Be so many nodes, until standard input ends."""
    stores = [Store(database_url) for _ in range(count)]
    feeds = [PostgresqlFeed(database_url, store, Cache(CACHE_ENTRIES_MAX), Terms(), WAIT_SECONDS) for store in stores]
    await asyncio.gather(*(feed.start() for feed in feeds))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await asyncio.gather(*(feed.stop() for feed in feeds))
    for store in stores:
        await store.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(_live(sys.argv[1], int(sys.argv[2])))
