"""A migrated store of each kind, and a spool beside it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from keyrack.store.database import Store
from keyrack.store.spool import Spool
from tests.backends import Backend


@pytest.fixture
async def store(backend: Backend) -> AsyncIterator[Store]:
    """A store of each kind in turn, empty."""
    store = Store(backend.url, backend.traffic_url)
    yield store
    await store.close()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """An empty spool with the smallest segments that settings allow."""
    spool = Spool(tmp_path / "spool", 64 * 1024)
    yield spool
    spool.close()
