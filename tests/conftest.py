"""What all suites share: async tests on asyncio, and real databases, empty for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.backends import Backend
from tests.postgresql import Server, serve

# Enough examples to find what is wrong over many runs, few enough to run always; and no promise about time.
settings.register_profile("keyrack", max_examples=50, deadline=None)
settings.load_profile("keyrack")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests and fixtures run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _settings_come_from_the_test() -> None:
    """What the developer's shell says about Keyrack is not what is tested."""
    for name in [name for name in os.environ if name.startswith("KEYRACK_")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A PostgreSQL server of this test process, started when the first test asks."""
    with serve() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """The URL of an empty PostgreSQL database that is this test's own."""
    with postgresql_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """An empty database of each kind in turn."""
    if request.param == "sqlite":
        return Backend("sqlite", f"sqlite+aiosqlite:///{tmp_path}/keyrack.db", f"sqlite+aiosqlite:///{tmp_path}/traffic.db")
    return Backend("postgresql", request.getfixturevalue("postgresql_url"), None)
