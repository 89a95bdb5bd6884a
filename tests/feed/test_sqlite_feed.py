"""What the feed makes of the file: it sees every commit that has returned, and believes nothing where it could miss one."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from keyrack.feed.cache import Cache
from keyrack.feed.sqlite import SqliteFeed
from keyrack.model.refusals import STORE_UNAVAILABLE, Refused
from keyrack.settings import Settings
from keyrack.store import changes
from keyrack.store.database import Store
from keyrack.store.ids import new_id
from keyrack.store.migrations import migrate
from tests.feed.processes import World
from tests.feed.servers import ROOT

COMMITS = 1000


@pytest.fixture
def path(world: World, tmp_path: Path) -> Path:
    """A file of this test's own, in a folder whose name means something in a URL."""
    folder = tmp_path / "50% #1"
    folder.mkdir()
    return Path(shutil.copy(world.empty, folder / "keyrack.db"))


@pytest.fixture
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The store, as far as the feed needs it: somebody who has the file open, with its log."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.execute("SELECT 1 FROM keyrack_revisions").fetchall()
        yield connection


@pytest.fixture
def feed(path: Path, opened: sqlite3.Connection) -> Iterator[SqliteFeed]:
    """A feed that has joined."""
    feed = SqliteFeed(path, Cache(10))
    assert feed.current()
    yield feed
    feed.close()


def bump(connection: sqlite3.Connection, touched: str = "key") -> None:
    """Change something, in the store's own words."""
    connection.executescript(
        f"BEGIN IMMEDIATE; UPDATE keyrack_revisions SET revision = revision + 1;"
        f"INSERT INTO keyrack_changes SELECT revision, '{touched}', hex(randomblob(8)) FROM keyrack_revisions; COMMIT"
    )


def applied(feed: SqliteFeed) -> int:
    """The newest revision that the feed has applied to its cache."""
    return feed._cache.applied


def test_no_commit_of_another_process_is_unseen_once_it_has_returned(feed: SqliteFeed, path: Path) -> None:
    command = [sys.executable, "-m", "tests.feed.committing", str(path), str(COMMITS)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}/src"}
    unseen = []
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        for _ in range(COMMITS):
            assert feed.current()
            other.stdin.write("\n")
            other.stdin.flush()
            returned = int(other.stdout.readline())
            if not feed.current() or applied(feed) < returned:
                unseen.append(returned)
    assert unseen == []
    assert applied(feed) == COMMITS


async def test_the_feed_asks_the_very_file_that_the_store_writes_whatever_its_folder_is_called(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "50%41 #1?mode=ro&ü")
    settings.data.mkdir()
    await migrate(settings.store_url, settings.traffic_url)
    store = Store(settings.store_url, settings.traffic_url)
    assert settings.store_path is not None
    feed = SqliteFeed(settings.store_path, Cache(10))
    for _ in range(2):
        async with store.changing() as c:
            revision = await changes.bump(c, ["key"], new_id())
        assert feed.current()
        assert applied(feed) == revision
    feed.close()
    await store.close()


def test_every_thread_sees_what_was_committed(feed: SqliteFeed, opened: sqlite3.Connection) -> None:
    seen: list[tuple[bool, int]] = []
    for number in range(1, 20):
        bump(opened)
        asking = [threading.Thread(target=lambda: seen.append((feed.current(), applied(feed)))) for _ in range(2)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        assert seen[-2:] == [(True, number)] * 2


def test_without_a_file_nothing_is_believed(tmp_path: Path) -> None:
    assert not SqliteFeed(tmp_path / "keyrack.db", Cache(10)).current()


def test_a_file_without_a_log_is_not_believed(path: Path) -> None:
    feed = SqliteFeed(path, Cache(10))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        assert not feed.current()
    feed.close()


def test_an_apply_that_fails_is_made_up_for(feed: SqliteFeed, opened: sqlite3.Connection) -> None:
    opened.execute("ALTER TABLE keyrack_changes RENAME TO hidden")
    assert not feed.current()
    assert not feed.current()
    opened.execute("ALTER TABLE hidden RENAME TO keyrack_changes")
    bump(opened)
    assert feed.current()
    assert applied(feed) == 1


def test_file_that_is_set_back_again_and_counts_up_alike_is_noticed_each_time(feed: SqliteFeed, opened: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(":memory:")) as backup:
        opened.backup(backup)
        bump(opened)
        bump(opened)
        assert feed.current()
        for _ in range(3):
            drops = feed._cache.start().drops
            backup.backup(opened)
            bump(opened)
            assert feed.current()
            assert drops + 1 == feed._cache.start().drops


@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
def test_another_file_under_a_name_of_the_store_is_noticed_and_no_call_is_decided_then(feed: SqliteFeed, path: Path, end: str) -> None:
    assert not feed.replaced()
    named = path.with_name(path.name + end)
    other = path.with_name("other")
    shutil.copy(named, other)
    other.replace(named)
    assert feed.replaced()
    with pytest.raises(Refused) as refused:
        feed.current()
    assert refused.value.refusal is STORE_UNAVAILABLE


def test_a_file_that_is_gone_is_noticed(feed: SqliteFeed, path: Path) -> None:
    path.unlink()
    assert feed.replaced()


def test_a_log_of_another_process_does_not_look_replaced(feed: SqliteFeed, path: Path, opened: sqlite3.Connection) -> None:
    for _ in range(3):
        with closing(sqlite3.connect(path)) as connection:
            bump(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    opened.close()
    assert not feed.replaced()
    assert feed.current()
    assert applied(feed) == 3


def test_a_feed_that_was_closed_begins_anew(feed: SqliteFeed, opened: sqlite3.Connection) -> None:
    bump(opened)
    feed.close()
    assert feed.current()
    assert applied(feed) == 1
    feed.close()
    feed.close()


@pytest.mark.usefixtures("opened")
def test_what_feeds_leave_open_beside_others_is_closed_when_the_last_of_these_is_gone(path: Path, opened: sqlite3.Connection) -> None:
    for _ in range(3):
        feed = SqliteFeed(path, Cache(10))
        assert feed.current()
        index = os.stat(f"{path}-shm")
        feed.close()
        # To close it now would drop the locks of whoever has the file open here.
        assert _is_open(index)
    opened.close()
    feed.close()
    assert not _is_open(index)


def _is_open(file: os.stat_result) -> bool:
    for entry in Path("/dev/fd").iterdir():
        with suppress(OSError):
            if os.path.samestat(os.fstat(int(entry.name)), file):
                return True
    return False


def test_an_index_of_another_format_is_never_believed_and_opened_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyrack.feed.sqlite._FORMAT", 3_008_000)
    feed = SqliteFeed(path, Cache(10))
    assert not feed.current()
    handles = len(list(Path("/dev/fd").iterdir()))
    for _ in range(100):
        assert not feed.current()
    assert len(list(Path("/dev/fd").iterdir())) <= handles
    feed.close()
