"""Other users of the machine."""

from pathlib import Path

import pytest

from keyrack.cli.hosts import use_folder


def test_data_folder_that_a_command_makes_is_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYRACK_DATA", "elsewhere")
    use_folder(tmp_path / "data", make=True)
    assert 0 == (tmp_path / "data").stat().st_mode & 0o077
