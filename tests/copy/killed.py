"""Copies that are killed after some time, each a process: `python -m tests.copy.killed FROM TO SECONDS…`. It prints how each ended."""

import asyncio
import os
import signal
import sys
import threading

from keyrack.store import copying
from keyrack.store.copying.places import Place


def copy(source: str, target: str, seconds: float) -> None:
    """Copy, and be killed when this time has passed since the first batch."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
    timer.daemon = True
    started = False

    def tell(*_: object) -> None:
        nonlocal started
        if not started:
            started = True
            timer.start()

    asyncio.run(copying.copy(Place.named(source), Place.named(target), tell))


def main(source: str, target: str, *times: str) -> None:
    """Begin one copy after another, until one was quicker than its time."""
    for seconds in times:
        child = os.fork()
        if child == 0:
            copy(source, target, float(seconds))
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{code}\n")
        if code != -signal.SIGKILL:
            break


if __name__ == "__main__":
    main(*sys.argv[1:])
