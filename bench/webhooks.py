"""`python -m bench.webhooks`: how many deliveries a process makes in a second, how long after its commit an event arrives, and what an
event costs whoever records it.

The receiver is a process of its own on this machine that answers at once. Deliveries per second are measured on a backlog; the lag on
events that come one by one, while nothing waits.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from bench.figures import Figure, Machine
from keyrack import Brand, Category, EventType, Keyrack, Settings
from keyrack.manage import endpoints
from keyrack.model.events import Actor, Event
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.store import bells, events
from keyrack.store.ids import new_id
from tests import postgresql

CREATED = EventType("customer.created", category="customers")
COMMITTED_AT_ONCE = 500
SECONDS_MAX = 300
RECORDED_IN_A_ROUND = 200


@dataclass(frozen=True)
class Measured:
    """What one store did."""

    store: str
    endpoints: int
    per_second: float
    cpu_us: float
    lags_ms: list[float]
    recorded_us: Figure
    rung_us: Figure


class Receiving:
    """The receiver's process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{port}"
        self._port = port

    async def times(self) -> dict[str, float]:
        """Return when each delivery came, by `<path> <event id>`, and forget them."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"GET /times HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        answer = await reader.read()
        writer.close()
        found: dict[str, float] = json.loads(answer.partition(b"\r\n\r\n")[2])
        return found


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiving]:
    """Run the receiver."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.webhook_receiver", stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield Receiving(process, int(await process.stdout.readline()))
    finally:
        process.kill()
        await process.wait()


@dataclass
class Rig:
    """A rack that delivers, with its workspace."""

    rack: Keyrack
    owner: Principal

    def event(self) -> Event:
        """Return an event of a customer's."""
        customer_id = new_id()
        data = {"object": "customer", "id": customer_id, "name": "Aurora Labs", "status": "active", "domain": "aurora.example"}
        actor = Actor(Kind.KEY, "key", "local-dev")
        return Event(new_id(), self.owner.workspace.id, CREATED.name, "customer", customer_id, actor, Mode.LIVE, self.now(), data)

    def now(self) -> int:
        """Return the time in ms."""
        return time.time_ns() // 1_000_000

    async def happen(self, *happened: Event) -> None:
        """Commit events together."""
        async with self.rack.assembly.store.changing() as c:
            for event in happened:
                await events.add(c, event)
        bells.ring()


@asynccontextmanager
async def rig(folder: Path, url: str | None) -> AsyncIterator[Rig]:
    """Run a rack on a store."""
    settings = Settings(data=folder, database_url=url, outgoing_networks=["127.0.0.0/8"])
    rack = Keyrack(settings, brand=Brand("Acme", "acme"), categories=[Category("customers", "Customers")], events=[CREATED])
    await rack.assembly.start()
    try:
        workspace = await rack.workspaces.create("VML")
        yield Rig(rack, await rack.workspaces.operator(workspace.id))
    finally:
        await rack.assembly.stop()


async def deliveries(made: Rig, receiver: Receiving, count: int, endpoint_count: int) -> tuple[float, float]:
    """Deliver a backlog; return deliveries per second, and the CPU of this process for each in µs."""
    for number in range(endpoint_count):
        await endpoints.create(made.rack.assembly.desk, made.owner, url=f"{receiver.url}/{number}", events=[CREATED.name], parallel=20)
    happened = [made.event() for _ in range(count // endpoint_count)]
    for begin in range(0, len(happened), COMMITTED_AT_ONCE):
        await made.happen(*happened[begin : begin + COMMITTED_AT_ONCE])
    began, cpu, seen = time.monotonic(), time.process_time(), 0
    times: list[float] = []
    while seen < len(happened) * endpoint_count:
        await asyncio.sleep(0.25)
        came = await receiver.times()
        seen += len(came)
        times += came.values()
        if time.monotonic() - began > SECONDS_MAX:
            raise RuntimeError(f"{seen} of {count} deliveries were made")
    return len(times) / (max(times) - min(times)), (time.process_time() - cpu) / len(times) * 1e6


async def lags(made: Rig, receiver: Receiving, count: int) -> list[float]:
    """Return how many ms after its commit each of so many events arrived, which come one by one."""
    committed: dict[str, float] = {}
    arrived: dict[str, float] = {}
    for _ in range(count):
        event = made.event()
        await made.happen(event)
        committed[event.id] = time.time()
        await asyncio.sleep(0.2)
    for _ in range(100):
        for name, at in (await receiver.times()).items():
            arrived.setdefault(name.split()[1], at)
        if committed.keys() <= arrived.keys():
            break
        await asyncio.sleep(0.1)
    return [(arrived[event_id] - at) * 1000 for event_id, at in committed.items()]


async def recording(made: Rig, rounds: int) -> tuple[Figure, Figure]:
    """Return what adding an event to a transaction costs, and ringing for it, in µs of this process."""
    added, rung = [], []
    for _ in range(rounds):
        happened = [made.event() for _ in range(RECORDED_IN_A_ROUND)]
        async with made.rack.assembly.store.changing() as c:
            began = time.perf_counter_ns()
            for event in happened:
                await events.add(c, event)
            added.append((time.perf_counter_ns() - began) / len(happened) / 1000)
        began = time.perf_counter_ns()
        for _ in happened:
            bells.ring()
        rung.append((time.perf_counter_ns() - began) / len(happened) / 1000)
    return Figure.of(added), Figure.of(rung)


async def measure(store: str, url: str | None, folder: Path, given: argparse.Namespace) -> Measured:
    """Measure one store."""
    async with receiving() as receiver, rig(folder, url) as made:
        recorded, rung = await recording(made, 10)
        per_second, cpu_us = await deliveries(made, receiver, given.deliveries, given.endpoints)
        await asyncio.sleep(1)
        await receiver.times()
        found = await lags(made, receiver, given.lags)
    return Measured(store, given.endpoints, per_second, cpu_us, found, recorded, rung)


def show(console: Console, results: list[Measured]) -> None:
    """Print what was measured."""
    table = Table("store", "endpoints", "deliveries/s", "CPU µs each", "lag p50 ms", "p99 ms", "event µs", "ring µs")
    for one in results:
        p99 = quantiles(one.lags_ms, n=100)[98]
        table.add_row(
            one.store,
            str(one.endpoints),
            f"{one.per_second:,.0f}",
            f"{one.cpu_us:,.0f}",
            f"{median(one.lags_ms):.1f}",
            f"{p99:.1f}",
            one.recorded_us.text(0),
            one.rung_us.text(2),
        )
    console.print(table)


async def run(given: argparse.Namespace) -> list[Measured]:
    """Measure every store that is asked for."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for store in given.stores.split(","):
            data: Any = Path(folder) / store
            data.mkdir()
            if store == "sqlite":
                results.append(await measure(store, None, data, given))
            else:
                with postgresql.serve() as server, server.database() as url:
                    results.append(await measure(store, url, data, given))
    return results


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=__doc__)
    parser.add_argument("--stores", default="sqlite,postgresql")
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--endpoints", type=int, default=10)
    parser.add_argument("--lags", type=int, default=200)
    given = parser.parse_args()
    console, machine = Console(), Machine.here()
    show(console, uvloop.run(run(given)))
    console.print(f"{machine.cores} cores, CPython {machine.python}, load {machine.load_before:.1f} before")


if __name__ == "__main__":
    main()
