"""What all suites share: async tests on asyncio, and real databases, each test's own."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from jinja2 import Environment

from keyrack.manage.keys import Issued
from keyrack.store.migrations import migrate
from tests.backends import Backend, copy_files
from tests.hosts import ADMIN_RIGHTS, Host, running
from tests.postgresql import Server, serve
from tests.secrets.guard import left_in, pytest_runtest_makereport, remember_secrets
from tests.valkey import Server as ValkeyServer
from tests.valkey import serve as serve_valkey

__all__ = ["pytest_runtest_makereport", "remember_secrets"]

NOBODY = "http://127.0.0.1:9/"
"""An address of this machine at which nothing listens."""
PATIENCE = {"STORE_WAIT_SECONDS": "10", "STORE_ANSWER_SECONDS": "10", "VALKEY_WAIT_SECONDS": "5"}
"""What a machine that tests keep busy is waited for, where a test is not about just that."""

# Enough examples to find what is wrong over many runs, few enough to run always; and no promise about time.
settings.register_profile("keyrack", max_examples=50, deadline=None)
settings.register_profile("long", max_examples=20_000, stateful_step_count=80, deadline=None)
settings.load_profile("keyrack")


def pytest_collection_finish() -> None:
    """Spare every later garbage collection what lives to the end: all modules and all tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _templates_are_compiled_once() -> Iterator[None]:
    """Spare each rack what another one has compiled: a process serves one rack and compiles once, tests start hundreds of them."""
    compile_anew, known = Environment.compile, dict[tuple[Any, ...], Any]()

    def compiled(self: Environment, source: Any, *names: Any, **more: Any) -> Any:
        if not isinstance(source, str):
            return compile_anew(self, source, *names, **more)
        key = (source, *names, *more.items(), self.autoescape, self.trim_blocks, self.lstrip_blocks, *self.filters)
        if key not in known:
            known[key] = compile_anew(self, source, *names, **more)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "compile", compiled)
        yield


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests and fixtures run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _settings_come_from_the_test() -> None:
    """What the developer's shell says about Keyrack is not what is tested; and no test calls a vendor, which a connector would."""
    for name in [name for name in os.environ if name.startswith("KEYRACK_")]:
        del os.environ[name]
    for vendor in ("SLACK", "SLACK_HOOKS", "RESEND", "STRIPE"):
        os.environ[f"KEYRACK_{vendor}_URL"] = NOBODY
    for name, seconds in PATIENCE.items():
        os.environ[f"KEYRACK_{name}"] = seconds


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A PostgreSQL server of this test process, started when the first test asks."""
    with serve() as server:
        yield server
        # The write-ahead log of a server keeps all rows that were written of late, also of databases that are gone.
        assert [] == left_in(server.folder)


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """The URL of an empty PostgreSQL database that is this test's own."""
    with postgresql_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """A database of each kind in turn, the test's own, in which nothing is."""
    if request.param == "sqlite":
        return Backend.in_folder(tmp_path)
    return Backend("postgresql", request.getfixturevalue("postgresql_url"), None)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """A database of each kind in turn, the test's own, with Keyrack's tables in it. Files lie in `tmp_path`."""
    if request.param == "sqlite":
        copy_files(request.getfixturevalue("migrated_files"), tmp_path)
        yield Backend.in_folder(tmp_path)
    else:
        with request.getfixturevalue("postgresql_server").database(migrated=True) as url:
            yield Backend("postgresql", url, None)


@pytest.fixture(scope="session")
def migrated_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with migrated files, to be copied: Keyrack's own scripts made them."""
    folder = tmp_path_factory.mktemp("migrated")
    files = Backend.in_folder(folder)
    asyncio.run(migrate(files.url, files.traffic_url))
    return folder


@pytest.fixture
async def host(backend: Backend, tmp_path: Path) -> AsyncIterator[Host]:
    """A running host with one workspace, on each database in turn."""
    async with running(backend, tmp_path) as one:
        yield one


@pytest.fixture
async def admin(host: Host) -> Issued:
    """A key whose integration has org-level Admin."""
    return await host.key(ADMIN_RIGHTS, name="admin")


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    """A Valkey of this test process, started when the first test asks. Whoever stops or kills it has it running again at its end."""
    with serve_valkey() as server:
        yield server


@pytest.fixture(params=["file", "valkey"])
def counters(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings of each kind of counters in turn."""
    if request.param == "file":
        return {}
    server = request.getfixturevalue("valkey_server")
    server.empty()
    return {"valkey_url": server.url, "valkey_wait_seconds": 5.0}
