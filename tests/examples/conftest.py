"""A demo that may deliver to this machine, for the programs that call it."""

from collections.abc import Iterator

import pytest

from keyrack.client import Client
from tests.cli.programs import running
from tests.sdk.conftest import Demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, for all tests of one process."""
    folder = tmp_path_factory.mktemp("examples")
    allowed = {"KEYRACK_OUTGOING_NETWORKS": '["127.0.0.0/8"]'}
    with running(folder, "demo", "--port", "0", "--data", "data", "--json", **allowed) as program:
        yield Demo.told(program.first_line())
        assert 0 == program.stop()
    assert "Traceback" not in program.err


@pytest.fixture
def admin(demo: Demo) -> Iterator[Client]:
    """Whoever gives programs their keys."""
    with Client(demo.admin_key, base_url=demo.url) as one:
        yield one
