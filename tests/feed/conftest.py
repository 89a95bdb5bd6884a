"""The file that stories are told about, in memory where the system has such a file system: a story commits a hundred times."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feed.processes import World

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """The file and the processes over it. They are used again and again: each story begins with caches of its own."""
    folder = Path(tempfile.mkdtemp(prefix="keyrack-", dir=MEMORY if MEMORY.is_dir() else None))
    world = World(folder)
    yield world
    world.close()
    shutil.rmtree(folder)
