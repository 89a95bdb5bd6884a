"""Servers as processes, started and ended by the test, and a client that costs them no time: one kept connection, one call at a time."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
SECONDS_MAX = 30


@dataclass(frozen=True)
class Answer:
    """An answer of the API."""

    status: int
    body: Any


class Wire:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> "Wire":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, method: str, path: str, key: str, body: Any = None) -> Answer:
        """Send one call, and return its answer."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: acme.test\r\nAuthorization: Bearer {key}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        self._writer.write(head.encode() + content)
        async with asyncio.timeout(SECONDS_MAX):
            return await self._answer()

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()

    async def _answer(self) -> Answer:
        status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        content = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(status.split()[1]), json.loads(content) if content else None)


@contextmanager
def serving(data: Path, count: int) -> Iterator[list[int]]:
    """Run servers over one data folder, and give their ports once each of them is ready."""
    processes, ports = [], []
    try:
        for _ in range(count):
            with socket.create_server(("127.0.0.1", 0)) as listening:
                handle = listening.fileno()
                command = [sys.executable, "-m", "tests.feed.server", str(handle), str(data)]
                processes.append(subprocess.Popen(command, pass_fds=[handle], cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}/src"}))
                ports.append(listening.getsockname()[1])
        for port in ports:
            _wait_for(port)
        yield ports
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            _end(process)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: acme.test\r\nConnection: close\r\n\r\n")
            if connection.makefile("rb").readline().split()[1:2] == [b"200"]:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no server was ready on port {port} after {SECONDS_MAX} s")


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
