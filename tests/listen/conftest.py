"""Atrium on each kind of database, and keys of every reach for a workspace of the test's own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace

import pytest

from keyrack import Settings
from keyrack.manage import keys
from keyrack.model.permissions import Rights
from tests.atrium.conftest import Served, serving
from tests.atrium.host import Host
from tests.cli.programs import running
from tests.commands import command
from tests.sdk.conftest import Demo

__all__ = ["command"]

With = Callable[[Rights], Awaitable[Host]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo in a process of its own, which may deliver to this machine."""
    allowed = {"KEYRACK_OUTGOING_NETWORKS": '["127.0.0.0/8"]'}
    with running(tmp_path_factory.mktemp("listen"), "demo", "--port", "0", "--data", "data", "--json", **allowed) as program:
        yield Demo.told(program.first_line())
        assert 0 == program.stop()
    assert "Traceback" not in program.err


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A running Atrium."""
    data = tmp_path_factory.mktemp("data")
    if request.param == "sqlite":
        async with serving(Settings(data=data)) as pair:
            yield pair
    else:
        with request.getfixturevalue("postgresql_server").database(migrated=True) as url:
            async with serving(Settings(data=data, database_url=url)) as pair:
                yield pair


@pytest.fixture
async def host(served: Served) -> Host:
    """A new workspace in it, called with a key that may do everything."""
    return await Host.create(*served)


@pytest.fixture
def reaching(host: Host) -> With:
    """Gives the same workspace, called with a key that reaches less."""

    async def make(rights: Rights) -> Host:
        return replace(host, secret=(await issue(host, rights)).secret.text)

    return make


async def issue(host: Host, rights: Rights) -> keys.Issued:
    """Make a key."""
    operator = await host.rack.workspaces.operator(host.workspace_id)
    return await keys.create(host.rack.assembly.desk, operator, name="reader", rights=rights)
