"""`python -m bench.request_logs`: a large request log: what moving a line into it costs, and how long the searches of people take.

The lines of some hours lie evenly over many workspaces, one of which has a third of all, and pass through spool and mover as in production.
Making them is not measured. Time is given as CPU of this process per line, and as lines per second of wall time, the database's included.
"""

import argparse
import asyncio
import gc
import random
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

from bench.figures import Machine
from bench.request_log_crowd import OPERATIONS, RARE, SEED, Crowd
from bench.request_log_rows import fill
from keyrack.model.call_counts import Subject
from keyrack.model.principals import Mode
from keyrack.model.request_logs import Filter, encode
from keyrack.store import call_counts, request_logs
from keyrack.store.database import Store
from keyrack.store.ids import new_id
from keyrack.store.migrations import migrate
from keyrack.store.postgresql import DIALECT
from keyrack.store.spool import Spool
from keyrack.work.mover import GC_THRESHOLD, LINES_AT_ONCE_MAX
from keyrack.work.request_logs import Mover, settle
from tests import postgresql

SERVER_OPTIONS = postgresql.OPTIONS | {"shared_buffers": "512MB", "max_wal_size": "8GB"}
SEGMENT_BYTES = 8 * 1024 * 1024
SETTLE_LINES = 100_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Ingest:
    """How many lines per second, the CPU of this process per line in µs, and of that what sorting the counts took."""

    per_second: float
    cpu_us: float
    settle_us: float


async def ingest(store: Store, folder: Path, crowd: Crowd, count: int, since: int, until: int) -> Ingest:
    """Log the calls of a time, and move them."""
    spool = Spool(folder, SEGMENT_BYTES)
    mover = Mover(store, spool, LINES_AT_ONCE_MAX)
    moving = settling = wall = 0.0
    for number, line in enumerate(crowd.lines(count, since, until), 1):
        spool.reserve()
        spool.append(encode(line))
        if number % LINES_AT_ONCE_MAX == 0 or number == count:
            begun, started = _cpu(), time.perf_counter()
            await mover.move()
            moving += _cpu() - begun
            if number // SETTLE_LINES != (number - LINES_AT_ONCE_MAX) // SETTLE_LINES or number == count:
                begun = _cpu()
                await settle(store, line.created_at)
                settling += _cpu() - begun
            wall += time.perf_counter() - started
    spool.close()
    return Ingest(count / wall, (moving + settling) / count * 1e6, settling / count * 1e6)


def searches(crowd: Crowd, pick: random.Random, since: int, now: int) -> dict[str, tuple[str, Filter]]:
    """What people look for, each time something else, in the largest workspace; and one in a small one."""
    largest, small = crowd.workspace_ids[0], pick.choice(crowd.workspace_ids[1:])
    key_id, _, integration_id = pick.choice(crowd.keys[largest])
    one = pick.choice(crowd.objects[largest])
    hour = pick.randrange(since, max(now - HOUR_MS, since + 1))
    return {
        "last 24 h, newest first": (largest, Filter()),
        "the same in a small workspace": (small, Filter()),
        "an hour further back": (largest, Filter(since=hour, until=hour + HOUR_MS)),
        "method": (largest, Filter(method="PATCH")),
        "status 4xx": (largest, Filter(status=(400, 499))),
        "status 500": (largest, Filter(status=(500, 500))),
        "one key": (largest, Filter(credential_id=key_id)),
        "one key, 403, test": (largest, Filter(credential_id=key_id, status=(403, 403), mode=Mode.TEST)),
        "one integration, an hour": (largest, Filter(integration_id=integration_id, since=hour, until=hour + HOUR_MS)),
        "route": (largest, Filter(route=pick.choice(OPERATIONS)[1])),
        "route that is rare": (largest, Filter(route=RARE)),
        "path by segments": (largest, Filter(path="/customers")),
        "path by one object": (largest, Filter(path=f"/{one}")),
        "path that nobody called": (largest, Filter(path=f"/{new_id()}")),
        "substring": (largest, Filter(path="ontac")),
        "substring that is nowhere": (largest, Filter(path="no such text")),
        "a key that was never used": (small, Filter(credential_id=new_id(), until=now)),
    }


async def measure(store: Store, crowd: Crowd, rounds: int, since: int, now: int) -> dict[str, list[float]]:
    """Search again and again; return the milliseconds of each."""
    pick = random.Random(SEED)
    took: dict[str, list[float]] = {}

    async def take(name: str, ask: Callable[[], Awaitable[object]]) -> None:
        started = time.perf_counter()
        await ask()
        took.setdefault(name, []).append((time.perf_counter() - started) * 1e3)

    async def search(workspace_id: str, wanted: Filter, limit: int) -> None:
        async with store.reading_traffic() as c:
            await request_logs.search(c, workspace_id, wanted, now=now, limit=limit)

    async def count(subject: Subject, minutes: int) -> None:
        async with store.reading_traffic() as c:
            last = now // MINUTE_MS
            await call_counts.by_minute(c, crowd.workspace_ids[0], subject, None, last - minutes, last)

    for _ in range(rounds):
        for name, (workspace_id, wanted) in searches(crowd, pick, since, now).items():
            await take(name, lambda workspace_id=workspace_id, wanted=wanted: search(workspace_id, wanted, 25))  # type: ignore[misc]
        key_id = pick.choice(crowd.keys[crowd.workspace_ids[0]])[0]
        await take("chart of 24 h, all calls", lambda: count(Subject(), 24 * 60))
        await take("chart of 24 h, one key", lambda key_id=key_id: count(Subject("credential", key_id), 24 * 60))  # type: ignore[misc]
        await take("calls of a key in the last hour", lambda key_id=key_id: count(Subject("credential", key_id), 60))  # type: ignore[misc]
    return took


async def run(console: Console, url: str, traffic_url: str | None, folder: Path, asked: argparse.Namespace) -> None:
    """Fill one store, measure it, and print."""
    await migrate(url, traffic_url)
    store, crowd = Store(url, traffic_url), Crowd.of(asked.workspaces)
    now = time.time_ns() // 1_000_000
    since = now - int(asked.hours * HOUR_MS)
    if asked.straight and store.dialect == DIALECT:
        seconds = await fill(store, crowd, asked.rows, since, now)
        console.print(f"{store.dialect}: {asked.rows:,} lines written by the server itself, {asked.rows / seconds:,.0f} a second")
    else:
        filled = await ingest(store, folder / "spool", crowd, asked.rows, since, now)
        console.print(
            f"{store.dialect}: {asked.rows:,} lines moved, {filled.per_second:,.0f} a second; {filled.cpu_us:.1f} µs of CPU each, "
            f"of which {filled.settle_us:.1f} for sorting counts"
        )
    took = await measure(store, crowd, asked.rounds, since, now)
    await store.close()
    table = Table(title=f"{store.dialect}: milliseconds", title_justify="left")
    for column in ("search", "median", "p95", "slowest"):
        table.add_column(column, justify="left" if column == "search" else "right")
    for name, figures in took.items():
        p95 = quantiles(figures, n=20)[-1] if len(figures) > 1 else figures[0]
        table.add_row(name, f"{median(figures):.1f}", f"{p95:.1f}", f"{max(figures):.1f}")
    console.print(table)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.request_logs", description="Measure a large request log.")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--hours", type=float, default=24.0, help="the time in which they were called")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--workspaces", type=int, default=50)
    parser.add_argument("--straight", action="store_true", help="have PostgreSQL make the lines itself: no spool, no mover, no counts")
    parser.add_argument("--stores", type=lambda text: text.split(","), default=["sqlite", "postgresql"])
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()), help="a folder on the disk to be measured")
    asked = parser.parse_args()
    console = Console(width=100)
    here = Machine.here()
    console.print(f"{here.processor}, {here.cores} cores · Python {here.python} · load {here.load_before:.1f}")
    gc.set_threshold(GC_THRESHOLD)
    with tempfile.TemporaryDirectory(prefix="keyrack-bench-", dir=asked.scratch) as name:
        folder = Path(name)
        if "sqlite" in asked.stores:
            urls = [f"sqlite+aiosqlite:///{folder}/{file}.db" for file in ("keyrack", "traffic")]
            asyncio.run(run(console, urls[0], urls[1], folder, asked))
        if "postgresql" in asked.stores:
            with postgresql.serve(asked.scratch, SERVER_OPTIONS) as server, server.database() as url:
                asyncio.run(run(console, url, None, folder, asked))
    console.print(f"load {Machine.here().load_before:.1f} after")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
