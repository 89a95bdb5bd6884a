"""A primary and its synchronous standby, which can be restarted, and can change places."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg

from tests.postgresql import MEMORY, _binaries, _end_with_parent, _folder

NAME = "keyrack"
PORTS = (5432, 5433)
SECONDS_MAX = 30
POLL_SECONDS = 0.02
OPTIONS = {
    "listen_addresses": "",
    # The data go with the processes. What a killed server has written stays with the kernel.
    "fsync": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "wal_keep_size": "512MB",
    # How soon a standby asks again for a primary that was away: until then, no commit returns. Five seconds by default.
    "wal_retrieve_retry_interval": "500ms",
    "timezone": "UTC",
}
OWN_CONF = "own.conf"
STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
# How long a server is given to stop in good order, before it is stopped as in a crash.
STOP_SECONDS_MAX = 10


class Server:
    """One of the two. `port` names its socket in the folder, nothing else."""

    def __init__(self, binaries: Path, owner: Mapping[str, Any], folder: Path, port: int) -> None:
        self.socket = f"{folder}/.s.PGSQL.{port}"
        self.data = folder / f"data-{port}"
        self._binaries = binaries
        self._owner = owner
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    async def initialize(self) -> None:
        """Make an empty cluster."""
        locale = ["--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        await self.run("initdb", "--pgdata", self.data, "--username", "postgres", "--auth", "trust", "--no-sync", *locale)
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(f"\ninclude_if_exists = '{OWN_CONF}'\n")

    async def copy(self, primary: "Server") -> None:
        """Become a copy of the primary, whatever was here."""
        await asyncio.to_thread(subprocess.run, ["rm", "-rf", str(self.data)], check=True)
        await self.run(
            "pg_basebackup", "-h", self._folder, "-p", primary._port, "-U", "postgres", "-D", self.data, "-c", "fast", "--no-sync"
        )

    async def rewind(self, primary: "Server") -> None:
        """Become a copy of the primary, keeping what both have."""
        source = f"host={self._folder} port={primary._port} user=postgres dbname=postgres"
        try:
            await self.run("pg_rewind", "--target-pgdata", self.data, "--source-server", source, "--no-sync")
        except subprocess.CalledProcessError:
            await self.copy(primary)

    def follow(self, primary: "Server") -> None:
        """Begin as its standby at the next start."""
        (self.data / "standby.signal").touch()
        if self._owner:
            os.chown(self.data / "standby.signal", self._owner["user"], self._owner["group"])
        self.configure(primary_conninfo=f"host={self._folder} port={primary._port} user=postgres application_name=standby")

    def configure(self, **options: str) -> None:
        """Have exactly these options of its own. A running server reads them now."""
        path = self.data / OWN_CONF
        path.write_text("".join(f"{name} = '{value}'\n" for name, value in options.items()))
        path.chmod(0o644)
        if self.is_running():
            self._signal(signal.SIGHUP)

    async def start(self) -> None:
        """Start, and return when it answers."""
        options = [word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")]
        command = [f"{self._binaries}/postgres", "-D", f"{self.data}", "-k", f"{self._folder}", "-p", f"{self._port}", *options]
        with (self._folder / f"log-{self._port}").open("ab") as log:
            self._process = subprocess.Popen[bytes](
                command, **self._owner, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent
            )
        status = self.data / "postmaster.pid"
        async with asyncio.timeout(SECONDS_MAX):
            while not (status.exists() and status.read_text().rstrip().endswith(("ready", "standby"))) or not self.is_running():
                if self._process.poll() is not None:
                    raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / f'log-{self._port}').read_text()[-2000:]}")
                await asyncio.sleep(POLL_SECONDS)

    async def stop(self, *, at_once: bool) -> None:
        """Stop: in good order, or as if it had crashed."""
        if self._process is not None:
            self._signal(signal.SIGQUIT if at_once else signal.SIGINT)
            try:
                await asyncio.wait_for(asyncio.to_thread(self._process.wait, SECONDS_MAX), STOP_SECONDS_MAX)
            except TimeoutError:
                self._signal(signal.SIGQUIT)
                await asyncio.to_thread(self._process.wait, SECONDS_MAX)
            self._process = None

    def end(self) -> None:
        """Stop for good, as the whole test ends."""
        if self._process is not None:
            self._signal(signal.SIGQUIT)
            try:
                self._process.wait(SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    async def ask(self, sql: str, database: str = "postgres") -> Any:
        """Return the one value that a statement has."""
        connection = await asyncpg.connect(host=str(self._folder), port=self._port, user="postgres", database=database, timeout=SECONDS_MAX)
        try:
            return await connection.fetchval(sql, timeout=SECONDS_MAX)
        finally:
            await connection.close(timeout=SECONDS_MAX)

    async def until(self, sql: str) -> None:
        """Return when a statement's value is true. Raises TimeoutError where it does not become so."""
        ends_at = monotonic() + SECONDS_MAX
        while not await self.ask(sql):
            if monotonic() > ends_at:
                raise TimeoutError(sql)
            await asyncio.sleep(POLL_SECONDS)

    async def run(self, program: str, *words: object) -> None:
        """Run one of PostgreSQL's programs to its end."""
        command = [f"{self._binaries}/{program}", *map(str, words)]
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **self._owner}
        run: Any = subprocess.run
        await asyncio.to_thread(run, command, check=True, timeout=2 * SECONDS_MAX, **options)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


class Databases:
    """Both servers. Without a standby only the primary is there, and `fail_over` cannot be."""

    def __init__(self, primary: Server, standby: Server | None) -> None:
        self.primary = primary
        self.standby = standby

    async def begin(self) -> None:
        """Start both, with every commit waiting for the standby."""
        await self.primary.initialize()
        await self.primary.start()
        await self.primary.ask(f"CREATE DATABASE {NAME}")
        if self.standby is not None:
            await self.standby.copy(self.primary)
            await self._attach(self.standby)

    async def restart(self, *, at_once: bool, pause_seconds: float) -> None:
        """Restart the primary, and return when commits do again."""
        await self.primary.stop(at_once=at_once)
        await asyncio.sleep(pause_seconds)
        await self.primary.start()
        if self.standby is not None:
            await self.primary.until(STREAMING)

    async def promote(self) -> Server:
        """Make the standby the primary, and return the old one, which runs on if it ran, and lacks the standby for its commits."""
        old, new = self.primary, self.standby
        assert new is not None
        await new.ask("SELECT pg_promote(true, 30)")
        self.primary, self.standby = new, old
        return old

    async def attach_old(self) -> None:
        """Stop the old primary if it still runs, and make it the standby of the new one."""
        old = self.standby
        assert old is not None
        await old.stop(at_once=True)
        await self.primary.ask("CHECKPOINT")
        await old.rewind(self.primary)
        await self._attach(old)

    def end(self) -> None:
        """Stop both."""
        for server in (self.standby, self.primary):
            if server is not None:
                server.end()

    async def _attach(self, standby: Server) -> None:
        standby.follow(self.primary)
        await standby.start()
        await self.primary.until(STREAMING)
        # Only now: without a standby each commit would wait for one.
        self.primary.configure(synchronous_standby_names="*")


@asynccontextmanager
async def databases(*, has_standby: bool) -> AsyncIterator[Databases]:
    """Run the servers, and leave nothing of them behind."""
    with _folder(MEMORY) as folder, _binaries() as (binaries, owner):
        if owner:
            os.chown(folder, owner["user"], owner["group"])
        primary, standby = (Server(binaries, owner, folder, port) for port in PORTS)
        both = Databases(primary, standby if has_standby else None)
        try:
            await both.begin()
            yield both
        finally:
            with suppress(ProcessLookupError):
                both.end()
