"""Memory of a server, in a process of its own: with nothing but its imports, started on many keys, and with some of them cached."""

import asyncio
import gc
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.in_process import receive, rig, send
from bench.stock import Stock


@dataclass(frozen=True)
class Memory:
    """Resident memory in MiB, and what one cached key takes in bytes."""

    keys_stored: int
    keys_cached: int
    imported_mib: float
    started_mib: float
    cached_mib: float
    bytes_per_cached_key: float


def measure(stock: Stock, key_count: int) -> Memory:
    """Measure with so many keys cached."""
    command = [sys.executable, "-m", "bench.memory", str(stock.folder), str(key_count)]
    said = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True)
    return msgspec.json.decode(said.stdout, type=Memory)


async def _measure(stock: Stock, key_count: int) -> Memory:
    imported = resident_mib()
    async with rig(stock, key_count) as made:
        await made.app(made.batch(0, 1)[0], receive, send)
        gc.collect()
        started = resident_mib()
        for number in range(key_count):
            await made.app(made.batch(number, 1)[0], receive, send)
        gc.collect()
        cached = resident_mib()
        count = len(made.assembly.cache.entries)
    each = (cached - started) * 1024 * 1024 / max(count - 1, 1)
    return Memory(len(stock.secrets), count, imported, started, cached, each)


def resident_mib() -> float:
    """Return the resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    result = asyncio.run(_measure(Stock.of(Path(sys.argv[1])), int(sys.argv[2])))
    sys.stdout.buffer.write(msgspec.json.encode(result))
