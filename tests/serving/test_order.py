"""The line is written before the message that completes an answer, and not earlier: a kill between the two could lose no answer's line."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from keyrack import Keyrack, Settings
from keyrack.manage import keys
from keyrack.store.spool import START
from tests.hosts import BRAND, CATEGORIES, PLANS, Host, build_app, client_of, living

EXTENSION: dict[str, Any] = {"websocket.http.response": {}}
LINES_MAX = 100


class Pieces(Response):
    """An answer of a told length in pieces, whose last piece does not say that it is the last."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        await send({"type": "http.response.body", "body": b"def", "more_body": True})
        await send({"type": "http.response.body"})


def build(rack: Keyrack) -> FastAPI:
    """Return a host with answers and sockets of every kind."""
    app = build_app(rack)
    read = [rack.requires("customers:read")]

    @app.get("/api/v1/pieces", dependencies=read)
    async def answer_in_pieces() -> Response:
        return Pieces()

    @app.get("/api/v1/nothing", dependencies=read)
    async def answer_nothing() -> Response:
        return Response()

    @app.api_route("/api/v1/parts", methods=["GET", "HEAD"], dependencies=read)
    async def stream_parts() -> StreamingResponse:
        return StreamingResponse(iter([b"one", b"two"]))

    @app.websocket("/api/v1/farewell", dependencies=read)
    async def farewell(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("farewell")
        await websocket.close()

    return app


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """That host, running in this process."""
    rack = Keyrack(Settings(data=tmp_path), brand=BRAND, categories=CATEGORIES, plans=PLANS)
    app = build(rack)
    rack.install(app)
    async with living(app), client_of(rack, app) as one:
        yield one


class Client:
    """Notes of every message that reaches it whether the call's line had been written by then."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lines_before = self._lines()
        self._sent: list[Message] = []
        self.told: list[tuple[str, bool]] = []

    async def call(self, method: str, path: str, key: keys.Issued | None, body: bytes = b"") -> list[tuple[str, bool]]:
        """Make a call."""
        self._sent = [{"type": "http.request", "body": body, "more_body": False}]
        await self._host.app({**_head(path, key), "type": "http", "method": method, "scheme": "http"}, self._receive, self._send)
        return self.told

    async def dial(self, path: str, key: keys.Issued | None, extensions: dict[str, Any], *texts: str) -> list[tuple[str, bool]]:
        """Open a socket, send these texts, and leave."""
        self._sent = [{"type": "websocket.connect"}, *[{"type": "websocket.receive", "text": text} for text in texts]]
        self._sent.append({"type": "websocket.disconnect", "code": 1000})
        await self._host.app({**_head(path, key), "type": "websocket", "scheme": "ws", "extensions": extensions}, self._receive, self._send)
        return self.told

    async def _receive(self) -> Message:
        return self._sent.pop(0) if self._sent else {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.told.append((message["type"].rpartition(".")[2], self.is_logged))

    @property
    def is_logged(self) -> bool:
        """Whether the line of this client's call is where a kill does not reach it."""
        return self._lines() > self._lines_before

    def _lines(self) -> int:
        return sum(len(segment.read(START, LINES_MAX)[0]) for segment in self._host.rack.assembly.spool.own())


def _head(path: str, key: keys.Issued | None) -> dict[str, Any]:
    headers = [(b"host", b"acme.test"), (b"content-type", b"application/json")]
    proof = [(b"authorization", f"Bearer {key.secret.text}".encode())] if key is not None else []
    client = ("192.0.2.7", 5000)
    return {
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "path": path,
        "query_string": b"",
        "headers": headers + proof,
        "client": client,
        "root_path": "",
    }


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("GET", "/api/v1/customers", [("start", False), ("body", True)]),
        ("GET", "/api/v1/pieces", [("start", False), ("body", False), ("body", True)]),
        ("GET", "/api/v1/parts", [("start", False), ("body", False), ("body", False), ("body", True)]),
        ("HEAD", "/api/v1/parts", [("start", True), ("body", True)]),
        ("GET", "/api/v1/nothing", [("start", True), ("body", True)]),
        ("DELETE", "/api/v1/customers/c1", [("start", True), ("body", True)]),
        ("POST", "/api/v1/customers", [("start", False), ("body", True)]),
        ("PUT", "/api/v1/customers", [("start", True), ("body", True)]),
        ("GET", "/api/v1/crash", [("start", True), ("body", True)]),
        ("GET", "/api/v1/nowhere", [("start", True), ("body", True)]),
    ],
)
async def test_line_is_written_before_the_message_that_completes_the_answer(
    host: Host, method: str, path: str, told: list[tuple[str, bool]]
) -> None:
    assert told == await Client(host).call(method, path, await host.key(), b'{"name": "Acme"}')


async def test_line_of_a_refused_stranger_is_written_before_the_refusal(host: Host) -> None:
    assert [("start", True), ("body", True)] == await Client(host).call("GET", "/api/v1/customers", None)


async def test_line_of_a_socket_is_written_before_the_message_that_ends_it(host: Host) -> None:
    key = await host.key()
    assert [("start", True), ("body", True)] == await Client(host).dial("/api/v1/socket", None, EXTENSION)
    assert [("close", True)] == await Client(host).dial("/api/v1/socket", None, {})
    assert [("accept", False), ("send", False), ("close", True)] == await Client(host).dial("/api/v1/farewell", key, EXTENSION)


async def test_line_of_a_socket_whose_client_leaves_is_written_then(host: Host) -> None:
    client = Client(host)
    assert [("accept", False), ("send", False)] == await client.dial("/api/v1/socket", await host.key(), EXTENSION, "hello")
    assert client.is_logged
