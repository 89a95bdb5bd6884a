"""`python -m tests.deliveries`: servers are killed in the middle of 10,000 events. Prints counts, and fails on a broken promise."""

import argparse
import sys
import tempfile
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from tests import postgresql
from tests.deliveries.kills import History, Plan, play


def main() -> None:
    """Play on each database, and print what happened."""
    parser = argparse.ArgumentParser(prog="python -m tests.deliveries")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--deletions", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stores", default="sqlite,postgresql")
    given = parser.parse_args()
    plan = Plan(given.events, given.kills, given.deletions, seed=given.seed)
    kept = True
    for store in given.stores.split(","):
        history = _play(plan, store)
        table = Table(store, "", show_header=True)
        for name, value in history.lines():
            table.add_row(name, value)
        Console().print(table)
        kept = kept and not (history.missing or history.late or history.unsigned)
    sys.exit(0 if kept else 1)


def _play(plan: Plan, store: str) -> History:
    with tempfile.TemporaryDirectory() as folder:
        if store == "sqlite":
            return uvloop.run(play(plan, Path(folder)))
        with postgresql.serve() as server, server.database() as url:
            return uvloop.run(play(plan, Path(folder), url))


if __name__ == "__main__":
    main()
