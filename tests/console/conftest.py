"""A running host with an owner, an admin and a plain member, who come with browsers of their own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyrack.model.members import Role
from tests.backends import Backend
from tests.console.visitors import Office
from tests.hosts import running

MEMBERS = {"Ada": Role.OWNER, "Bo": Role.ADMIN, "Cy": Role.MEMBER}


@asynccontextmanager
async def opened(backend: Backend, folder: Path, **options: Any) -> AsyncIterator[Office]:
    """Run a host whose workspace has three members."""
    async with running(backend, folder, **options) as host, AsyncExitStack() as clients:

        async def client() -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app=host.app, raise_app_exceptions=False)
            return await clients.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://acme.test"))

        office = Office(host, client)
        for name, role in MEMBERS.items():
            office.members[name] = await host.rack.members.add(
                host.workspace.id, email=f"{name}@acme.example", name=f"{name} Park", role=role
            )
        yield office


@pytest.fixture
async def office(backend: Backend, tmp_path: Path) -> AsyncIterator[Office]:
    """The console of a workspace of the test's own, on each kind of database."""
    async with opened(backend, tmp_path) as office:
        yield office


@pytest.fixture(scope="module")
async def showroom(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A console to look at, which is the same whatever the database is: the tests of a file share it, and change nothing."""
    folder = tmp_path_factory.mktemp("showroom")
    async with opened(Backend.in_folder(folder), folder) as office:
        yield office


@pytest.fixture
async def behind_a_proxy(tmp_path: Path) -> AsyncIterator[Office]:
    """A console that people reach over https, below a path, through a proxy that ends both."""
    async with opened(Backend.in_folder(tmp_path), tmp_path, base_url="https://acme.example/tools") as office:
        yield office


@pytest.fixture
async def mailing(tmp_path: Path) -> AsyncIterator[Office]:
    """A console from which mail goes out, to where nobody listens."""
    options: dict[str, Any] = {"base_url": "https://acme.example", "mail_from": "rack@acme.example", "smtp_url": "smtp://127.0.0.1:9"}
    async with opened(Backend.in_folder(tmp_path), tmp_path, **options) as office:
        yield office
