"""A real name server on loopback whose answers change from one question to the next, and a client that asks it over UDP."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import cast

from keyrack.model.addresses import Address

A, AAAA = 1, 28


class NameServer(asyncio.DatagramProtocol):
    """Answers each A question with the next of its answers, the last one again and again; and each AAAA question likewise."""

    def __init__(self, v4: Sequence[Sequence[str]], v6: Sequence[Sequence[str]] = ((),)) -> None:
        self._answers = {A: list(v4), AAAA: list(v6)}
        self._transport: asyncio.DatagramTransport | None = None
        self.questions: list[str] = []
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        name, end = _name(data, 12)
        (kind,) = struct.unpack_from("!H", data, end)
        self.questions.append(f"{name} {'A' if kind == A else 'AAAA'}")
        answers = self._answers[kind]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        records = b"".join(_record(kind, ip_address(text).packed) for text in addresses)
        head = data[:2] + struct.pack("!HHHHH", 0x8180, 1, len(addresses), 0, 0)
        assert self._transport is not None
        self._transport.sendto(head + data[12 : end + 4] + records, addr)

    async def resolve(self, host: str) -> Sequence[Address]:
        """Ask for both kinds of addresses over UDP, as a resolver does. Raises OSError where there is none."""
        found = [*await self._ask(host, A), *await self._ask(host, AAAA)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return found

    async def _ask(self, host: str, kind: int) -> list[Address]:
        loop = asyncio.get_running_loop()
        labels = b"".join(bytes([len(label)]) + label.encode() for label in host.split(".")) + b"\0"
        question = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!HH", kind, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            await loop.sock_connect(line, ("127.0.0.1", self.port))
            await loop.sock_sendall(line, question)
            return _addresses(await loop.sock_recv(line, 4096), len(question), kind)


@asynccontextmanager
async def serving(v4: Sequence[Sequence[str]], v6: Sequence[Sequence[str]] = ((),)) -> AsyncIterator[NameServer]:
    """Run a name server."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: NameServer(v4, v6), local_addr=("127.0.0.1", 0))
    server.port = transport.get_extra_info("sockname")[1]
    try:
        yield server
    finally:
        transport.close()
        await asyncio.sleep(0)


def _name(data: bytes, at: int) -> tuple[str, int]:
    labels = []
    while data[at]:
        labels.append(data[at + 1 : at + 1 + data[at]].decode())
        at += 1 + data[at]
    return ".".join(labels), at + 1


def _record(kind: int, packed: bytes) -> bytes:
    # The name is the question's; nothing may be kept (TTL 0), as one who rebinds says.
    return struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(packed)) + packed


def _addresses(answer: bytes, question_bytes: int, kind: int) -> list[Address]:
    (count,) = struct.unpack_from("!H", answer, 6)
    size = 4 if kind == A else 16
    records = [question_bytes + number * (12 + size) + 12 for number in range(count)]
    packed = [answer[at : at + size] for at in records]
    return [IPv4Address(one) if kind == A else IPv6Address(one) for one in packed]
