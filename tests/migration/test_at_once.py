"""Several who migrate at once in one process, each a database of its own or all the same, do not get in each other's way."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine

from keyrack.store.migrations import migrate
from tests.backends import Backend
from tests.hosts import running

Stores = list[tuple[Backend, Path]]


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Three empty databases, each with a data folder."""
    folders = [tmp_path / name for name in ("first", "second", "third")]
    for folder in folders:
        folder.mkdir()
    if request.param == "sqlite":
        yield [(Backend.in_folder(folder), folder) for folder in folders]
    else:
        server = request.getfixturevalue("postgresql_server")
        with ExitStack() as databases:
            yield [(Backend("postgresql", databases.enter_context(server.database()), None), folder) for folder in folders]


async def test_racks_that_start_at_once_each_serve_their_own(stores: Stores) -> None:
    async def serve(backend: Backend, folder: Path) -> str:
        async with running(backend, folder) as host:
            answer = await host.get("/api/v1/customers", await host.key())
            assert answer.json()["workspace_id"] == host.workspace.id
            return host.workspace.id

    assert len(stores) == len(set(await asyncio.gather(*(serve(*store) for store in stores))))


async def test_event_loops_of_several_threads_migrate_at_once(stores: Stores) -> None:
    def run(backend: Backend) -> list[str]:
        return asyncio.run(migrate(backend.url, backend.traffic_url))

    first, *others = await asyncio.gather(*(asyncio.to_thread(run, backend) for backend, _ in stores))
    assert first
    assert [first, first] == others


async def test_of_several_tasks_that_migrate_one_store_each_script_runs_in_one(stores: Stores) -> None:
    backend, _ = stores[0]
    ran = await asyncio.gather(*(migrate(backend.url, backend.traffic_url) for _ in range(4)))
    names = [script for scripts in ran for script in scripts]
    assert len(names) == len(set(names)) > 0


async def test_a_migration_that_a_host_is_running_goes_on_in_its_own_database(stores: Stores) -> None:
    backend, folder = stores[0]
    engine = create_engine(f"sqlite:///{folder}/host.db")
    with engine.connect() as connection, Operations.context(MigrationContext.configure(connection)):
        assert await migrate(backend.url, backend.traffic_url)
        assert op.get_bind() is connection
    engine.dispose()
