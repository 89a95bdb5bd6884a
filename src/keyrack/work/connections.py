"""Connections of outgoing calls: TCP to one address that was checked, with TLS over it where the URL says so.

They are made on sockets, not on the event loop's streams: the first byte leaves inside `begin` and not in a later turn of the loop, nothing
is received that nobody reads, and a closed connection leaves nothing behind.
"""

import asyncio
import contextlib
import socket
import ssl

from keyrack.model.addresses import Address

READ_BYTES = 16 * 1024


class Connection:
    """One connection, for one call. Every method but `close` raises OSError where it breaks off; TLS raises ssl.SSLError, which is one."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    async def to(cls, address: Address, port: int) -> "Connection":
        """Connect to an address, and to no other: nothing is resolved here."""
        line = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        try:
            line.setblocking(False)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(line, (str(address), port))
        except BaseException:
            line.close()
            raise
        return cls(line)

    async def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Begin TLS with `host`, whose name the certificate must hold; a name, unlike an address, is also told to the server (SNI)."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
        await self._flush()
        self._tls = tls

    def begin(self, data: bytes) -> None:
        """Send a request. What the socket takes at once, with the first byte, has left when this returns; the rest goes beside reading.

        Where the receiver has closed already, reading tells: it may have answered before.
        """
        wire = data if self._tls is None else self._encrypted(self._tls, data)
        try:
            taken = self._line.send(wire)
        except BlockingIOError:
            taken = 0
        except OSError:
            return
        if taken < len(wire):
            self._writing = asyncio.create_task(self._write(wire[taken:]))

    async def read(self) -> bytes:
        """Return what came next, at most 16 KiB; nothing at the end."""
        if self._tls is None:
            return await self._received()
        while True:
            try:
                return self._tls.read(READ_BYTES)
            except ssl.SSLWantReadError:
                await self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    async def close(self) -> None:
        """Close the connection at once, also in the middle of a request."""
        try:
            if self._writing is not None:
                self._writing.cancel()
                # The loop lets go of the socket only then; its number may be another one's a moment after it was closed.
                await asyncio.wait([self._writing])
        finally:
            self._line.close()

    def _encrypted(self, tls: ssl.SSLObject, data: bytes) -> bytes:
        left = memoryview(data)
        while left:
            left = left[tls.write(left) :]
        return self._outgoing.read()

    async def _write(self, wire: bytes) -> None:
        with contextlib.suppress(OSError):
            await self._loop.sock_sendall(self._line, wire)

    async def _flush(self) -> None:
        await self._loop.sock_sendall(self._line, self._outgoing.read())

    async def _received(self) -> bytes:
        # What is there already comes without a turn of the loop: a receiver that pours would keep it from everybody, also from the timeout.
        await asyncio.sleep(0)
        return await self._loop.sock_recv(self._line, READ_BYTES)

    async def _fill(self) -> None:
        data = await self._received()
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
