"""Receivers of mail on this machine: an SMTP server, and an HTTP server that speaks as Resend does. Each keeps what it gets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

SECONDS_MAX = 60


@dataclass
class Received:
    """What has arrived, and how the next deliveries are answered: with these codes first, then with a yes."""

    mails: "asyncio.Queue[Any]" = field(default_factory=asyncio.Queue)
    answers: list[int] = field(default_factory=list)
    port: int = 0

    async def next(self) -> Any:
        """Return the next mail, as soon as it is there."""
        return await asyncio.wait_for(self.mails.get(), SECONDS_MAX)


class Handler:
    """Takes mail over SMTP."""

    def __init__(self, received: Received) -> None:
        self._received = received

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if self._received.answers:
            return f"{self._received.answers.pop(0)} not now, or never"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        self._received.mails.put_nowait(message_from_bytes(content, policy=default))
        return "250 OK"


@asynccontextmanager
async def smtp() -> AsyncIterator[Received]:
    """Run an SMTP server."""
    received = Received()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Handler(received), hostname="localhost"), "127.0.0.1", 0)
    received.port = server.sockets[0].getsockname()[1]
    try:
        yield received
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def resend() -> AsyncIterator[Received]:
    """Run a server that takes what Resend takes."""
    received = Received()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        status = received.answers.pop(0) if received.answers else 200
        if status == 200:
            received.mails.put_nowait({"request": lines[0], "headers": headers, **json.loads(body)})
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    received.port = server.sockets[0].getsockname()[1]
    try:
        yield received
    finally:
        server.close()
        await server.wait_closed()


def text_of(mail: Message) -> str:
    """Return the plain text of a mail."""
    part = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    return part.get_content()  # type: ignore[attr-defined, no-any-return]
