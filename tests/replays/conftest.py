"""The host, on each database in turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.backends import Backend
from tests.hosts import Host
from tests.replays.host import Notes, noting


@pytest.fixture
async def noted(backend: Backend, tmp_path: Path) -> AsyncIterator[tuple[Host, Notes]]:
    """A running host with one workspace, and its notes."""
    async with noting(backend, tmp_path) as both:
        yield both
