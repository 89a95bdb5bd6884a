"""Hosts under plans of a test's own, on the counters of one machine and of several."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends import copy_files
from tests.valkey import Server, serve


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Server]:
    """A Valkey of this test process, started when the first test asks."""
    with serve() as server:
        yield server


@pytest.fixture(autouse=True)
def _migrated(migrated_files: Path, tmp_path: Path) -> None:
    """The tables are there, so that no test makes them anew."""
    copy_files(migrated_files, tmp_path)


@pytest.fixture(params=["file", "valkey"])
def counters(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings of each kind of counters in turn."""
    if request.param == "file":
        return {}
    server = request.getfixturevalue("valkey_server")
    server.empty()
    return {"valkey_url": server.url, "valkey_wait_seconds": 5.0}
