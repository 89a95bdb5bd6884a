"""Old and new code on one database: what comes before the code is added beside old processes, what comes after it waits until asked."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from keyrack.store.migrations import migrate, pending
from keyrack.store.sqlite import StoreUnusable
from tests.backends import Backend
from tests.cli.programs import running as program_running
from tests.hosts import ADMIN_RIGHTS
from tests.migration.newer import Newer
from tests.serving.served import HOST, Installation, Served, installed

OURS = {"PYTHONPATH": os.pathsep.join(sys.path)}
CUSTOMERS = "/api/v1/customers"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def newer(tmp_path: Path) -> Newer:
    """The next version."""
    folder = tmp_path / "newer"
    folder.mkdir()
    return Newer(folder)


@pytest.fixture
async def installation(backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Installation]:
    """An installation of this version."""
    if backend.dialect == "postgresql":
        monkeypatch.setenv("KEYRACK_DATABASE_URL", backend.url)
    async with installed(tmp_path / "data") as one:
        yield one


class Load:
    """Calls of customers to one server, without a pause, each of which must be answered."""

    def __init__(self, served: Served, key: Any) -> None:
        self._served = served
        self._key = key
        self._ends = False
        self.statuses: list[int] = []
        self._task = asyncio.create_task(self._call())

    async def end(self) -> None:
        """Stop calling."""
        self._ends = True
        await self._task

    async def _call(self) -> None:
        async with self._served.wire(self._key) as wire:
            while not self._ends:
                self.statuses.append((await wire.get(CUSTOMERS)).status)
                await asyncio.sleep(0.005)


async def test_old_processes_serve_and_change_while_new_ones_come(
    installation: Installation, newer: Newer, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = installation.rack.settings.store_url, installation.rack.settings.traffic_url
    key, first, second = [await installation.key(name=name) for name in ("load", "first", "second")]
    admin = await installation.key(ADMIN_RIGHTS, name="admin")
    async with _both(installation, newer, key) as (old, new):
        for ended, through, other in ((first, old, new), (second, new, old)):
            assert [200, 200] == [(await one.get(CUSTOMERS, ended)).status for one in (old, new)]
            await _revoke(through, admin, ended)
            assert 401 == (await other.get(CUSTOMERS, ended)).status
        # An old one that starts now finds nothing in its way, and runs nothing.
        assert [] == await migrate(*urls)
        with newer.imported(monkeypatch):
            assert [] == await migrate(*urls)
            assert [newer.post] == await pending(*urls)


async def test_what_older_code_needs_is_taken_away_when_somebody_asks(
    backend: Backend, newer: Newer, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = backend.url, backend.traffic_url
    await migrate(*urls)
    with newer.imported(monkeypatch):
        assert [newer.pre] == await migrate(*urls)
    assert [] == await migrate(*urls, post=True)
    with newer.imported(monkeypatch):
        assert [newer.post] == await migrate(*urls, post=True)
        assert [] == await migrate(*urls)
    with pytest.raises(StoreUnusable, match="A newer Keyrack has migrated this store"):
        await migrate(*urls)


async def test_a_version_that_skips_one_asks_for_what_the_skipped_one_left(
    backend: Backend, newer: Newer, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = backend.url, backend.traffic_url
    await migrate(*urls)
    newer.go_on()
    with newer.imported(monkeypatch):
        with pytest.raises(StoreUnusable, match=f"{newer.post} of an earlier version did not run.*keyrack migrate --post"):
            await migrate(*urls)
        assert [newer.pre, newer.post, newer.next] == await migrate(*urls, post=True)


async def test_a_new_database_gets_all_of_them_at_once(backend: Backend, newer: Newer, monkeypatch: pytest.MonkeyPatch) -> None:
    with newer.imported(monkeypatch):
        assert {newer.pre, newer.post} < set(await migrate(backend.url, backend.traffic_url))


async def _revoke(served: Served, admin: Any, key: Any) -> None:
    async with served.wire(admin) as wire:
        assert 200 == (await wire.send("DELETE", f"/api/v1/keys/{key.key.id}")).status


@asynccontextmanager
async def _both(installation: Installation, newer: Newer, key: Any) -> AsyncIterator[tuple[Served, Served]]:
    """An old server under load, and a new one that starts beside it. No call of the load may be refused."""
    async with _serving(installation, "old", OURS) as old:
        load = Load(old, key)
        async with _serving(installation, "new", newer.variables) as new:
            yield old, new
        await load.end()
        assert {200} == set(load.statuses)
        assert len(load.statuses) > 20


@asynccontextmanager
async def _serving(installation: Installation, name: str, variables: dict[str, str]) -> AsyncIterator[Served]:
    database = {name: value for name, value in os.environ.items() if name == "KEYRACK_DATABASE_URL"}
    arguments = ("serve", HOST, "--port", "0", "--data", str(installation.data), "--json")
    with program_running(installation.data.parent, *arguments, name=name, **variables, **database) as program:
        printed = await asyncio.to_thread(program.first_line)
        yield Served(**vars(installation), program=program, url=printed["url"])
        assert 0 == program.stop()
