"""The links between nodes and the database: a TCP proxy for each node, which can be cut, slowed down and made deaf."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

BYTES_MAX = 65536
FEED = b"keyrack feed"
NOTIFICATION = b"A"
HEADER_BYTES = 5


class Messages:
    """Cuts what a server says into its messages, and leaves notifications out where it is told to."""

    def __init__(self) -> None:
        self._rest = b""

    def filtered(self, data: bytes, *, is_deaf: bool) -> bytes:
        """Return the whole messages that are here by now."""
        rest, passed = self._rest + data, []
        while len(rest) >= HEADER_BYTES:
            end = 1 + int.from_bytes(rest[1:HEADER_BYTES], "big")
            if len(rest) < end:
                break
            if not (is_deaf and rest[:1] == NOTIFICATION):
                passed.append(rest[:end])
            rest = rest[end:]
        self._rest = rest
        return b"".join(passed)


class Way:
    """One direction. What is held up is not lost: it arrives when the way is free again, as a network repeats what it could not deliver."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    def cut(self) -> None:
        """Let nothing through."""
        self._free.clear()

    def mend(self) -> None:
        """Let everything through."""
        self._free.set()

    async def passed(self) -> None:
        """Return when something may go through."""
        await self._free.wait()


class Link:
    """What lies between one node and the database, for its pool and its feed alike. `target` names the server's socket of the moment."""

    def __init__(self, target: Callable[[], str]) -> None:
        self.up = Way()
        self.down = Way()
        self.delay_seconds = 0.0
        self.is_deaf = False
        self.is_closed = False
        self.port = 0
        self.target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._relaying: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def reset(self) -> None:
        """End all connections, without a word."""
        for writer in list(self._writers):
            writer.transport.abort()

    def mend(self) -> None:
        """Be a good link again."""
        self.up.mend()
        self.down.mend()
        self.delay_seconds = 0.0
        self.is_deaf = self.is_closed = False

    async def close(self) -> None:
        """Listen no more, and end all connections."""
        if self._server is not None:
            self._server.close()
        self.mend()
        self.reset()
        for task in self._relaying:
            task.cancel()
        await asyncio.gather(*self._relaying, return_exceptions=True)

    def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._relay(client, to_client))
        self._relaying.add(task)
        task.add_done_callback(self._relaying.discard)

    async def _relay(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        self._writers.add(to_client)
        to_server = None
        try:
            first = await client.read(BYTES_MAX)
            if self.is_closed or not first:
                return
            await self.up.passed()
            server, to_server = await asyncio.open_unix_connection(self.target())
            self._writers.add(to_server)
            to_server.write(first)
            messages = Messages() if FEED in first else None
            await asyncio.gather(self._pump(client, to_server, self.up, None), self._pump(server, to_client, self.down, messages))
        except OSError:
            pass
        finally:
            for writer in filter(None, (to_client, to_server)):
                self._writers.discard(writer)
                writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way, messages: Messages | None) -> None:
        # uvloop raises RuntimeError where the other direction has ended the connection meanwhile.
        with suppress(OSError, RuntimeError):
            while data := await reader.read(BYTES_MAX):
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                await way.passed()
                if messages is not None:
                    data = messages.filtered(data, is_deaf=self.is_deaf)
                writer.write(data)
                await writer.drain()
        # What was held up has arrived; then the other side learns of the end.
        writer.close()
