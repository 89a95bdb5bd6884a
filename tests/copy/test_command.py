"""`keyrack copy` as an operator walks it: from one machine's files to PostgreSQL, and every key goes on as it was."""

import asyncio
import signal
from pathlib import Path

import pytest
from sqlalchemy import text

from keyrack.store.database import Store
from tests.backends import copy_files
from tests.cli.programs import run
from tests.commands import Command, Ended, command
from tests.serving.served import Installation, installed, serving

__all__ = ["command"]

CUSTOMERS = "/api/v1/customers"
pytestmark = pytest.mark.timeout(300)


async def test_keys_that_worked_work_and_revoked_ones_stay_refused(tmp_path: Path, postgresql_url: str) -> None:
    async with installed(tmp_path / "data") as installation:
        working, revoked = await installation.key(name="working"), await installation.key(name="revoked")
        await installation.revoke(revoked)
        async with serving(installation) as served:
            seen = [(await served.get(CUSTOMERS, key)).request_id for key in (working, revoked)]
            refused = await _copy(installation, postgresql_url)
            assert 1 == refused.code
            assert "stop every one of them first" in refused.err
            # Killed, so that what it logged last is in its spool alone.
            served.program.stop(signal.SIGKILL)
        await _closed(installation)
        copied = await _copy(installation, postgresql_url)
        assert 0 == copied.code, copied.err
        assert str(installation.data / "secret.key") == copied.json["signing_key"]
        assert ["notes"] == copied.json["host_tables"]
        assert {*seen} <= await _logged(postgresql_url)
        async with serving(installation, name="moved", KEYRACK_DATABASE_URL=postgresql_url) as moved:
            assert [200, 401] == [(await moved.get(CUSTOMERS, key)).status for key in (working, revoked)]


def test_people_are_told_what_to_take_along(command: Command, folder: Path) -> None:
    (folder / "data" / "secret.key").write_text("00")
    ended = command("copy", "--from", "data", "--to", "new")
    assert 0 == ended.code, ended.err
    assert "verified each on both sides" in ended.out
    assert f"Take along {folder / 'data' / 'secret.key'}" in ended.out
    assert f"KEYRACK_DATA={folder / 'new'}" in ended.out


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        ("nowhere", "new", "There is no Keyrack data in"),
        ("data", "data", "named twice"),
        ("data", "mysql://robin:hunter2@db/shop", "SQLite or PostgreSQL"),
        ("data", "postgresql://robin:hunter2@127.0.0.1:1/shop", "does not answer"),
        ("", "new", "names no installation"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(command: Command, folder: Path, source: str, target: str, told: str) -> None:
    ended = command("copy", "--from", source, "--to", target)
    assert 1 == ended.code
    assert told in ended.err
    assert "hunter2" not in ended.err + ended.out
    assert not (folder / "new").exists()


@pytest.fixture
def folder(tmp_path: Path, migrated_files: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the command, with a data folder in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    copy_files(migrated_files, tmp_path / "data")
    return tmp_path


async def _copy(installation: Installation, url: str) -> Ended:
    arguments = ("copy", "--from", str(installation.data), "--to", url.replace("+asyncpg", ""), "--json")
    ended = await asyncio.to_thread(run, installation.data.parent, *arguments)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


async def _closed(installation: Installation) -> None:
    """Let go of the files, as the end of a process does."""
    await installation.rack.assembly.feed.stop()
    await installation.rack.assembly.store.close()


async def _logged(url: str) -> set[str]:
    store = Store(url)
    async with store.reading_traffic() as c:
        found = {row.request_id for row in await c.all(text("SELECT request_id FROM keyrack.keyrack_request_logs"))}
    await store.close()
    return found
