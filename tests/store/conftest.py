"""A migrated store of each kind, with one workspace in it."""

from collections.abc import AsyncIterator

import pytest

from keyrack.model.workspaces import Workspace
from keyrack.store import workspaces
from keyrack.store.database import Store
from tests.backends import Backend
from tests.store.nouns import a_workspace


@pytest.fixture
async def store(backend: Backend) -> AsyncIterator[Store]:
    """A store of each kind in turn, empty."""
    store = Store(backend.url, backend.traffic_url)
    yield store
    await store.close()


@pytest.fixture
async def acme(store: Store) -> Workspace:
    """A workspace."""
    return await _added(store, "acme")


@pytest.fixture
async def other(store: Store) -> Workspace:
    """Another workspace."""
    return await _added(store, "other")


async def _added(store: Store, slug: str) -> Workspace:
    workspace = a_workspace(slug)
    async with store.changing() as c:
        await workspaces.add(c, workspace)
    return workspace
