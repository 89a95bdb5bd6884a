"""HTTP/1.1 byte by byte: what no client library would send, and answers that are known to have arrived whole."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SECONDS_MAX = 20
LINE_BYTES_MAX = 1024 * 1024
_BODILESS = (204, 304)
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ?([^\r\n]*)\r\n")


class Cut(Exception):
    """The connection ended in the middle of an answer, or before it began."""


@dataclass(frozen=True)
class Received:
    """An answer that arrived whole."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    interim: tuple[int, ...] = field(default=())

    @property
    def request_id(self) -> str:
        """The name under which the answer's call stands in the log."""
        return self.headers["x-request-id"]

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class Wire:
    """One connection to a server, kept alive from call to call. `answers`: what arrived whole, oldest first."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str | None) -> None:
        self._reader = reader
        self._writer = writer
        self._key = key
        self.answers: list[Received] = []

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)

    def ask(self, method: str, target: str, *headers: str, body: bytes = b"", key: str | None = None) -> None:
        """Send a call with the connection's key, or another, or with "" none."""
        self.write(call(method, target, *headers, body=body, key=self._key if key is None else key))

    async def get(self, target: str, *headers: str, key: str | None = None) -> Received:
        """Send a GET and wait for its answer."""
        return await self.send("GET", target, *headers, key=key)

    async def send(self, method: str, target: str, *headers: str, body: bytes = b"", key: str | None = None) -> Received:
        """Send a call and wait for its answer."""
        self.ask(method, target, *headers, body=body, key=key)
        return await self.answer(method)

    async def answer(self, method: str = "GET") -> Received:
        """Read one answer to its end. Raises Cut."""
        status, headers, interim = await self.head()
        body = b""
        if method == "HEAD" or status in _BODILESS:
            pass
        elif headers.get("transfer-encoding") == "chunked":
            while part := await self.part():
                body += part
        else:
            body = await self._whole(self._reader.readexactly(int(headers["content-length"])))
        self.answers.append(Received(status, headers, body, interim))
        return self.answers[-1]

    async def head(self) -> tuple[int, dict[str, str], tuple[int, ...]]:
        """Read the head of an answer: status, headers by name, and the interim answers that came before it. Raises Cut."""
        interim: list[int] = []
        while True:
            lines = (await self._whole(self._reader.readuntil(b"\r\n\r\n"))).split(b"\r\n")[:-2]
            matched = _STATUS_LINE.fullmatch(lines[0] + b"\r\n")
            assert matched is not None, lines
            if int(matched[1]) >= 200:
                break
            interim.append(int(matched[1]))
        pairs = [line.decode("latin-1").partition(": ")[::2] for line in lines[1:]]
        headers = {name.lower(): value for name, value in pairs}
        assert len(headers) == len(pairs), f"a header stands twice: {pairs}"
        return int(matched[1]), headers, tuple(interim)

    async def part(self) -> bytes:
        """Read one part of a chunked body; the last one is empty. Raises Cut where the connection ended instead."""
        size = int(await self._whole(self._reader.readuntil(b"\r\n")), 16)
        return (await self._whole(self._reader.readexactly(size + 2)))[:-2]

    async def last_part(self) -> None:
        """Read a chunked body to its end. Raises Cut where the connection ended before."""
        while await self.part():
            pass

    async def ended(self) -> bytes:
        """Wait until the server has closed the connection, and return what came before."""
        async with asyncio.timeout(SECONDS_MAX):
            try:
                return await self._reader.read(-1)
            except OSError:
                return b""

    async def _whole(self, reading: Coroutine[Any, Any, bytes]) -> bytes:
        async with asyncio.timeout(SECONDS_MAX):
            try:
                return await reading
            except (OSError, asyncio.IncompleteReadError) as error:
                raise Cut from error

    async def close(self) -> None:
        """Close the connection, whatever is under way."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return


@asynccontextmanager
async def connected(url: str, key: str | None = None) -> AsyncIterator[Wire]:
    """Connect to a server for the length of a block."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=LINE_BYTES_MAX)
    wire = Wire(reader, writer, key)
    try:
        yield wire
    finally:
        await wire.close()


def call(method: str, target: str, *headers: str, body: bytes = b"", key: str | None = None) -> bytes:
    """Return the bytes of a call."""
    lines: Iterable[str] = [f"{method} {target} HTTP/1.1", "Host: acme.test", *headers]
    if key:
        lines = [*lines, f"Authorization: Bearer {key}"]
    if body and not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in lines):
        lines = [*lines, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
