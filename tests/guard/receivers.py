"""Receivers of outgoing calls: real servers on loopback, each of which plays one part, well or badly."""

import asyncio
import contextlib
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\nok"


class Receiver:
    """What one server saw: how many connections came, all that they sent, and in which order things happened."""

    def __init__(self, play: "Play") -> None:
        self._play = play
        self._tasks: set[asyncio.Task[None]] = set()
        self.host, self.port = "", 0
        self.connections = 0
        self.received = bytearray()
        self.happened: list[str] = []
        self.accepted = asyncio.Event()
        self.closed = asyncio.Event()

    def url(self, host: str | None = None, scheme: str = "http", path: str = "/hook") -> str:
        """The URL of this server, under a host of the test's choice."""
        return f"{scheme}://{host or self.host}:{self.port}{path}"

    @property
    def head(self) -> list[str]:
        """The lines of the request's head."""
        return bytes(self.received).partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")

    @property
    def body(self) -> bytes:
        """What came after the head."""
        return bytes(self.received).partition(b"\r\n\r\n")[2]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play the part for one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.accepted.set()
        try:
            await self._play(self, reader, writer)
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            # The test has seen what it wanted.
            pass
        finally:
            self._tasks.discard(task)
            self.closed.set()
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError, ssl.SSLError):
                await writer.wait_closed()

    async def end(self) -> None:
        """End what still plays."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def read_some(self, reader: asyncio.StreamReader) -> bytes:
        """Take what came, and note when the first byte did."""
        data = await reader.read(65_536)
        if data and not self.received:
            self.happened.append("first byte")
        self.received += data
        return data

    async def read_request(self, reader: asyncio.StreamReader) -> None:
        """Take a whole request."""
        while (missing := _missing(bytes(self.received))) > 0 and await self.read_some(reader):
            assert missing


Play = Callable[[Receiver, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def running(play: Play, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver(play)
    server = await asyncio.start_server(receiver.serve, host, port, ssl=tls)
    receiver.host, receiver.port = host, server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        await receiver.end()


def answering(*pieces: bytes) -> Play:
    """Take the whole request, then send these pieces and close."""

    async def play(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receiver.read_request(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return play


def dripping(before: bytes, drop: bytes) -> Play:
    """Begin an answer, and go on with it drop by drop for ever."""

    async def play(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receiver.read_request(reader)
        writer.write(before)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.01)

    return play


def pouring(before: bytes, drop: bytes) -> Play:
    """Begin an answer, and go on with it as fast as the connection takes it, for ever."""

    async def play(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receiver.read_request(reader)
        writer.write(before)
        while True:
            writer.write(drop)
            await writer.drain()

    return play


async def silent(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take everything, and never answer."""
    while await receiver.read_some(reader):
        pass


async def deaf(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the connection, and nothing else."""
    await asyncio.Event().wait()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a crash does: the other side gets a reset."""
    line = writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _missing(received: bytes) -> int:
    """How many bytes of the request are still to come; 1 where that cannot be known yet."""
    head, blank, body = received.partition(b"\r\n\r\n")
    if not blank:
        return 1
    length = re.search(rb"(?im)^content-length: (\d+)", head)
    return (int(length[1]) if length else 0) - len(body)
