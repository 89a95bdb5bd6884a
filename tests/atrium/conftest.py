"""A running Atrium on each kind of database, shared by a file's tests: each test has a workspace of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import socket

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from atrium.chat.completions import ModelSettings
from atrium.factory import create_app
from keyrack import Keyrack, Settings
from tests.atrium.host import Host

Served = tuple[Keyrack, httpx.AsyncClient]


class Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, proxy_headers=False, access_log=False))
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Open the port."""
        await super().startup(sockets)
        self.answers.set()


@asynccontextmanager
async def serving(settings: Settings, brand: str = "atrium", model: ModelSettings | None = None) -> AsyncIterator[Served]:
    """Serve Atrium over HTTP, and give its rack and a client."""
    app = create_app(settings, brand, model)
    server = Server(app)
    task = asyncio.create_task(server.serve())
    await server.answers.wait()
    host, port = server.servers[0].sockets[0].getsockname()
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=30) as client:
        yield app.state.rack, client
    server.should_exit = True
    await task


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A running Atrium."""
    data = tmp_path_factory.mktemp("data")
    if request.param == "sqlite":
        async with serving(Settings(data=data)) as pair:
            yield pair
    else:
        with request.getfixturevalue("postgresql_server").database(migrated=True) as url:
            async with serving(Settings(data=data, database_url=url)) as pair:
                yield pair


@pytest.fixture
async def host(served: Served) -> Host:
    """A new workspace in it."""
    return await Host.create(*served)
