"""Attacks meet real hosts, on both databases where the database has a part in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.backends import Backend
from tests.console.conftest import opened
from tests.console.visitors import Office


@pytest.fixture
async def office(backend: Backend, tmp_path: Path) -> AsyncIterator[Office]:
    """A running host whose workspace has an owner, an admin and a plain member."""
    async with opened(backend, tmp_path) as one:
        yield one
