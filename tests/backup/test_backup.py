"""`keyrack backup` and `keyrack compare`, on files that somebody writes to."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keyrack.manage import keys
from keyrack.store.backups import back_up
from keyrack.store.sqlite import StoreUnusable
from tests.backends import copy_files
from tests.commands import Command, command
from tests.copy.grown import rack_on
from tests.serving.served import Installation, installed

__all__ = ["command"]


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation that this process has open."""
    async with installed(tmp_path / "data") as one:
        yield one
        await one.rack.assembly.feed.stop()


@pytest.fixture
def folder(tmp_path: Path, migrated_files: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the command, with a data folder in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    copy_files(migrated_files, tmp_path / "data")
    return tmp_path


async def test_a_backup_holds_all_that_had_returned_while_others_write(installation: Installation, tmp_path: Path) -> None:
    made = [await installation.key(name="before")]

    async def write() -> None:
        for _ in range(20):
            made.append(await installation.key(name="beside"))

    files = [installation.data / name for name in ("keyrack.db", "traffic.db")]
    writing = asyncio.create_task(write())
    backup = await asyncio.to_thread(back_up, files, tmp_path / "backup")
    await writing
    rack = rack_on(None, tmp_path / "backup")
    listed = await keys.page(rack.assembly.desk, installation.owner, limit=100)
    assert made[0].key.id in {each.key.id for each in listed}
    assert {each.key.id for each in listed} <= {each.key.id for each in made}
    # Each key was made with its integration, in one change of two events; the workspace was made before.
    assert backup.event_position <= 2 * len(made) + 2
    await rack.assembly.store.close()


def test_a_backup_never_takes_the_place_of_another(command: Command, folder: Path) -> None:
    assert {"keyrack.db", "traffic.db"} == set(command("backup", "backup", "--data", "data", "--json").json["bytes"])
    again = command("backup", "backup", "--data", "data")
    assert 1 == again.code
    assert "holds a keyrack.db already" in again.err
    assert {"keyrack.db", "traffic.db"} == {path.name for path in (folder / "backup").iterdir()}


def test_a_backup_of_a_broken_file_is_refused(folder: Path) -> None:
    broken = folder / "data" / "traffic.db"
    broken.write_bytes(broken.read_bytes()[:4096] + b"x" * 8192)
    with pytest.raises(StoreUnusable, match="it is not complete"):
        back_up([folder / "data" / "keyrack.db", broken], folder / "backup")
    assert not (folder / "backup" / "traffic.db").exists()


def test_nothing_differs_between_an_installation_and_its_backup(command: Command, folder: Path) -> None:
    assert 0 == command("backup", "backup", "--data", "data").code
    assert [] == command("compare", "--from", "data", "--to", "backup", "--json").json["data"]
    assert "Nothing: every event is in both." in command("compare", "--from", "data", "--to", "backup").out


def test_what_holds_no_data_cannot_be_compared(command: Command, folder: Path) -> None:
    ended = command("compare", "--from", "data", "--to", "nowhere")
    assert 1 == ended.code
    assert "There is no Keyrack data in" in ended.err


def test_postgresql_is_backed_up_by_its_own_programs(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYRACK_DATABASE_URL", "postgresql://robin:hunter2@127.0.0.1:1/shop")
    ended = command("backup", "backup", "--data", "data")
    assert 1 == ended.code
    assert "pg_dump" in ended.err
    assert "hunter2" not in ended.err
