"""`python -m bench.scale`: how cost grows with the number of keys, of processes and of nodes, on both stores.

Sizes are bounded in time and by the disk: where a store cannot be filled in time, it is measured as full as it got, and the table says so.
A key's first call is read from the store (the system's own page cache is warm: it was just written); every further one is decided from
memory. `--quick` only shows that it works.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

import msgspec
from rich.console import Console
from rich.table import Table

from bench import crowd, scale_nodes
from bench.crowd import Crowd
from bench.figures import Machine
from bench.scale_process import Reading, Task
from tests import postgresql

SIZES, NODES, PROCESSES = [10_000, 1_000_000, 10_000_000], [0, 1, 3, 9, 24, 49], [1, 2, 4]
BYTES_PER_KEY = 2_000
LOOKED_UP = 1_000
REPORT_WIDTH = 120
# As a server of one's own is set: commits wait for the disk.
SERVER_OPTIONS = postgresql.OPTIONS | {"fsync": "on", "full_page_writes": "on", "shared_buffers": "512MB", "max_wal_size": "8GB"}


class Grown(msgspec.Struct):
    """A store with so many keys, and what its processes measured: by how many there were at once."""

    store: str
    wanted: int
    keys: int
    filled_seconds: float
    readings: dict[int, list[Reading]] = msgspec.field(default_factory=dict)


def main() -> None:
    """Measure, and print."""
    asked = _arguments()
    console = Console(stderr=asked.json, width=None if sys.stdout.isatty() else REPORT_WIDTH)
    here = Machine.here()
    grown: list[Grown] = []
    latencies: dict[str, list[scale_nodes.Latency]] = {}
    for store in asked.stores:
        for size in asked.sizes:
            if shutil.disk_usage(asked.scratch).free < size * BYTES_PER_KEY:
                console.print(f"{store}, {size:,} keys: left out, the disk has too little room.")
                continue
            with _stock(store, size, asked) as stock:
                grown.append(_measure(store, size, stock, asked))
                _show(console, grown[-1])
                if size == asked.sizes[0]:
                    latencies[store] = asyncio.run(scale_nodes.measure(stock.folder, stock.database_url, asked.nodes, asked.revokes))
    if asked.json:
        print(msgspec.json.encode({"machine": here, "grown": grown, "revoke": latencies}).decode())
        return
    _report(console, here, grown, latencies)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description="Measure how cost grows.")
    parser.add_argument("--sizes", type=_numbers, default=SIZES, help="how many keys, like 10000,1000000")
    parser.add_argument("--nodes", type=_numbers, default=NODES, help="beside how many other nodes keys are revoked, like 0,3,49")
    parser.add_argument("--processes", type=_numbers, default=PROCESSES, help="how many processes call at once, like 1,2,4")
    parser.add_argument("--stores", type=lambda text: text.split(","), default=["sqlite", "postgresql"])
    parser.add_argument("--fill-seconds", type=float, default=900.0, help="how long filling one store may take")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long warm calls are made")
    parser.add_argument("--revokes", type=int, default=60)
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()), help="where the stores are made")
    parser.add_argument("--quick", action="store_true", help="the same in a few seconds, for figures that mean nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    asked = parser.parse_args()
    if asked.quick:
        asked.sizes, asked.nodes, asked.processes, asked.seconds, asked.revokes = [1_000], [0, 2], [1], 0.1, 3
    return asked


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


@contextmanager
def _stock(store: str, size: int, asked: argparse.Namespace) -> Iterator[Crowd]:
    """Make a store with so many keys, for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="keyrack-scale-", dir=asked.scratch) as name:
        if store == "sqlite":
            yield asyncio.run(crowd.fill(Path(name), None, size, asked.fill_seconds))
            return
        with postgresql.serve(asked.scratch, SERVER_OPTIONS) as server, server.database() as url:
            yield asyncio.run(crowd.fill(Path(name), url, size, asked.fill_seconds))


def _measure(store: str, size: int, stock: Crowd, asked: argparse.Namespace) -> Grown:
    grown = Grown(store, size, stock.count, stock.seconds)
    for count in asked.processes:
        grown.readings[count] = _run(stock, count, asked.seconds)
    return grown


def _run(stock: Crowd, processes: int, seconds: float) -> list[Reading]:
    """Run processes side by side, each with keys of its own."""
    running = []
    for number in range(processes):
        # Evenly spread over the store, and none that another one calls.
        secrets = stock.secrets[number::processes][:: max(len(stock.secrets) // processes // LOOKED_UP, 1)][:LOOKED_UP]
        task = Task(str(stock.folder), stock.database_url, secrets, seconds)
        process = subprocess.Popen([sys.executable, "-m", "bench.scale_process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(task))
        process.stdin.close()
        running.append(process)
    found = []
    for process in running:
        assert process.stdout is not None
        found.append(msgspec.json.decode(process.stdout.read(), type=Reading))
        process.stdout.close()
        process.wait()
    return found


def _show(console: Console, grown: Grown) -> None:
    full = "" if grown.keys == grown.wanted else f" of {grown.wanted:,} that were wanted"
    console.print(f"{grown.store}: {grown.keys:,} keys{full}, filled in {grown.filled_seconds:.0f} s. Load {os.getloadavg()[0]:.1f}")


def _report(console: Console, here: Machine, grown: list[Grown], latencies: dict[str, list[scale_nodes.Latency]]) -> None:
    versions = f"Python {here.python}, {here.cores} cores"
    console.print(f"{versions}, load {here.load_before:.1f} at the beginning, {os.getloadavg()[0]:.1f} at the end\n")
    names = ("store", "keys", "start ms", "first call ms: p50", "p95", "CPU µs", "warm µs", "CPU µs", "MiB at start", "· keys cached")
    table = Table(*names, title="One process, in process: no server around it", title_justify="left")
    for each in grown:
        (one,) = each.readings[1] if 1 in each.readings else [next(iter(each.readings.values()))[0]]
        look_ups, mib = one.look_ups, (one.started_mib, one.cached_mib)
        first_calls = (look_ups[len(look_ups) // 2], look_ups[len(look_ups) * 95 // 100])
        figures = [f"{ms:.2f}" for ms in first_calls] + [f"{us:.1f}" for us in (one.look_up_cpu_us, one.warm_us, one.warm_cpu_us)]
        table.add_row(each.store, f"{each.keys:,}", f"{one.start_ms:.0f}", *figures, *(f"{each_mib:.0f}" for each_mib in mib))
    console.print(table, "")
    table = Table(
        "store", "keys", "processes", "calls/s together", "CPU µs a call", title="Several processes at once", title_justify="left"
    )
    for each in grown:
        for count, readings in each.readings.items():
            together = sum(1e6 / one.warm_us for one in readings)
            table.add_row(each.store, f"{each.keys:,}", f"{count}", f"{together:,.0f}", f"{mean(one.warm_cpu_us for one in readings):.1f}")
    console.print(table, "")
    table = Table("store", "other nodes", "p50 ms", "p95 ms", "worst ms", title="A revoke, until it returns", title_justify="left")
    for store, found in latencies.items():
        for one in found:
            table.add_row(store, f"{one.nodes}", f"{one.p50:.1f}", f"{one.p95:.1f}", f"{one.worst:.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
