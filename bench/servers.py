"""Servers to be measured, each a process of its own on one core, run as `keyrack serve` runs them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from bench.hosts import HOSTS
from keyrack.cli.listening import listen
from keyrack.cli.servers import Announce, serve_here

DRAIN_SECONDS = 5
START_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Server:
    """A running server and the processor time it has used."""

    name: str
    port: int
    process: subprocess.Popen[str]

    @property
    def cpu_seconds(self) -> float:
        """The processor time of all its threads so far, to a nanosecond where the kernel says so."""
        return _cpu_seconds(self.process.pid)

    @property
    def mover_cpu_seconds(self) -> float:
        """The same of the process that it hired to move its request log; 0 where there is none."""
        return sum(map(_cpu_seconds, _children(self.process.pid)))


def _cpu_seconds(pid: int) -> float:
    total = 0
    # A thread or a process may end while it is looked at.
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


@contextmanager
def _movers_elsewhere(pid: int, core: int) -> Iterator[None]:
    """Have what a pinned server hires run on the other cores: it would inherit the pin, and take from the server what it takes off it."""
    others, ended = os.sched_getaffinity(0) - {core}, Event()

    def look() -> None:
        while others and not ended.wait(LOOK_SECONDS):
            for child in _children(pid):
                with suppress(OSError):
                    os.sched_setaffinity(child, others)

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def running(name: str, folder: Path, core: int) -> Iterator[Server]:
    """Run a host's server on a core until the block is left."""
    command = [sys.executable, "-m", "bench.servers", name, str(folder), str(core)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise RuntimeError(f"the server of {name!r} did not start")
        with _movers_elsewhere(process.pid, core):
            yield Server(name, int(line), process)
    finally:
        process.terminate()
        process.wait(START_SECONDS_MAX)
        process.stdout.close()


def main() -> None:
    """Serve one host on a free port, and print the port when calls are answered."""
    name, folder, core = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    os.sched_setaffinity(0, {core})
    listener = listen("127.0.0.1", 0)

    def announce() -> None:
        print(listener.getsockname()[1], flush=True)

    async def prepare() -> Announce:
        return announce

    serve_here(HOSTS[name](folder), listener, DRAIN_SECONDS, prepare)


if __name__ == "__main__":
    main()
