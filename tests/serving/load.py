"""Clients that call, each on a connection that is kept alive, until their server is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from keyrack.manage import keys
from keyrack.model.permissions import Level, Rights
from tests.hosts import ALL_RIGHTS
from tests.serving.served import Installation, until
from tests.serving.wire import SECONDS_MAX, Cut, Wire, connected

CONNECTIONS = 6
JSON = "Content-Type: application/json"
HANDSHAKE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==")
Call = tuple[str, str, tuple[str, ...], bytes, str]


class Load:
    """`received`: the ids of all answers that arrived whole. The keys: one may everything, one only reads, one's limit is used up."""

    def __init__(self, everything: str, reader: str, limited: str) -> None:
        self.received: list[str] = []
        self.statuses: set[int] = set()
        self._calls: list[Call] = [
            ("GET", "/api/v1/customers", (), b"", everything),
            ("GET", "/api/v1/me", (), b"", everything),
            ("HEAD", "/api/v1/both", (), b"", everything),
            ("GET", "/api/v1/parts", (), b"", everything),
            ("HEAD", "/api/v1/parts", (), b"", everything),
            ("POST", "/api/v1/customers", (JSON,), b'{"name": "Acme"}', everything),
            ("POST", "/api/v1/customers", (JSON,), b"{", everything),
            ("POST", "/api/v1/echo", ("Transfer-Encoding: chunked",), b"5\r\nhello\r\n0\r\n\r\n", everything),
            ("DELETE", "/api/v1/customers/c1", (), b"", everything),
            ("GET", "/api/v1/open", (), b"", ""),
            ("OPTIONS", "/api/v1/customers", ("Access-Control-Request-Method: GET",), b"", ""),
            ("GET", "/api/v1/customers", (), b"", ""),
            ("GET", "/api/v1/customers", (), b"", "acme_unknown"),
            ("DELETE", "/api/v1/customers/c1", (), b"", reader),
            ("GET", "/api/v1/customers/missing", (), b"", everything),
            ("GET", "/api/v1/nowhere", (), b"", everything),
            ("PROPFIND", "/api/v1/customers", (), b"", everything),
            ("GET", "/api/v1/customers", (), b"", limited),
        ]

    @asynccontextmanager
    async def on(self, url: str) -> AsyncIterator[None]:
        """Call for the length of a block, in which the server ends."""
        tasks = [asyncio.create_task(self._keep_calling(url, Random(number))) for number in range(CONNECTIONS)]
        tasks.append(asyncio.create_task(self._keep_dialling(url)))
        try:
            yield
            await asyncio.wait_for(asyncio.gather(*tasks), SECONDS_MAX)
        finally:
            for task in tasks:
                task.cancel()

    async def receives(self, count: int) -> None:
        """Wait until so many more answers have arrived."""
        wanted = len(self.received) + count
        await until(lambda: len(self.received) >= wanted)

    async def _keep_calling(self, url: str, chance: Random) -> None:
        async with connected(url) as wire:
            try:
                while True:
                    # Mostly one after another, sometimes several at once.
                    calls = chance.choices(self._calls, k=chance.choice((1, 1, 1, 4)))
                    for method, target, headers, body, key in calls:
                        wire.ask(method, target, *headers, body=body, key=key)
                    for method, *_ in calls:
                        await self._receive(wire, method)
            except Cut:
                return

    async def _keep_dialling(self, url: str) -> None:
        """Ask for WebSockets without a credential: each handshake is refused, and its connection closed."""
        try:
            while True:
                async with connected(url) as wire:
                    wire.ask("GET", "/api/v1/socket", *HANDSHAKE)
                    await self._receive(wire, "GET")
        except (Cut, OSError):
            return

    async def _receive(self, wire: Wire, method: str) -> None:
        answer = await wire.answer(method)
        self.received.append(answer.request_id)
        self.statuses.add(answer.status)


async def load_on(installation: Installation) -> Load:
    """Make the keys for a load."""
    rack = installation.rack
    small = await rack.workspaces.create("Small", slug="small")
    await rack.workspaces.set_plan(small.id, "small")
    owner = await rack.workspaces.operator(small.id)
    limited = await keys.create(rack.assembly.desk, owner, name="limited", rights=ALL_RIGHTS)
    everything = await installation.key()
    reader = await installation.key(Rights(permissions={"customers": Level.READ}))
    return Load(everything.secret.text, reader.secret.text, limited.secret.text)
