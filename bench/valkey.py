"""`python -m bench.valkey`: what a take from limits costs on Valkey, one at a time and 32 at once, beside the shared file.

Valkey runs on this machine, behind a unix socket: over a network a take waits longer, and costs this process the same. The variants take
turns, each under uvloop; CPU is this process's own, beside it that of Valkey. Every take has keys of its own in turn.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import uvloop

from bench.figures import Figure, Machine
from keyrack.model.limits import DAY_SECONDS, Bucket, Limit
from keyrack.volatile.counters import Counters
from keyrack.volatile.shares import Shares
from keyrack.volatile.valkey import SCRIPT_LOAD, ValkeyCounters
from keyrack.volatile.wire import Wire
from tests.valkey import Server, serve

ROUNDS, TAKES, SUBJECTS, AT_ONCE = 15, 1024, 256, 32
LIMIT = Limit("workspace", quota=1000, window_seconds=1, burst=1_000_000)
DAILY = Limit("daily", quota=10**9, window_seconds=DAY_SECONDS)
Take = Callable[[str, tuple[Bucket, ...]], Awaitable[object]]
Subjects = list[tuple[str, tuple[Bucket, ...]]]


def main() -> None:
    """Measure, and print one line per variant."""
    here = Machine.here()
    with serve() as server, tempfile.TemporaryDirectory(prefix="keyrack-bench-") as folder:
        for name, samples in uvloop.run(measure(server, Path(folder))).items():
            figures = [Figure.of(column).text() for column in zip(*samples, strict=True)]
            print(f"{name:32} wall {figures[0]:>14}   cpu {figures[1]:>14}   valkey {figures[2]:>14}   µs per take")
    print(f"Python {here.python}, load {here.load_before:.1f}")


async def measure(server: Server, folder: Path) -> dict[str, list[tuple[float, float, float]]]:
    """Return wall time, own CPU and Valkey's CPU, in µs per take, of every round of every variant."""
    wire = Wire(server.url, 1.0, [SCRIPT_LOAD])
    file = Counters(folder / "counters")
    valkey = ValkeyCounters(wire, Shares(file, lambda: 1), _nothing)
    await wire.start()

    async def from_file(_workspace_id: str, buckets: tuple[Bucket, ...]) -> object:
        return file.take(buckets, 1)

    async def from_valkey(workspace_id: str, buckets: tuple[Bucket, ...]) -> object:
        return await valkey.take(workspace_id, buckets, 1)

    one, two = _subjects(LIMIT), _subjects(LIMIT, DAILY)
    variants: dict[str, tuple[Take, Subjects, int]] = {
        "file, 1 limit": (from_file, one, 1),
        "Valkey, 1 limit, 1 at a time": (from_valkey, one, 1),
        f"Valkey, 1 limit, {AT_ONCE} at once": (from_valkey, one, AT_ONCE),
        "file, 2 limits": (from_file, two, 1),
        "Valkey, 2 limits, 1 at a time": (from_valkey, two, 1),
        f"Valkey, 2 limits, {AT_ONCE} at once": (from_valkey, two, AT_ONCE),
    }
    samples: dict[str, list[tuple[float, float, float]]] = {name: [] for name in variants}
    for number in range(ROUNDS + 1):
        for name, variant in variants.items():
            took = await _round(server, *variant)
            if number:
                samples[name].append(took)
    assert wire.is_open
    await wire.stop()
    file.close()
    return samples


async def _round(server: Server, take: Take, subjects: Subjects, at_once: int) -> tuple[float, float, float]:
    async def work(first: int) -> None:
        for number in range(first, TAKES, at_once):
            await take(*subjects[number % SUBJECTS])

    theirs = _cpu_of(server)
    wall, own = time.perf_counter(), time.process_time()
    if at_once == 1:
        await work(0)
    else:
        await asyncio.gather(*[work(first) for first in range(at_once)])
    wall, own = time.perf_counter() - wall, time.process_time() - own
    return wall / TAKES * 1e6, own / TAKES * 1e6, (_cpu_of(server) - theirs) / TAKES * 1e6


def _cpu_of(server: Server) -> float:
    lines = dict(line.split(":", 1) for line in server.command("INFO", "cpu").decode().splitlines() if ":" in line)
    return float(lines["used_cpu_sys"]) + float(lines["used_cpu_user"])


def _subjects(*limits: Limit) -> Subjects:
    def key(number: int, limit: Limit) -> bytes:
        return blake2b(f"{number} {limit.name} {len(limits)}".encode(), digest_size=16).digest()

    return [(f"w{number}", tuple(Bucket(limit, key(number, limit)) for limit in limits)) for number in range(SUBJECTS)]


async def _nothing(_workspace_id: str, _keys: Collection[bytes]) -> Mapping[bytes, Any]:
    return {}


if __name__ == "__main__":
    main()
