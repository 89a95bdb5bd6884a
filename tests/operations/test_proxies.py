"""Two nodes behind the proxies of docs/operating.md: the client's address is right, streams and sockets pass, a restart fails no call."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect

from keyrack.manage.keys import Issued
from tests.cli.programs import Program, running
from tests.operations.proxies import free_port, proxying
from tests.serving.served import HOST, Installation, installed, serving, until

# This machine's second name, as nobody trusts it: a client's.
CLIENT = "127.0.0.2"
TRUSTED = '["127.0.0.1/32"]'
CLIENTS = 6
# Between two calls of one client: together they stay below the limit of their plan.
PAUSE_SECONDS = 0.01
# For how long nginx leaves a node alone that it did not reach, and a little.
FAIL_SECONDS = 2.5


@dataclass
class Cluster:
    """Two nodes on one data folder, behind a proxy."""

    installation: Installation
    port: int


@asynccontextmanager
async def cluster_of(kind: str, folder: Path) -> AsyncIterator[Cluster]:
    """Run two nodes, and the proxy."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(installed(folder / "data"))
        nodes = [await stack.enter_async_context(serving(one, name=f"node{n}", KEYRACK_TRUSTED_PROXIES=TRUSTED)) for n in (1, 2)]
        addresses = (nodes[0].url.removeprefix("http://"), nodes[1].url.removeprefix("http://"))
        yield Cluster(one, stack.enter_context(proxying(kind, folder, addresses)))


@pytest.fixture(scope="module", params=["nginx", "haproxy", "caddy"])
async def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """One for each proxy."""
    async with cluster_of(request.param, tmp_path_factory.mktemp(request.param)) as one:
        yield one


def _me(port: int, key: Issued) -> tuple[int, str]:
    """Call from CLIENT, and lie about the address. Return the status and the request id."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30, source_address=(CLIENT, 0))
    headers = {"Authorization": f"Bearer {key.secret.text}", "X-Forwarded-For": "198.51.100.9", "Forwarded": "for=198.51.100.8"}
    connection.request("GET", "/api/v1/me", headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers["X-Request-Id"]


async def test_logged_address_is_the_clients_whatever_it_says_itself(cluster: Cluster) -> None:
    key = await cluster.installation.key()
    answers = [await asyncio.to_thread(_me, cluster.port, key) for _ in range(4)]
    assert {200} == {status for status, _ in answers}
    ids = [request_id for _, request_id in answers]
    await cluster.installation.all_logged(ids)
    async with cluster.installation.rack.assembly.store.reading_traffic() as c:
        rows = await c.all(text("SELECT request_id, ip_address FROM keyrack_request_logs"))
    assert {CLIENT} == {row.ip_address for row in rows if row.request_id in ids}


async def test_streams_arrive_as_they_are_sent_and_end_with_their_key(cluster: Cluster) -> None:
    key = await cluster.installation.key()
    headers = {"Authorization": f"Bearer {key.secret.text}"}
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{cluster.port}", timeout=30) as client,
        client.stream("GET", "/api/v1/silent?parts=2", headers=headers) as answer,
    ):
        parts = answer.aiter_raw()
        received = b""
        while b"part 1" not in received:
            received += await anext(parts)
        await cluster.installation.revoke(key)
        # Caddy says of a stream that was cut that it is complete.
        with suppress(httpx.RemoteProtocolError):
            async for _ in parts:
                pass


async def test_sockets_pass(cluster: Cluster) -> None:
    async with connect(f"ws://127.0.0.1:{cluster.port}/api/v1/public", proxy=None) as socket:
        assert "hello" == await socket.recv()


async def test_metrics_are_not_shown_outside(cluster: Cluster) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{cluster.port}") as client:
        answer = await client.get("/metrics")
    assert 404 == answer.status_code
    assert "x-request-id" not in answer.headers


class Load:
    """Clients that keep their connections and call without a pause, each until it is told to stop or its server says goodbye."""

    def __init__(self, port: int, key: Issued, *, reconnects: bool) -> None:
        self.served: Counter[int] = Counter()
        self.failed: list[str] = []
        self.request_ids: list[str] = []
        self._port = port
        self._headers = {"Authorization": f"Bearer {key.secret.text}"}
        self._reconnects = reconnects
        self._stop = Event()
        self._threads = [Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    async def goes_on(self) -> None:
        """Wait for many more answers, or the first failure."""
        enough = self.served.total() + 200
        await until(lambda: self.served.total() > enough or self.failed)

    def end(self) -> None:
        """Stop, and wait for all answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, number: int) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        with closing(connection):
            self._call(connection, number)

    def _call(self, connection: HTTPConnection, number: int) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            number += 1
            try:
                method, path = ("POST", "/api/v1/nudge") if number % 3 == 0 else ("GET", "/api/v1/both")
                connection.request(method, path, headers=self._headers)
                answer = connection.getresponse()
                body = answer.read()
            except OSError as error:
                self.failed.append(f"{type(error).__name__}: {error}")
                return
            if answer.status != 200:
                self.failed.append(f"{answer.status} {body[:200]!r}")
            self.request_ids.append(answer.headers["X-Request-Id"])
            self.served[len(body)] += 1
            if answer.will_close:
                connection.close()
                if not self._reconnects:
                    return


@pytest.mark.parametrize("workers", [1, 2])
async def test_stop_under_load_fails_no_call_of_clients_that_keep_their_connections(tmp_path: Path, workers: int) -> None:
    async with installed(tmp_path / "data") as installation:
        key = await installation.key()
        async with serving(installation, "--workers", str(workers)) as served:
            load = Load(int(served.url.rpartition(":")[2]), key, reconnects=False)
            try:
                await until(lambda: load.served.total() > 300)
                served.program.process.send_signal(signal.SIGTERM)
                code = await asyncio.to_thread(served.program.process.wait, 60)
            finally:
                load.end()
        assert ([], 0) == (load.failed, code)
        assert load.served.total() > 300
        await installation.all_logged(load.request_ids)


@asynccontextmanager
async def _node(installation: Installation, port: int, name: str) -> AsyncIterator[Program]:
    arguments = ("serve", HOST, "--port", str(port), "--data", str(installation.data), "--json")
    with running(installation.data.parent, *arguments, name=name, PYTHONPATH=os.pathsep.join(sys.path)) as program:
        await asyncio.to_thread(program.first_line)
        yield program


async def test_rolling_restart_of_two_nodes_fails_no_call(tmp_path: Path) -> None:
    ports = (free_port(), free_port())
    async with installed(tmp_path / "data") as installation, AsyncExitStack() as stack:
        key = await installation.key()
        nodes = [await stack.enter_async_context(_node(installation, port, f"node{port}")) for port in ports]
        port = stack.enter_context(proxying("nginx", tmp_path, (f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}")))
        load = Load(port, key, reconnects=True)
        try:
            for number, own in enumerate(ports):
                await load.goes_on()
                assert 0 == await asyncio.to_thread(nodes[number].stop, signal.SIGTERM)
                await load.goes_on()
                await stack.enter_async_context(_node(installation, own, f"again{own}"))
                await asyncio.sleep(FAIL_SECONDS)
        finally:
            load.end()
        assert [] == load.failed
        await installation.all_logged(load.request_ids)
