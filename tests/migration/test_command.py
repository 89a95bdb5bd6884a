"""What `keyrack migrate` and `keyrack doctor` tell of scripts that wait until no older code runs."""

from pathlib import Path

import pytest

from tests.backends import copy_files
from tests.commands import Command, command
from tests.migration.newer import Newer

__all__ = ["command"]


@pytest.fixture
def newer(tmp_path: Path, migrated_files: Path, monkeypatch: pytest.MonkeyPatch) -> Newer:
    """The next version, and the data folder of this one beside it."""
    (tmp_path / "newer").mkdir()
    (tmp_path / "data").mkdir()
    copy_files(migrated_files, tmp_path / "data")
    monkeypatch.setenv("KEYRACK_DATA", str(tmp_path / "data"))
    return Newer(tmp_path / "newer")


def test_what_waits_is_told_until_somebody_asks_for_it(command: Command, newer: Newer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"ran": [], "waiting": []} == command("migrate", "--json").json
    with newer.imported(monkeypatch):
        assert ("error", f"{newer.pre} did not run yet: keyrack migrate") == _doctor(command)
        told = command("migrate").out
        assert f"Ran {newer.pre}." in told
        assert f"keyrack migrate --post (it runs {newer.post})" in told
        assert ("warning", f"{newer.post}: keyrack migrate --post, once no process runs an older version") == _doctor(command)
        assert {"ran": [newer.post], "waiting": []} == command("migrate", "--post", "--json").json
        assert ("ok", "the tables are those of this version") == _doctor(command)
    ended = command("migrate")
    assert 1 == ended.code
    assert "A newer Keyrack has migrated this store" in ended.err


def _doctor(command: Command) -> tuple[str, str]:
    (found,) = [each for each in command("doctor", "--json").json["checks"] if each["name"] == "migrations"]
    return found["state"], found["detail"]
