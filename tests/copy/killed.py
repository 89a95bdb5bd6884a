"""A copy that ends itself after some time, as `kill -9` does: `python -m tests.copy.killed FROM TO SECONDS`. It prints `resumed_rows`."""

import asyncio
import os
import signal
import sys
import threading

from keyrack.store import copying
from keyrack.store.copying.places import Place


def main(source: str, target: str, seconds: float) -> None:
    """Copy; the time runs from the first batch on."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
    timer.daemon = True
    started = False

    def tell(*_: object) -> None:
        nonlocal started
        if not started:
            started = True
            timer.start()

    copied = asyncio.run(copying.copy(Place.named(source), Place.named(target), tell))
    timer.cancel()
    sys.stdout.write(f"{copied.resumed_rows}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
