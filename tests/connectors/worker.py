"""A process that serves Atrium's jobs on a data folder, until it is killed: `python -m tests.connectors.worker <folder> <Stripe's URL>`."""

import asyncio
import sys
from pathlib import Path

from atrium.factory import create_app
from keyrack import Settings
from tests.hosts import living


async def work(folder: str, stripe_url: str) -> None:
    """Run until the end of this process."""
    app = create_app(Settings(data=Path(folder), stripe_url=stripe_url))
    async with living(app):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
