"""The engine that hosts get for their own tables: writers queue, readers delay nobody, and a cancelled one leaves nothing locked."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from keyrack.store import database
from tests.backends import Backend

counters = Table("counters", MetaData(), Column("id", Integer, primary_key=True), Column("count", Integer, nullable=False))


@pytest.fixture
async def engine(backend: Backend) -> AsyncIterator[AsyncEngine]:
    """The engine of a host with one counter at zero."""
    engine = database.create_engine(backend.url)
    async with engine.begin() as connection:
        await connection.run_sync(counters.metadata.create_all)
        await connection.execute(counters.insert().values(id=1, count=0))
    yield engine
    await engine.dispose()


async def _count(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        reading = await connection.execution_options(keyrack_read_only=True)
        return int((await reading.execute(select(counters.c.count))).scalar_one())


async def test_writers_that_read_first_queue_and_lose_no_update(engine: AsyncEngine) -> None:
    async def raise_it() -> None:
        async with engine.begin() as connection:
            count = (await connection.execute(select(counters.c.count).with_for_update())).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(update(counters).values(count=count + 1))

    await asyncio.gather(*[raise_it() for _ in range(20)])
    assert await _count(engine) == 20


async def test_a_read_only_connection_waits_for_no_writer(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(update(counters).values(count=9))
        assert await _count(engine) == 0
    assert await _count(engine) == 9


async def test_a_writer_that_is_cancelled_leaves_nothing_locked(engine: AsyncEngine) -> None:
    async def write_on() -> None:
        async with engine.begin() as connection:
            while True:
                await connection.execute(update(counters).values(count=counters.c.count + 1).returning(counters.c.count))

    for milliseconds in range(10):
        task = asyncio.create_task(write_on())
        await asyncio.sleep(milliseconds / 1000)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with engine.begin() as connection:
        await connection.execute(update(counters).values(count=counters.c.count + 1))
    assert await _count(engine) == 1


async def test_a_new_file_that_another_connection_writes_to_is_waited_for(tmp_path: Path) -> None:
    async def connect() -> None:
        async with new.begin() as connection:
            await connection.execute(text("SELECT 1"))

    writer = sqlite3.connect(tmp_path / "new.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    new = database.create_engine(f"sqlite:///{tmp_path}/new.db")
    connecting = [asyncio.create_task(connect()) for _ in range(4)]
    # Until they have asked for the write-ahead log, which SQLite refuses at once.
    await asyncio.sleep(0.2)
    writer.execute("COMMIT")
    await asyncio.gather(*connecting)
    writer.close()
    await new.dispose()


async def test_a_file_is_synced_and_checks_its_foreign_keys(engine: AsyncEngine, backend: Backend) -> None:
    if backend.dialect != "sqlite":
        pytest.skip("only for files")
    async with engine.connect() as connection:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [(await connection.execute(text(f"PRAGMA {name}"))).scalar_one() for name in names]
    assert found == ["wal", 2, 1, 5000]
