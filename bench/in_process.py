"""The gate in process: µs per call, with no server around it.

What stands between a call's head and its handler, and between the handler and the answer: change check, digest, limits, headers and the
spool, all of it real. Two ways to call it. *One by one*: one task makes all calls, so each asks the store's file for itself, because a
task never uses its own answer again. *In turns*: 32 calls are scheduled at once, a task each, as a server does under load, and share one
question; there the price of a task is in both, the app and the gate, and falls out of the difference.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Scope

from bench.commits import committing
from bench.figures import Figure
from bench.hosts import PATH, rack_on, raw, walk_of
from bench.load import HEADERS
from bench.stock import Stock
from keyrack.assemble import Assembly
from keyrack.gate.gate import Gate
from keyrack.gate.walk import Walk
from keyrack.work import request_logs

TURN = 32
TARGET_US = 10.0
Drive = Callable[[ASGIApp, Sequence[Scope]], Awaitable[float]]


@dataclass(frozen=True)
class InProcess:
    """µs per call. `*_gate` is what the gate adds to the app, `*_commits` the same with commits beside; the rest explains them."""

    one_by_one_app: Figure
    one_by_one_gate: Figure
    one_by_one_commits: Figure
    in_turns_app: Figure
    in_turns_gate: Figure
    in_turns_commits: Figure
    first_call: Figure
    log_moving: Figure


@dataclass
class Rig:
    """A gate without a server: its app, its parts, and one request for each key."""

    assembly: Assembly
    app: ASGIApp
    walk: Walk
    scopes: list[Scope]

    def batch(self, number: int, size: int) -> list[Scope]:
        """Return fresh requests of the next keys in turn."""
        count = len(self.scopes)
        return [dict(self.scopes[(number * size + n) % count]) for n in range(size)]


async def receive() -> Message:
    """Give an empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Message) -> None:
    """Take a message, as a server would."""


@asynccontextmanager
async def rig(stock: Stock, key_count: int) -> AsyncIterator[Rig]:
    """Put a gate together for so many keys, all of which it has seen. Its jobs do not run: what they cost is measured by itself."""
    assembly = rack_on(stock.folder).assembly
    walk = walk_of(assembly)

    async def start() -> Walk:
        return walk

    async def stop() -> None:
        return None

    app = Gate(raw, {}, start, stop, assembly.request_ids.new)
    try:
        yield Rig(assembly, app, walk, [scope_of(secret) for secret in stock.secrets[:key_count]])
    finally:
        assembly.spool.close()
        await assembly.store.close()


def scope_of(secret: str) -> Scope:
    """Return a request as uvicorn passes it on."""
    named = [*HEADERS.items(), ("authorization", f"Bearer {secret}")]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 40000),
        "scheme": "http",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in named],
        "state": {},
        "method": "GET",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
    }


async def measure(stock: Stock, core_beside: int, key_count: int, rounds: int, batch: int) -> InProcess:
    """Measure in so many rounds, each of which makes `batch` calls in every way, one way after the other."""
    samples: dict[str, list[float]] = {}
    async with rig(stock, key_count) as made:
        first = [await _one_by_one(made.app, made.batch(n, 1)) for n in range(key_count)]
        for number in range(2 * rounds):
            # A round without commits, then one with them.
            with ExitStack() as beside:
                if number % 2:
                    beside.enter_context(committing(stock.folder, core_beside))
                await _round(made, number, batch, samples, "commits" if number % 2 else "gate")
            await _move(made, samples)
    figures: dict[str, Any] = {name: Figure.of(found) for name, found in samples.items()}
    return InProcess(first_call=Figure.of(first), **figures)


async def _round(made: Rig, number: int, size: int, samples: dict[str, list[float]], kind: str) -> None:
    ways: dict[str, Drive] = {"one_by_one": _one_by_one, "in_turns": _in_turns}
    for name, drive in ways.items():
        app_us = await drive(raw, made.batch(number, size))
        gate_us = await drive(made.app, made.batch(number, size))
        samples.setdefault(f"{name}_app", []).append(app_us)
        samples.setdefault(f"{name}_{kind}", []).append(gate_us - app_us)


async def _one_by_one(app: ASGIApp, scopes: Sequence[Scope]) -> float:
    started = time.perf_counter_ns()
    for scope in scopes:
        await app(scope, receive, send)
    passed = time.perf_counter_ns() - started
    # What the calls have queued runs here, and belongs to them.
    started = time.perf_counter_ns()
    await asyncio.sleep(0)
    return (passed + time.perf_counter_ns() - started) / len(scopes) / 1000


async def _in_turns(app: ASGIApp, scopes: Sequence[Scope]) -> float:
    loop = asyncio.get_running_loop()
    started = time.perf_counter_ns()
    for begin in range(0, len(scopes), TURN):
        await asyncio.wait([loop.create_task(_call(app, scope)) for scope in scopes[begin : begin + TURN]])
    return (time.perf_counter_ns() - started) / len(scopes) / 1000


async def _call(app: ASGIApp, scope: Scope) -> None:
    await app(scope, receive, send)


async def _move(made: Rig, samples: dict[str, list[float]]) -> None:
    started = time.process_time_ns()
    moved = await request_logs.Mover(made.assembly.store, made.assembly.spool).move()
    samples.setdefault("log_moving", []).append((time.process_time_ns() - started) / max(moved, 1) / 1000)
