"""The wire to Valkey: one connection, on which whatever is asked in one turn of the event loop goes out together.

Nobody waits for longer than `seconds_max`: when one reply is late, the connection is closed, everything that waits on it is told so at
once, and so is whoever asks, until another connection has answered. That one is opened in the background: a server that is away costs
nobody any time.
"""

import asyncio
import os
import random
import ssl
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit
from weakref import WeakSet

import structlog
from libvalkey import Reader, ReplyError, pack_command

log = structlog.get_logger("keyrack.valkey")
ASKED_MAX = 10_000
OPEN_SECONDS_MAX = 1.0
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.02, 1.0
# What has arrived is read before a reply is called late: an event loop that was held up must not take the server for dead.
GRACE_SECONDS = 0.05
PORT = 6379
# A write tells that the server takes writes: no replica, nothing that still loads its data.
_PROBE = ("SET", "keyrack:probe", "1", "PX", "1000")


class Away(Exception):
    """The server did not answer in time, or not as it should. What was asked of it may or may not have happened."""


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where a server is, and how it is told who asks. Read from `valkey://user:password@host:port/database`, `valkeys://` (TLS) or `unix://`."""

    host: str
    port: int
    path: str
    database: int
    username: str
    password: str
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, url: str) -> "Address":
        """Read a URL. Raises ValueError where it is none."""
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        is_local = parts.scheme == "unix"
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or PORT,
            path=unquote(parts.path) if is_local else "",
            database=int(query.get("db", 0) if is_local else parts.path.strip("/") or 0),
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            tls=ssl.create_default_context(cafile=query.get("ssl_ca_certs")) if parts.scheme == "valkeys" else None,
        )

    def greeting(self) -> list[tuple[str, ...]]:
        """Return what a new connection says first."""
        who = [("AUTH", self.username, self.password)] if self.password else []
        where = [("SELECT", str(self.database))] if self.database else []
        return [*who, *where]


class Connection(asyncio.Protocol):
    """One connection. Replies come in the order in which was asked; `lost` is done when there will be no more of them."""

    def __init__(self, seconds_max: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds_max = seconds_max
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._unsent: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.Future[Any] | None = None
        self.lost: asyncio.Future[str] = self._loop.create_future()

    def ask(self, packed: bytes) -> "asyncio.Future[Any]":
        """Have a command sent with all others of this turn; return its reply to come, which may be a ReplyError. Raises Away."""
        if self._transport is None or len(self._waiting) >= ASKED_MAX:
            raise Away("no connection" if self._transport is None else "too many questions at once")
        reply: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((reply, self._loop.time()))
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(packed)
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds_max, self._look)
        return reply

    def close(self, why: str) -> None:
        """Close, and tell everybody who waits."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        if self._timer is not None:
            self._timer.cancel()
        while self._waiting:
            reply, _ = self._waiting.popleft()
            if not reply.done():
                reply.set_exception(Away(why))
        if not self.lost.done():
            self.lost.set_result(why)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server has accepted."""
        # Of this kind in fact, though uvloop's are not in name.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand out the replies that have arrived."""
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                reply, _ = self._waiting.popleft()
                if not reply.done():
                    reply.set_result(answer)
        except Exception as error:  # noqa: BLE001 - what cannot be read ends the connection, and not the event loop
            self.close(f"{type(error).__name__}: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        """The server has gone."""
        self.close(str(exc or "closed by the server"))

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self._transport is not None:
            self._transport.write(b"".join(unsent))

    def _look(self) -> None:
        """Close where the oldest reply is late."""
        self._timer = None
        if not self._waiting:
            return
        oldest, asked_at = self._waiting[0]
        left = asked_at + self._seconds_max - self._loop.time()
        if left <= 0:
            if oldest is self._late:
                self.close("no answer in time")
                return
            self._late, left = oldest, GRACE_SECONDS
        self._timer = self._loop.call_later(left, self._look)


class Wire:
    """Keeps a connection to the server at `url`, and opens another after each loss. `load` is sent first on each, and must succeed."""

    def __init__(self, url: str, seconds_max: float, load: Sequence[tuple[str, ...]] = ()) -> None:
        self._address = Address.of(url)
        self._seconds_max = seconds_max
        self._load = load
        self._connection: Connection | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._first = asyncio.Event()
        _wires.add(self)

    @property
    def is_open(self) -> bool:
        """Whether the server answered when it was last asked."""
        return self._connection is not None and not self._connection.lost.done()

    async def start(self) -> None:
        """Begin to keep a connection; return when there is one, or when the server is known to be away."""
        self._first = asyncio.Event()
        self._keeping = asyncio.create_task(self._keep(), name="keyrack:valkey")
        await self._first.wait()

    async def stop(self) -> None:
        """Close the connection."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping

    def ask(self, packed: bytes) -> "asyncio.Future[Any]":
        """Ask what `Connection.ask` asks. Raises Away at once where there is no connection."""
        if self._connection is None:
            raise Away("no connection")
        return self._connection.ask(packed)

    def give_up(self, why: str) -> None:
        """Close this connection: its server answers, but not what it should. Another one is opened."""
        if self._connection is not None:
            self._connection.close(why)

    async def open(self) -> Connection:
        """Open a connection on which everything that is said first was answered well. Raises Away."""
        connection: Connection | None = None
        try:
            async with asyncio.timeout(OPEN_SECONDS_MAX):
                connection = await self._connected()
                commands = [*self._address.greeting(), *self._load, _PROBE]
                for reply in [connection.ask(pack_command(command)) for command in commands]:
                    if isinstance(answer := await reply, ReplyError):
                        raise Away(str(answer))
                return connection
        except BaseException as error:
            if connection is not None:
                connection.close("given up")
            if isinstance(error, Exception) and not isinstance(error, Away):
                # Whatever it is, a name that is none, say: it must not end the task that tries again.
                raise Away(f"{type(error).__name__}: {error}") from error
            raise

    def forget(self) -> None:
        """In a forked child, the connection is the parent's: it is never used, nor closed."""
        _orphans.append((self._connection, self._keeping))
        self._connection = self._keeping = None

    async def _connected(self) -> Connection:
        loop, address = asyncio.get_running_loop(), self._address

        def connection() -> Connection:
            return Connection(self._seconds_max)

        if address.path:
            return (await loop.create_unix_connection(connection, address.path))[1]
        return (await loop.create_connection(connection, address.host, address.port, ssl=address.tls))[1]

    async def _keep(self) -> None:
        pause, told = PAUSE_SECONDS_MIN, False
        while True:
            try:
                connection = await self.open()
                began = asyncio.get_running_loop().time()
                why = await self._use(connection)
                if asyncio.get_running_loop().time() - began > PAUSE_SECONDS_MAX:
                    pause, told = PAUSE_SECONDS_MIN, False
            except Away as away:
                why = str(away)
            if not told:
                told = True
                log.warning("valkey_away", reason=why[:200], advice="each process admits its share of every limit until it is back")
            self._first.set()
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret: processes must not return at the same moment
            pause = min(2 * pause, PAUSE_SECONDS_MAX)

    async def _use(self, connection: Connection) -> str:
        """Let everybody ask on a connection until it is lost; return why."""
        try:
            self._connection = connection
            self._first.set()
            log.info("valkey_answers")
            return await connection.lost
        finally:
            self._connection = None
            connection.close("stopped")


_wires: "WeakSet[Wire]" = WeakSet()
_orphans: list[Any] = []


def _forget() -> None:
    for wire in list(_wires):
        wire.forget()


os.register_at_fork(after_in_child=_forget)
