"""Hosts under plans of a test's own, on the counters of one machine and of several."""

from pathlib import Path

import pytest

from tests.backends import copy_files


@pytest.fixture(autouse=True)
def _migrated(migrated_files: Path, tmp_path: Path) -> None:
    """The tables are there, so that no test makes them anew."""
    copy_files(migrated_files, tmp_path)
