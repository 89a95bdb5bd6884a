"""`python -m bench`: measure everything, and print it. `--json` prints one object instead, `--quick` only shows that it works."""

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import uvloop
from rich.console import Console

from bench import in_process, memory, over_http, report, steps, stock
from bench.figures import Machine


@dataclass(frozen=True)
class Size:
    """How much of everything. The keys that are called in turn are the first of those stored."""

    keys_stored: int
    keys_called: int
    rounds: int
    batch: int
    http: over_http.Plan


REPORT_WIDTH = 100
FULL = Size(100_000, 10_000, rounds=100, batch=1000, http=over_http.Plan(rounds=7, seconds=2.0, stride_seconds=1.5, keys=10_000))
QUICK = Size(300, 100, rounds=2, batch=50, http=over_http.Plan(rounds=1, seconds=0.1, stride_seconds=0.05, keys=100))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the gate beside what it is compared with.")
    parser.add_argument("--quick", action="store_true", help="the same in a few seconds, for figures that mean nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    asked = parser.parse_args()
    size = QUICK if asked.quick else FULL
    console = Console(stderr=asked.json, width=None if sys.stdout.isatty() else REPORT_WIDTH)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("The server and what drives it each need a core: this process may use only one.")
    server_core, own_core = cores[:2]
    here = Machine.here()
    with tempfile.TemporaryDirectory(prefix="keyrack-bench-") as name, console.status("filling a store") as status:
        scratch = Path(name)
        stocked = uvloop.run(stock.fill(scratch / "stock", size.keys_stored))
        os.sched_setaffinity(0, {server_core})
        status.update("measuring the gate in process")
        called = uvloop.run(in_process.measure(stocked.copy(scratch / "in-process"), own_core, size.keys_called, size.rounds, size.batch))
        broken_down = uvloop.run(steps.measure(stocked.copy(scratch / "steps"), size.keys_called, size.rounds, size.batch))
        status.update("measuring memory")
        resident = memory.measure(stocked.copy(scratch / "memory"), size.keys_called)
        status.update("measuring over HTTP")
        os.sched_setaffinity(0, {own_core})
        http = over_http.measure(stocked, scratch, server_core, own_core, size.http)
    here = replace(here, load_after=os.getloadavg()[0])
    if asked.json:
        parts = {"machine": here, "in_process": called, "steps": broken_down, "over_http": http, "memory": resident}
        print(msgspec.json.encode(parts).decode())
        return
    report.machine(console, here)
    report.in_process(console, called, broken_down)
    report.memory(console, resident)
    report.over_http(console, http)


if __name__ == "__main__":
    main()
