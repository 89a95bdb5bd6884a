"""Servers are killed while they deliver to a receiver that fails, hangs and breaks off; endpoints come and go meanwhile.

Afterwards every event whose call was answered has arrived at the endpoint that was there before and stayed, and no attempt began after the
deletion of its endpoint was answered.
"""

import asyncio
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import standardwebhooks

from keyrack import Settings
from keyrack.manage import keys
from keyrack.store.migrations import migrate
from tests.chaos.nodes import _die_with_parent
from tests.deliveries.app import Base, build_rack
from tests.deliveries.receivers import OK, Received, Receiver, receiving, status
from tests.hosts import ADMIN_RIGHTS

ROOT = Path(__file__).parent.parent.parent
READY_SECONDS_MAX = 120
CALLS_AT_ONCE = 8
# How long the receiver may take to notice a byte that has come: it is a task among others, on a machine that has more to do.
NOTICED_SECONDS_MAX = 0.25


@dataclass(frozen=True)
class Plan:
    """What is played: how many events, how often a server is killed, how many endpoints are deleted, and on how many processes."""

    events: int
    kills: int
    deletions: int
    processes: int = 2
    hanging: float = 0.002
    seconds_max: float = 600.0
    seed: int = 1


@dataclass
class History:
    """What happened."""

    created: set[str] = field(default_factory=set)
    unanswered: int = 0
    kills: int = 0
    arrived: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    deleted: dict[str, float] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    unsigned: int = 0
    missing: set[str] = field(default_factory=set)
    seconds: float = 0.0

    def lines(self) -> list[tuple[str, str]]:
        """What is told of it."""
        repeated = sum(count - 1 for count in self.arrived.values())
        return [
            ("events whose call was answered", f"{len(self.created):,}"),
            ("calls without an answer", f"{self.unanswered:,}"),
            ("kills of a server", f"{self.kills:,}"),
            ("deliveries that the receiver got", f"{sum(self.answers.values()):,}"),
            ("of them answered", ", ".join(f"{name} {count:,}" for name, count in sorted(self.answers.items()))),
            ("events that never arrived", f"{len(self.missing):,}"),
            ("accepted more than once", f"{repeated:,}"),
            ("endpoints deleted meanwhile", f"{len(self.deleted):,}"),
            ("attempts after a deletion was answered", f"{len(self.late):,}"),
            ("deliveries with a wrong signature", f"{self.unsigned:,}"),
            ("seconds", f"{self.seconds:.0f}"),
        ]


@dataclass
class Server:
    """One process that serves, on a port that it keeps."""

    number: int
    environment: dict[str, str]
    data: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as listening:
                self.port = listening.getsockname()[1]
        keyrack = [sys.executable, "-c", "from keyrack.cli import main; main()"]
        command = [
            *keyrack,
            "serve",
            "tests.deliveries.app:app",
            "--port",
            f"{self.port}",
            "--data",
            f"{self.data}",
            "--drain-seconds",
            "1",
        ]
        with (self.data / f"server-{self.number}.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_parent
            )

    def kill(self) -> None:
        """End it without a word."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    async def ready(self, client: httpx.AsyncClient) -> None:
        """Return when it serves."""
        async with asyncio.timeout(READY_SECONDS_MAX):
            while True:
                with suppress(httpx.HTTPError):
                    if (await client.get(f"http://127.0.0.1:{self.port}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)


class Play:
    """One play on one database."""

    def __init__(self, plan: Plan, data: Path, database_url: str | None, receiver: Receiver, key: str) -> None:
        self.history = History()
        self._plan = plan
        self._receiver = receiver
        self._random = random.Random(plan.seed)
        self._secrets: dict[str, str] = {}
        self._names = itertools.count()
        self._client = httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False)
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}/src:{ROOT}", "KEYRACK_OUTGOING_NETWORKS": '["127.0.0.0/8"]'}
        if database_url is not None:
            environment["KEYRACK_DATABASE_URL"] = database_url
        self._servers = [Server(number, environment, data) for number in range(plan.processes)]
        receiver.answer = self._answer

    async def run(self) -> History:
        """Play, and return what happened."""
        began = time.monotonic()
        try:
            for server in self._servers:
                server.start()
                await server.ready(self._client)
            await self._add_endpoint("/stays")
            making = [asyncio.create_task(self._make()) for _ in range(CALLS_AT_ONCE)]
            beside = [asyncio.create_task(self._kill_on()), asyncio.create_task(self._delete_on())]
            await asyncio.gather(*making, *beside)
            await self._until_all_arrived()
        finally:
            for server in self._servers:
                server.kill()
            await self._client.aclose()
        self._judge()
        self.history.seconds = time.monotonic() - began
        return self.history

    def _answer(self, received: Received) -> bytes | None:
        if received.path not in self._secrets:
            return status(500)
        try:
            content = standardwebhooks.Webhook(self._secrets[received.path]).verify(received.body, received.headers)
        except standardwebhooks.WebhookVerificationError:
            self.history.unsigned += 1
            return status(400)
        chance = self._random.random()
        for kind, share, answer in (("500", 0.1, status(500)), ("reset", 0.05, b""), ("hanging", self._plan.hanging, None)):
            if chance < share:
                self.history.answers[kind] += 1
                return answer
            chance -= share
        self.history.answers["200"] += 1
        if received.path == "/stays":
            self.history.arrived[content["data"]["name"]] += 1
        return OK

    async def _make(self) -> None:
        while len(self.history.created) < self._plan.events:
            name = f"customer-{next(self._names)}"
            server = self._random.choice(self._servers)
            answer = await self._call("POST", server, f"/customers/{name}")
            if answer is not None and answer.status_code == 201:
                self.history.created.add(name)
            else:
                self.history.unanswered += 1
                await asyncio.sleep(0.05)

    async def _kill_on(self) -> None:
        """Kill one server after another, spread over the events."""
        for number in range(self._plan.kills):
            await self._until_made((number + 1) / (self._plan.kills + 1))
            server = self._servers[number % len(self._servers)]
            server.kill()
            self.history.kills += 1
            server.start()
            await server.ready(self._client)

    async def _delete_on(self) -> None:
        """Make an endpoint and delete it again while deliveries to it are under way, spread over the events."""
        for number in range(self._plan.deletions):
            endpoint_id, path = await self._add_endpoint(f"/goes-{number}")
            await self._until_made((number + 1) / (self._plan.deletions + 1))
            while True:
                answer = await self._call("DELETE", self._random.choice(self._servers), f"/endpoints/{endpoint_id}")
                # Where a server was killed in between, the other one is asked, or it again: a deletion that happened is a 404.
                if answer is not None and answer.status_code in (204, 404):
                    self.history.deleted[path] = time.monotonic()
                    break
                await asyncio.sleep(0.1)

    async def _add_endpoint(self, path: str) -> tuple[str, str]:
        while True:
            wanted = {"url": self._receiver.url + path, "events": ["customer.created"], "parallel": 20}
            answer = await self._call("POST", self._random.choice(self._servers), "/endpoints", wanted)
            if answer is not None and answer.status_code == 201:
                self._secrets[path] = answer.json()["secret"]
                return str(answer.json()["id"]), path
            # One whose answer was lost may be there all the same, and nobody knows its secret: the next one gets a path of its own.
            path = f"{path}-again"
            await asyncio.sleep(0.1)

    async def _call(self, method: str, server: Server, path: str, body: object = None) -> httpx.Response | None:
        try:
            return await self._client.request(method, f"http://127.0.0.1:{server.port}/api/v1{path}", json=body)
        except httpx.HTTPError:
            return None

    async def _until_made(self, part: float) -> None:
        await _until(lambda: len(self.history.created) >= self._plan.events * part)

    async def _until_all_arrived(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._plan.seconds_max):
                await _until(lambda: self.history.created <= self.history.arrived.keys())

    def _judge(self) -> None:
        history = self.history
        history.missing = history.created - history.arrived.keys()
        history.late = [
            received.path
            for received in self._receiver.received
            if received.at > history.deleted.get(received.path, float("inf")) + NOTICED_SECONDS_MAX
        ]


async def _until(condition: Callable[[], bool]) -> None:
    while True:
        if condition():
            return
        await asyncio.sleep(0.05)


async def play(plan: Plan, data: Path, database_url: str | None = None) -> History:
    """Set an installation up, and play on it."""
    settings = Settings(data=data, database_url=database_url)
    async with receiving() as receiver:
        return await Play(plan, data, database_url, receiver, await _set_up(settings)).run()


async def _set_up(settings: Settings) -> str:
    """Make the tables, ours and the host's, and a workspace; return the secret of an admin's key."""
    await migrate(settings.store_url, settings.traffic_url)
    rack = build_rack(settings)
    engine = rack.host_engine()
    try:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        workspace = await rack.workspaces.create("VML", slug="vml")
        owner = await rack.workspaces.operator(workspace.id)
        return (await keys.create(rack.assembly.desk, owner, name="admin", rights=ADMIN_RIGHTS)).secret.text
    finally:
        await engine.dispose()
        await rack.assembly.store.close()
