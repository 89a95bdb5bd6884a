"""`python -m tests.chaos`: play at length, then with each planted bug, and print what was seen.

Ends with 1 where something was wrong, where too little was seen, or where a planted bug was not found.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from time import monotonic
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from tests.chaos import planted
from tests.chaos.history import History
from tests.chaos.play import Plan, play
from tests.chaos.report import Strength, lines

REPORT_WIDTH = 140
LONG = Strength(changes=20_000, waited=500, races=1_000, judged=500)
SECONDS = 1620.0
INTERRUPTED = 130
VIOLATIONS_SHOWN = 20


def main() -> None:
    """Play, then look for the planted bugs, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Do things to a cluster that works, and judge each answer.")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="when to stop; sooner, when enough was seen")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", default=[], metavar="FAULT", help="a fault that may happen; all by default")
    parser.add_argument("--planted", action="append", choices=list(planted.BUGS), help="look for this planted bug alone")
    asked = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("KEYRACK_")]:
        del os.environ[name]
    console = Console(width=None if sys.stdout.isatty() else REPORT_WIDTH, highlight=False)
    is_well = True
    if not asked.planted:
        history = _play(Plan(asked.seconds, LONG, seed=asked.seed, faults=tuple(asked.only)), console)
        is_well = _report(history, console)
    for bug in asked.planted or planted.BUGS:
        is_found = bool(_play(planted.plan(bug), console).stale)
        console.print(f"planted bug “{bug}”: {'found' if is_found else 'NOT FOUND'}")
        is_well = is_well and is_found
    sys.exit(not is_well)


def _play(plan: Plan, console: Console) -> History:
    began, shown = monotonic(), 0

    def tell(history: History, what: str) -> None:
        nonlocal shown
        new, shown = history.violations[shown:VIOLATIONS_SHOWN], len(history.violations)
        for violation in new:
            console.print(f"- {violation}")
        told = f"{monotonic() - began:6.0f} s  after {what}: {len(history.seconds):,} changes, {history.calls:,} calls"
        console.print(f"{told}, {len(history.violations)} violations")

    with tempfile.TemporaryDirectory(prefix="keyrack-chaos-") as folder:
        return uvloop.run(_interruptible(play(plan, Path(folder), tell)))


def _report(history: History, console: Console) -> bool:
    table = Table(show_header=False, box=None)
    for name, value in lines(history):
        table.add_row(name, value)
    console.print(table)
    console.print(f"load average: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    missing = list(LONG.missing(history))
    for one in missing:
        console.print(f"- {one}")
    return not (missing or history.violations)


async def _interruptible(playing: Coroutine[Any, Any, History]) -> History:
    """Take down what was built up also where the signal comes that ends a program."""
    task = asyncio.create_task(playing)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
