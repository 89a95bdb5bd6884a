"""`python -m bench.console`: how long the server takes for each page of the console, where a workspace has many keys and a large log.

Pages are asked for in process, one after another, in turns; what a browser does with them is not measured. Every page that the console has
is asked for, some also with what people search for. `--quick` only shows that it works.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from fastapi import FastAPI
from rich.console import Console
from rich.table import Table

from bench import stock
from bench.figures import Machine
from bench.hosts import rack_on
from keyrack import Keyrack
from keyrack.cli.servers import settling
from keyrack.console import SECTIONS
from keyrack.console.pages import Pages
from keyrack.manage import keys, sessions, spaces
from keyrack.model.members import Role
from tests.browser.log_lines import lines, write
from tests.hosts import living

TARGET_MS = 100
DAYS = 30
DAY_MS = 86_400_000
WRITTEN_AT_ONCE = 5_000
# The lines of a day are thinned out at night.
MADE_PER_LINE = 1.6
SEARCHES = (
    "/keys?state=ended",
    "/keys?search=key+4",
    "/integrations?search=integration+4",
    "/logs?range=1h",
    "/logs?range=7d",
    "/logs?range=30d",
    "/logs?path=/customers",
    "/logs?path=ontac",
    "/logs?path=nowhere&range=30d",
    "/logs?method=DELETE&range=30d",
    "/logs?status=500&range=30d",
    "/logs?key={key_id}&range=30d",
)


@dataclass(frozen=True)
class Taken:
    """What a page took: median and 95th percentile, of wall time and of this process's CPU time, in ms. It is `kilobytes` long."""

    median: float
    p95: float
    cpu: float
    cpu_p95: float
    kilobytes: float


async def prepare(rack: Keyrack, line_count: int) -> tuple[str, dict[str, str]]:
    """Fill the log of the workspace that has the keys; return a session's secret, and what stands in the addresses of pages."""
    desk = rack.assembly.desk
    workspace = await rack.workspaces.find("workspace-0")
    assert workspace is not None
    owner = await rack.workspaces.operator(workspace.id)
    workspace_id = owner.workspace.id
    used = await keys.page(desk, owner, limit=100)
    now = desk.now()
    made = list(lines(workspace_id, used, int(line_count * MADE_PER_LINE), now - DAYS * DAY_MS, now))[-line_count:]
    for start in range(0, len(made), WRITTEN_AT_ONCE):
        await write(desk.store, made[start : start + WRITTEN_AT_ONCE])
    member = await rack.members.add(workspace_id, email="ada@acme.example", name="Ada Park", role=Role.OWNER)
    link = await sessions.sign_in_link(desk, member.person_id, workspace_id, 60)
    _, secret = await sessions.redeem(desk, link.text)
    space = await spaces.create(desk, owner, "Launch")
    values = {
        "key_id": used[0].key.id,
        "integration_id": used[0].integration.id,
        "space_id": space.id,
        "member_id": member.id,
        "request_id": made[-1].request_id,
    }
    return secret.text, values


def addresses(rack: Keyrack, values: Mapping[str, str]) -> list[str]:
    """The pages that the console has, below its path, and what is searched on them."""
    pages = Pages(rack.assembly)
    paths = [route.path for section in SECTIONS for route in section(pages).routes if "GET" in (route.methods or ())]
    known = [path.removeprefix("/console") for path in paths]
    return [path.format(**values) for path in (*known, *SEARCHES) if set(_names(path)) <= values.keys()]


async def ask(app: Any, address: str, cookie: str) -> tuple[int, int]:
    """Ask for a page; return its status and length."""
    path, _, query = f"/console{address}".partition("?")
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"bench.test"), (b"cookie", cookie.encode())],
        "client": ("192.0.2.7", 5000),
        "server": ("bench.test", 80),
        "state": {},
    }
    await app(scope, receive, send)
    return messages[0]["status"], sum(len(message.get("body", b"")) for message in messages)


async def measure(app: Any, found: list[str], cookie: str, rounds: int) -> dict[str, Taken]:
    """Ask for all pages in turns; those that show nothing to who is signed in are left out."""
    shown = {address: length for address in found for status, length in [await ask(app, address, cookie)] if status == 200}
    wall: dict[str, list[float]] = {address: [] for address in shown}
    cpu: dict[str, list[float]] = {address: [] for address in shown}
    for _ in range(rounds):
        for address in shown:
            worked, started = time.process_time(), time.perf_counter()
            await ask(app, address, cookie)
            wall[address].append((time.perf_counter() - started) * 1e3)
            cpu[address].append((time.process_time() - worked) * 1e3)
    return {address: _taken(wall[address], cpu[address], length) for address, length in shown.items()}


async def run(folder: Path, key_count: int, line_count: int, rounds: int, only: str) -> dict[str, Taken]:
    """Fill a folder, and measure every page on it whose address begins with `only`."""
    await stock.fill(folder, key_count, per_workspace=key_count)
    rack = rack_on(folder)
    app = FastAPI()
    rack.install(app)
    async with living(settling(app)):
        secret, values = await prepare(rack, line_count)
        found = [address for address in addresses(rack, values) if address.startswith(only)]
        return await measure(app, found, f"{rack.brand.key_prefix}_session={secret}", rounds)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.console", description="Measure the server's time for each page of the console.")
    parser.add_argument("--keys", type=int, default=5_000)
    parser.add_argument("--rows", type=int, default=100_000, help="lines of the request log, over 30 days")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", default="", help="measure pages whose address below /console begins with this: /logs")
    parser.add_argument("--quick", action="store_true", help="the same in a few seconds, for figures that mean nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    asked = parser.parse_args()
    if asked.quick:
        asked.keys, asked.rows, asked.rounds = 30, 300, 2
    here = Machine.here()
    with tempfile.TemporaryDirectory(prefix="keyrack-bench-") as name:
        taken = asyncio.run(run(Path(name) / "data", asked.keys, asked.rows, asked.rounds, asked.only))
    if asked.json:
        print(msgspec.json.encode(taken).decode())
        return
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(
        f"{here.processor}, {here.cores} cores · Python {here.python} · load {here.load_before:.1f}, {Machine.here().load_before:.1f}"
    )
    console.print(
        f"{asked.keys:,} keys and {asked.rows:,} lines in one workspace; {asked.rounds} rounds; target: p95 of at most {TARGET_MS} ms"
    )
    table = Table()
    for column in ("page", "median ms", "p95 ms", "CPU ms", "CPU p95 ms", "kB"):
        table.add_column(column, justify="left" if column == "page" else "right", no_wrap=True)
    for address, one in sorted(taken.items(), key=lambda item: -item[1].p95):
        mark = "" if one.p95 <= TARGET_MS else " missed"
        table.add_row(
            _short(address), f"{one.median:.1f}", f"{one.p95:.1f}{mark}", f"{one.cpu:.1f}", f"{one.cpu_p95:.1f}", f"{one.kilobytes:.0f}"
        )
    console.print(table)


def _taken(wall: list[float], cpu: list[float], length: int) -> Taken:
    return Taken(median(wall), _p95(wall), median(cpu), _p95(cpu), length / 1000)


def _p95(samples: list[float]) -> float:
    return sorted(samples)[-(-len(samples) * 95 // 100) - 1]


def _names(path: str) -> Iterator[str]:
    """The parameters in a route's path."""
    return (part.partition("}")[0] for part in path.split("{")[1:])


def _short(address: str) -> str:
    """An address in which ids do not take all the room."""
    parts = address.replace("?", "/?").replace("=", "/=").split("/")
    shown = "/".join(part if len(part) < 22 else "…" for part in parts)
    return shown.replace("/?", "?").replace("/=", "=") or "/"


if __name__ == "__main__":
    main()
