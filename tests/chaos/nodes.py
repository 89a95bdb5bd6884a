"""Nodes as processes, with the real server in each, and connections to them."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.databases import NAME
from tests.chaos.links import Link
from tests.postgresql import _PR_SET_PDEATHSIG, _libc

ROOT = Path(__file__).parent.parent.parent
APP = "tests.chaos.app:app"
SECONDS_MAX = 60
READY_SECONDS_MAX = 240
POLL_SECONDS = 0.05
STARTS_MAX = 5
# A change returns after this, the longest lease and its margin: within lease + 1 s.
STORE_ANSWER_SECONDS = 0.75
SECRETS = '["the same for all nodes of a test"]'


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a node. `code` is a refusal's."""

    status: int
    code: str | None
    body: Any


@dataclass
class Node:
    """A node: its process, its link to the database, and the connections that wait to be used again."""

    number: int
    link: Link
    folder: Path
    lease_seconds: float
    app: str = APP
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    calling: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    def start(self) -> None:
        """Start the process."""
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as listening:
                self.port = listening.getsockname()[1]
        keyrack = [sys.executable, "-c", "from keyrack.cli import main; main()"]
        command = [*keyrack, "serve", self.app, "--port", f"{self.port}", "--data", f"{self.folder}", "--drain-seconds", "1"]
        environment = {
            **os.environ,
            **self.environment,
            "PYTHONPATH": f"{ROOT}/src:{ROOT}",
            "KEYRACK_DATABASE_URL": url(self.link),
            "KEYRACK_LEASE_SECONDS": f"{self.lease_seconds}",
            "KEYRACK_STORE_ANSWER_SECONDS": f"{STORE_ANSWER_SECONDS}",
            "KEYRACK_SECRETS": SECRETS,
        }
        with self.folder.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_parent
            )

    def pause(self) -> None:
        """Stop it where it stands."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None
        self.forget_connections()

    def forget_connections(self) -> None:
        """Use no connection again."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def ready(self) -> None:
        """Return when it holds a lease and reaches the store. One that did not start is started again, as whoever supervises it does."""
        starts = 1
        async with asyncio.timeout(READY_SECONDS_MAX):
            while True:
                if self._process is None or self._process.poll() is not None:
                    if starts == STARTS_MAX:
                        raise RuntimeError(f"node {self.number} has ended:\n{self.folder.with_suffix('.log').read_text()[-2000:]}")
                    starts += 1
                    self.start()
                answer = await self.send("GET", "/readyz", "")
                if answer is not None and answer.status == 200:
                    return
                await asyncio.sleep(POLL_SECONDS)

    async def send(self, method: str, path: str, secret: str, body: Any = None) -> Answer | None:
        """Send one call and return its answer; None where the connection was lost, or none came in time."""
        connection = None
        try:
            async with asyncio.timeout(SECONDS_MAX):
                connection = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self.port)
                reader, writer = connection
                writer.write(_request(method, path, secret, body))
                answer = await _answer(reader)
            self._idle.append(connection)
            connection = None
        except (OSError, EOFError, TimeoutError):
            return None
        finally:
            # Also where whoever waits is cancelled.
            if connection is not None:
                connection[1].close()
        return answer

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


def url(link: Link) -> str:
    """The URL of the database behind a link."""
    return f"postgresql://postgres@127.0.0.1:{link.port}/{NAME}?ssl=disable"


def _request(method: str, path: str, secret: str, body: Any) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: acme.test\r\nAuthorization: Bearer {secret}\r\n"
    return head.encode() + f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    _, found, rest = head.partition(b"content-length: ")
    content = await reader.readexactly(int(rest.partition(b"\r\n")[0])) if found else b""
    body = None
    with suppress(ValueError):
        body = json.loads(content) if content else None
    return Answer(status, body.get("code") if isinstance(body, dict) else None, body)


def _die_with_parent() -> None:
    """Runs in the child before it becomes the node: it ends with us, also where it is stopped."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
