"""What looks over pages besides the browser: axe and html-validate, from npm by the lock in this folder, with Node from a wheel."""

import asyncio
import json
from pathlib import Path

from tests import npm
from tests.npm import NODE, SECONDS_MAX

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"


def install() -> None:
    """Fetch the tools, unless they are there."""
    npm.install(HERE)


def axe() -> str:
    """Return the script of axe."""
    return (MODULES / "axe-core" / "axe.min.js").read_text()


class Validator:
    """html-validate in a process of its own, which is asked page after page."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._known: dict[str, list[str]] = {}

    @classmethod
    async def start(cls) -> "Validator":
        """Start it."""
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(NODE, HERE / "validate.mjs", stdin=pipe, stdout=pipe, limit=2**22))

    async def problems(self, html: str) -> list[str]:
        """Return what is wrong with a page."""
        if html not in self._known:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(html).encode() + b"\n")
            await self._process.stdin.drain()
            self._known[html] = json.loads(await asyncio.wait_for(self._process.stdout.readline(), SECONDS_MAX))
        return self._known[html]

    async def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), SECONDS_MAX)
