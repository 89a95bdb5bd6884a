"""The management API is kept to its word on both databases, over HTTP, through the real assembly."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keyrack.manage.keys import Issued
from tests.backends import Backend
from tests.hosts import ADMIN_RIGHTS, Host, running


@pytest.fixture
async def host(backend: Backend, tmp_path: Path) -> AsyncIterator[Host]:
    """A running host with one workspace."""
    async with running(backend, tmp_path) as one:
        yield one


@pytest.fixture
async def admin(host: Host) -> Issued:
    """A key whose integration has org-level Admin."""
    return await host.key(ADMIN_RIGHTS, name="admin")
