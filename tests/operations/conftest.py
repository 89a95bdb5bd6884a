"""What an operator looks at, on hosts of both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.backends import Backend
from tests.hosts import Host, running

TOKEN = "read-the-metrics-0123456789"


@pytest.fixture
async def host(backend: Backend, tmp_path: Path) -> AsyncIterator[Host]:
    """A running host with one workspace, which shows its metrics."""
    async with running(backend, tmp_path, metrics_token=TOKEN) as one:
        yield one
