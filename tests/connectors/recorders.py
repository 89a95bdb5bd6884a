"""Vendors as local servers: they keep every byte that they are sent, and answer as a test says."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

STRIPE_ID = "cus_Recorded1"
HANGS = "hangs"
DROPS = "drops"
DRIP_SECONDS = 0.1


@dataclass(frozen=True)
class Drips:
    """An answer of which one byte comes after the other, beyond what comes at once."""

    at_once: bytes
    reply: "Reply"


@dataclass(frozen=True)
class Reply:
    """An answer of a vendor."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        """The answer as bytes."""
        given = {"Content-Type": "application/json", "Content-Length": str(len(self.body)), "Connection": "close", **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        return f"HTTP/1.1 {self.status} Recorded\r\n{lines}\r\n".encode() + self.body


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """Return an answer in JSON; `Retry_After="3"` is a header."""
    return Reply(status, json.dumps(value).encode(), {name.replace("_", "-"): text for name, text in headers.items()})


@dataclass(frozen=True)
class Sent:
    """What a vendor was sent."""

    raw: bytes

    @property
    def line(self) -> str:
        """The request line."""
        return self.raw.split(b"\r\n", 1)[0].decode()

    @property
    def headers(self) -> dict[str, str]:
        """The headers, by their names in lower case."""
        lines = self.raw.split(b"\r\n\r\n", 1)[0].decode().split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def body(self) -> bytes:
        """The body."""
        return self.raw.split(b"\r\n\r\n", 1)[1]

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body, read as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


Answers = Callable[[Sent], Reply | Drips | str]


class Recorder:
    """A vendor that is a recorder. `answers` says what it answers to the next calls; a plain value answers to all of them."""

    def __init__(self, otherwise: Answers, tls: ssl.SSLContext | None = None) -> None:
        self.sent: list[Sent] = []
        self.next: list[Reply | Drips | str] = []
        self.otherwise = otherwise
        self.url = ""
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Answer from now on, at the same address as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, ssl=self._tls)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    async def close(self) -> None:
        """Be away."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = Sent(head).headers.get("content-length", "0")
            sent = Sent(head + await reader.readexactly(int(length)))
            self.sent.append(sent)
            answer = self.next.pop(0) if self.next else self.otherwise(sent)
            if isinstance(answer, Reply):
                writer.write(answer.raw())
                await writer.drain()
            elif isinstance(answer, Drips):
                writer.write(answer.at_once)
                for byte in answer.reply.raw():
                    writer.write(bytes([byte]))
                    await asyncio.sleep(DRIP_SECONDS)
            elif answer == HANGS:
                await asyncio.sleep(60)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort() if not writer.is_closing() and not writer.transport.get_write_buffer_size() else writer.close()


def slack(sent: Sent) -> Reply:
    """Answer as Slack does where all is well."""
    path = sent.line.split(" ")[1]
    if path.startswith("/services/"):
        return Reply(200, b"ok", {"Content-Type": "text/html"})
    if path.endswith("/auth.test"):
        return reply({"ok": True, "team": "Aurora", "user": "atrium", "bot_id": "B1"})
    return reply({"ok": True, "channel": "C0123456789", "ts": "1763758800.000100"})


def resend(sent: Sent) -> Reply:
    """Answer as Resend does where all is well."""
    if sent.line.startswith("GET /domains"):
        return reply({"object": "list", "data": [{"id": "d1", "name": "vml.example", "status": "verified"}]})
    return reply({"id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"})


def stripe(sent: Sent) -> Reply:
    """Answer as Stripe does where all is well."""
    if sent.line.startswith("GET"):
        return reply({"object": "list", "data": [], "has_more": False, "url": "/v1/customers"})
    return reply({"id": STRIPE_ID, "object": "customer", **sent.form})


@asynccontextmanager
async def recording(answers: Answers, tls: ssl.SSLContext | None = None) -> AsyncIterator[Recorder]:
    """Run a recorder."""
    recorder = Recorder(answers, tls)
    await recorder.open()
    try:
        yield recorder
    finally:
        await recorder.close()
