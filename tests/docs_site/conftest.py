"""Atrium's docs under each brand, in this process, and readers of them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from atrium.factory import create_app
from keyrack import Keyrack, Settings
from tests.hosts import living


class Readers:
    """Gives a reader of each brand's docs: the app is started when the first test asks."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._racks: dict[str, tuple[httpx.AsyncClient, Keyrack]] = {}

    async def of(self, brand: str) -> httpx.AsyncClient:
        """Return somebody who reads a brand's docs."""
        return (await self._opened(brand))[0]

    async def rack(self, brand: str) -> Keyrack:
        """Return the rack behind them."""
        return (await self._opened(brand))[1]

    async def _opened(self, brand: str) -> tuple[httpx.AsyncClient, Keyrack]:
        if brand not in self._racks:
            app = create_app(Settings(data=self._folder / brand), brand)
            await self._stack.enter_async_context(living(app))
            transport = httpx.ASGITransport(app=app, client=("192.0.2.7", 5000))
            client = await self._stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=f"http://{brand}.test"))
            self._racks[brand] = client, app.state.rack
        return self._racks[brand]


@pytest.fixture(scope="session")
async def readers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Readers]:
    """Readers of the docs of all brands."""
    async with AsyncExitStack() as stack:
        yield Readers(tmp_path_factory.mktemp("docs"), stack)


@pytest.fixture(scope="session")
async def reader(readers: Readers) -> httpx.AsyncClient:
    """A reader of Pivotal's docs."""
    return await readers.of("pivotal")
