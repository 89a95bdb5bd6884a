"""One behaviour of transactions on both databases: snapshots, all or nothing, waiting instead of failing, and errors that tell nothing."""

import asyncio
import os
import sqlite3
import sys
import threading

import pytest
from sqlalchemy import column, insert, make_url, select, table, text, update
from sqlalchemy.exc import DBAPIError

from keyrack.model.refusals import OUTCOME_UNKNOWN, STORE_UNAVAILABLE, Refused
from keyrack.store import changes, database
from keyrack.store.database import Connection, Duplicate, Store
from keyrack.store.sqlite import StoreUnusable
from keyrack.store.tables import revisions
from keyrack.store.traffic_tables import spool_positions
from tests.backends import Backend

CHANGER = """
import asyncio, sys
from keyrack.store import changes
from keyrack.store.database import Store

async def main(url):
    store = Store(url)
    for n in range(25):
        async with store.changing() as c:
            await changes.bump(c, ["id"], "change")
    await store.close()

asyncio.run(main(sys.argv[1]))
"""


async def _change(store: Store) -> int:
    async with store.changing() as c:
        return await changes.bump(c, ["id"], "change")


async def test_a_reading_transaction_is_one_snapshot(store: Store) -> None:
    async with store.reading() as c:
        before = await changes.newest(c)
        await _change(store)
        assert await changes.newest(c) == before
    async with store.reading() as c:
        assert await changes.newest(c) == before + 1


async def test_each_statement_that_is_asked_alone_is_a_snapshot_of_its_own(store: Store) -> None:
    async with store.asking() as c:
        before = await changes.newest(c)
        await _change(store)
        assert await changes.newest(c) == before + 1


async def test_a_reading_transaction_writes_nothing(store: Store) -> None:
    with pytest.raises((DBAPIError, Refused)):
        async with store.reading() as c:
            await changes.bump(c, ["id"], "change")
    async with store.reading() as c:
        assert await changes.newest(c) == 0


async def test_what_fails_or_is_cancelled_leaves_nothing_and_the_next_change_succeeds(store: Store) -> None:
    begun = asyncio.Event()

    async def change(*, fails: bool) -> None:
        async with store.changing() as c:
            await changes.bump(c, ["id"], "change")
            begun.set()
            if fails:
                raise ZeroDivisionError
            await asyncio.sleep(60)

    with pytest.raises(ZeroDivisionError):
        await change(fails=True)
    begun.clear()
    task = asyncio.create_task(change(fails=False))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _change(store) == 1


async def test_a_change_that_is_cancelled_inside_a_statement_leaves_nothing(store: Store) -> None:
    async def change() -> None:
        async with store.changing() as c:
            while True:
                await changes.bump(c, ["id"], "change")

    for milliseconds in range(20):
        task = asyncio.create_task(change())
        await asyncio.sleep(milliseconds / 1000)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await _change(store) == 1


async def test_changes_queue_and_none_fails(store: Store) -> None:
    assert sorted(await asyncio.gather(*[_change(store) for _ in range(40)])) == list(range(1, 41))


async def test_changers_in_several_processes_queue_and_none_fails(store: Store) -> None:
    processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", CHANGER, store.url) for _ in range(3)]
    assert [await process.wait() for process in processes] == [0, 0, 0]
    assert await _change(store) == 76


async def test_changes_of_one_workspace_run_one_after_another(store: Store) -> None:
    async def read_then_write() -> None:
        async with store.changing("workspace") as c:
            found = await changes.newest(c)
            await asyncio.sleep(0)
            await c.execute(update(revisions).values(revision=found + 1))

    await asyncio.gather(*[read_then_write() for _ in range(10)])
    async with store.reading() as c:
        assert await changes.newest(c) == 10


async def test_a_reader_waits_for_no_writer(store: Store) -> None:
    async with store.changing() as c:
        await changes.bump(c, ["id"], "change")
        async with store.reading() as reader:
            assert await changes.newest(reader) == 0


async def test_a_connection_counts_what_wrote(store: Store) -> None:
    async with store.changing() as c:
        await changes.newest(c)
        assert c.writes == 0
        await changes.bump(c, ["id"], "change")
        assert (2 if c.dialect == "sqlite" else 1) == c.writes


async def test_a_row_that_is_there_already_is_a_duplicate(store: Store) -> None:
    with pytest.raises(Duplicate):
        async with store.changing() as c:
            await c.execute(insert(revisions).values(id=1, revision=0))


async def test_a_wrong_statement_is_a_fault_of_ours_and_no_outage(store: Store) -> None:
    with pytest.raises(DBAPIError):
        async with store.reading() as c:
            await c.all(select(column("nothing")).select_from(table("nowhere")))


async def test_traffic_is_written_and_read_apart(store: Store) -> None:
    async with store.writing_traffic() as c:
        await c.execute(insert(spool_positions).values(segment="one", position=1, updated_at=0))
    async with store.reading_traffic() as c:
        assert [row.segment for row in await c.all(select(spool_positions.c.segment))] == ["one"]


async def test_an_outage_refuses_and_tells_no_internals(store: Store, backend: Backend) -> None:
    away = Store(_moved(backend.url))
    threads = threading.active_count()
    with pytest.raises(Refused) as refused:
        await _change(away)
    await away.close()
    # The driver's thread of a connection that could not be opened tells this loop that it ends.
    while threading.active_count() > threads:  # noqa: ASYNC110  (threads know no events of a loop)
        await asyncio.sleep(0.01)
    assert refused.value.refusal is STORE_UNAVAILABLE
    assert refused.value.headers == {"Retry-After": "1"}
    assert refused.value.__cause__ is not None
    assert "nowhere" not in refused.value.detail


async def test_a_child_process_opens_connections_of_its_own(store: Store) -> None:
    await _change(store)
    async with store.reading():
        child = os.fork()
        if child == 0:
            os._exit(asyncio.Runner().run(_change(store)) != 2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0  # noqa: ASYNC222  (the child needs nothing of this loop)
    assert await _change(store) == 3


async def test_a_store_can_be_used_after_it_was_closed(store: Store) -> None:
    await store.close()
    assert await _change(store) == 1


class TestSqlite:
    """What holds on files."""

    @pytest.fixture(autouse=True)
    def _only_files(self, backend: Backend) -> None:
        if backend.dialect != "sqlite":
            pytest.skip("only for files")

    async def test_the_log_is_written_ahead_and_what_must_not_be_lost_is_synced(self, store: Store) -> None:
        async def pragmas(c: Connection) -> list[object]:
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
            return [(await c.all(text(f"PRAGMA {name}")))[0][0] for name in names]

        full, normal = 2, 1
        async with store.changing() as c:
            assert await pragmas(c) == ["wal", full, 1, 1500, 0]
        async with store.reading() as c:
            assert await pragmas(c) == ["wal", full, 1, 1500, 1]
        async with store.writing_traffic() as c:
            assert await pragmas(c) == ["wal", normal, 1, 7500, 0]

    async def test_a_file_that_stays_busy_refuses(self, store: Store) -> None:
        await _change(store)
        blocker = sqlite3.connect(make_url(store.url).database or "", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refused) as refused:
            await _change(store)
        assert refused.value.refusal is STORE_UNAVAILABLE
        blocker.close()
        assert await _change(store) == 2

    async def test_a_store_that_cannot_stand_there_says_what_to_change(self, store: Store, backend: Backend) -> None:
        with pytest.raises(StoreUnusable, match="does not exist: create it"):
            await Store(_moved(backend.url)).check()
        with pytest.raises(StoreUnusable, match="keeps its data in a file"):
            Store("sqlite://")
        with pytest.raises(ValueError, match="SQLite or PostgreSQL"):
            Store("mysql://somewhere/else")
        await store.check()


class TestPostgresql:
    """What holds on servers."""

    @pytest.fixture(autouse=True)
    def _only_servers(self, backend: Backend) -> None:
        if backend.dialect != "postgresql":
            pytest.skip("only for servers")

    async def test_commits_are_durable_also_where_the_database_says_otherwise(self, store: Store) -> None:
        async with store.changing() as c:
            name = make_url(store.url).database
            await c.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
        await store.close()
        async with store.changing() as c:
            assert (await c.all(text("SHOW synchronous_commit")))[0][0] == "on"

    async def test_a_server_that_follows_another_is_not_believed(self, store: Store) -> None:
        async with store.changing() as c:
            await c.execute(text("CREATE SCHEMA standby"))
            await c.execute(text("CREATE FUNCTION standby.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'"))
            await c.execute(text(f'ALTER DATABASE "{make_url(store.url).database}" SET search_path = standby, pg_catalog'))
        await store.close()
        with pytest.raises(Refused) as refused:
            await store.check()
        assert refused.value.refusal is STORE_UNAVAILABLE

    async def test_every_wait_ends(self, store: Store) -> None:
        async with store.reading() as c:
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                assert (await c.all(text(f"SHOW {name}")))[0][0] != "0"

    async def test_a_change_that_stands_still_holds_up_no_other_for_long(self, store: Store) -> None:
        async def stand_still(*, revises: bool) -> None:
            async with store.changing("a workspace") as c:
                if revises:
                    await changes.bump(c, ["id"], "stands still")
                going_on.set()
                await others_went_on.wait()

        for revises in (True, False):
            going_on, others_went_on = asyncio.Event(), asyncio.Event()
            standing = asyncio.create_task(stand_still(revises=revises))
            await going_on.wait()
            # Refused, where it had to wait for as long as for any lock.
            async with store.changing("a workspace") as c:
                await changes.bump(c, ["id"], f"goes on {revises}")
            others_went_on.set()
            with pytest.raises(Refused):
                await standing
        async with store.reading() as c:
            assert await changes.newest(c) == 2

    async def test_a_commit_without_an_answer_is_never_told_as_done_or_not_done(self, store: Store) -> None:
        async def change() -> None:
            async with store.changing() as c:
                await changes.bump(c, ["id"], "change")
                await _end_session(store, c)

        with pytest.raises(Refused) as refused:
            await change()
        assert refused.value.refusal is OUTCOME_UNKNOWN
        assert await _change(store) == 1

    async def test_a_lost_connection_refuses_and_the_next_one_works(self, store: Store) -> None:
        async def read() -> None:
            async with store.reading() as c:
                await _end_session(store, c)
                await changes.newest(c)

        with pytest.raises(Refused) as refused:
            await read()
        assert refused.value.refusal is STORE_UNAVAILABLE
        assert await _change(store) == 1


def _moved(url: str) -> str:
    """Return the URL of a database that is not there."""
    return url.replace("keyrack.db", "nowhere/keyrack.db").replace("host=", "host=/nowhere")


async def _end_session(store: Store, c: Connection) -> None:
    """End the session of a connection, from another one."""
    (process,) = await c.all(text("SELECT pg_backend_pid()"))
    killer = database.create_engine(store.url)
    async with killer.begin() as connection:
        await connection.execute(text(f"SELECT pg_terminate_backend({process[0]}, 5000)"))
    await killer.dispose()


async def test_whoever_waited_for_the_store_before_waits_for_so_much_less(backend: Backend) -> None:
    store = Store(backend.url, backend.traffic_url, 3.0)
    over: list[str] = []

    async def wait(name: str, waited_seconds: float) -> None:
        with pytest.raises(Refused) as refused:
            async with store.changing("acme", waited_seconds):
                pytest.fail("two changes of a workspace ran at once")
        assert refused.value.refusal is STORE_UNAVAILABLE
        over.append(name)

    try:
        async with store.changing("acme") as c:
            waiting = asyncio.gather(wait("fresh", 0.0), wait("has waited", 2.5))
            while not waiting.done():
                # A server ends a change that stands still.
                await c.first(text("SELECT 1"))
                await asyncio.sleep(0.1)
            await waiting
    finally:
        await store.close()
    assert over == ["has waited", "fresh"]
