"""One process of a growing installation, measured: it reads what to do from standard input, and prints figures."""

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog
import uvloop

from bench.hosts import rack_at, raw, walk_of
from bench.in_process import receive, scope_of, send
from bench.memory import resident_mib
from keyrack.assemble import Assembly
from keyrack.gate.gate import Gate
from keyrack.gate.walk import Walk

YIELD_EVERY = 20


class Task(msgspec.Struct):
    """What one process has to do: serve these secrets from a store, each for the first time, then again and again for some seconds."""

    folder: str
    database_url: str | None
    secrets: list[str]
    seconds: float


class Reading(msgspec.Struct):
    """What it measured: milliseconds, MiB and microseconds; `look_ups` are the first calls of keys, in ms, sorted.

    The `cpu` figures are processor time of this process, whatever else the machine does; what a database server spends is not in them.
    """

    start_ms: float
    imported_mib: float
    started_mib: float
    cached_mib: float
    look_ups: list[float]
    look_up_cpu_us: float
    warm_us: float
    warm_cpu_us: float
    calls: int


async def measure(task: Task) -> Reading:
    """Do it all in this process."""
    imported = resident_mib()
    assembly = rack_at(Path(task.folder), task.database_url).assembly
    began = time.perf_counter()
    await assembly.start()
    start_ms = (time.perf_counter() - began) * 1000
    try:
        return await _call(assembly, task, imported, start_ms)
    finally:
        await assembly.stop()


async def _call(assembly: Assembly, task: Task, imported: float, start_ms: float) -> Reading:
    walk = walk_of(assembly)

    async def start() -> Walk:
        return walk

    async def stop() -> None:
        return None

    app = Gate(raw, {}, start, stop, assembly.request_ids.new)
    scopes = [scope_of(secret) for secret in task.secrets]
    await app(dict(scopes[0]), receive, send)
    gc.collect()
    started = resident_mib()
    look_ups, spent = [], time.process_time()
    for scope in scopes[1:]:
        began = time.perf_counter()
        await app(dict(scope), receive, send)
        look_ups.append((time.perf_counter() - began) * 1000)
    spent = (time.process_time() - spent) / len(look_ups) * 1e6
    gc.collect()
    cached = resident_mib()
    calls, wall, cpu = await _again(app, scopes, task.seconds)
    return Reading(start_ms, imported, started, cached, sorted(look_ups), spent, wall / calls * 1e6, cpu / calls * 1e6, calls)


async def _again(app: Gate, scopes: Sequence[dict[str, object]], seconds: float) -> tuple[int, float, float]:
    """Call as often as time allows. The log is moved meanwhile, and its price is in here."""
    calls, began, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        for _ in range(YIELD_EVERY):
            await app(dict(scopes[calls % len(scopes)]), receive, send)
            calls += 1
        await asyncio.sleep(0)
    return calls, time.perf_counter() - began, time.process_time() - cpu


if __name__ == "__main__":
    # Standard output is for the figures.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(measure(given))))
