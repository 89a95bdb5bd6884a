"""A running host on SQLite: what these standards say does not depend on the database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.backends import Backend, copy_files
from tests.hosts import Host, running


@pytest.fixture
async def host(migrated_files: Path, tmp_path: Path) -> AsyncIterator[Host]:
    """A running host with one workspace."""
    copy_files(migrated_files, tmp_path)
    async with running(Backend.in_folder(tmp_path), tmp_path) as one:
        yield one
