"""A customer's server: it notes every delivery that reaches it, and answers as a test wants."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Received:
    """One delivery as it came over the wire. `at` is when its first byte came, on the clock that all processes of a machine share."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event_id(self) -> str:
        """The event's id."""
        return self.headers["webhook-id"]

    @property
    def content(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


Answer = Callable[[Received], bytes | Awaitable[bytes] | None]


@dataclass
class Receiver:
    """It answers what `answer` returns, or never where that is None, or resets the connection where it is empty.

    `most` is how many deliveries were under way to a path at the same time.
    """

    url: str = ""
    answer: Answer = lambda _received: OK
    received: list[Received] = field(default_factory=list)
    hanging: int = 0
    running: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)

    def of(self, path: str) -> list[Received]:
        """What came to one path."""
        return [one for one in self.received if one.path == path]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one delivery."""
        with suppress(OSError, EOFError, asyncio.CancelledError):
            first = await reader.readexactly(1)
            at = time.monotonic()
            head = first + await reader.readuntil(HEAD_END)
            lines = head[: -len(HEAD_END)].decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            received = Received(lines[0].split()[1], headers, body, at)
            self.received.append(received)
            self.running[received.path] += 1
            self.most[received.path] = max(self.most[received.path], self.running[received.path])
            answer = self.answer(received)
            await self._answer(writer, await answer if isawaitable(answer) else answer)
            self.running[received.path] -= 1
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, answer: bytes | None) -> None:
        if answer is None:
            self.hanging += 1
            await asyncio.sleep(3600)
        elif not answer:
            writer.transport.abort()
        else:
            writer.write(answer)
            await writer.drain()


@asynccontextmanager
async def receiving(answer: Answer | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver on this machine."""
    receiver = Receiver() if answer is None else Receiver(answer=answer)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await receiver.serve(reader, writer)
        tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=2048)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield receiver
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks))


def status(code: int, *headers: str, body: bytes = b"") -> bytes:
    """An answer with a status."""
    lines = [f"HTTP/1.1 {code} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + HEAD_END + body
