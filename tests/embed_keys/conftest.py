"""A host whose widgets stand in pages of others, on each database in turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keyrack.manage.desk import Desk
from tests.backends import Backend
from tests.embed_keys.pages import running
from tests.hosts import Host


@pytest.fixture
async def host(backend: Backend, tmp_path: Path) -> AsyncIterator[Host]:
    """The host."""
    async with running(backend, tmp_path) as one:
        yield one


@pytest.fixture
def desk(host: Host) -> Desk:
    """What changes are made with."""
    return host.rack.assembly.desk
