"""The test's host app behind a real server, in a process of its own: `python -m tests.feed.server HANDLE DATA`.

HANDLE is a listening socket that was inherited, DATA the data folder.
"""

import socket
import sys
from pathlib import Path

import uvicorn

from keyrack import Keyrack, Limit, Plan, Settings
from tests.hosts import BRAND, CATEGORIES, build_app

PLANS = (Plan("wide", "Wide", limits=(Limit("workspace", quota=100_000, window_seconds=1, burst=100_000),)),)


def build_rack(data: Path) -> Keyrack:
    """Return the rack over a data folder, with more budget than these tests can use."""
    return Keyrack(Settings(data=data), brand=BRAND, categories=CATEGORIES, plans=PLANS)


def main() -> None:
    """Serve until told to end."""
    handle, data = sys.argv[1:]
    rack = build_rack(Path(data))
    app = build_app(rack)
    rack.install(app)
    config = uvicorn.Config(app, access_log=False, proxy_headers=False, log_level="warning")
    with socket.socket(fileno=int(handle)) as listening:
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
