"""The demo that everybody can start, in a process of its own, and both kinds of clients for it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyrack import Keyrack, Settings
from keyrack.client import AsyncClient, Client
from keyrack.manage import keys
from tests.backends import copy_files
from tests.cli.programs import running
from tests.hosts import ALL_RIGHTS, BRAND, CATEGORIES
from tests.sdk.plans import NARROW
from tests.sdk.relay import Relay, relaying, stalling_server
from tests.sdk.surfaces import KINDS, got


@dataclass
class Demo:
    """What a running demo printed."""

    url: str
    live_key: str = field(repr=False)
    test_key: str = field(repr=False)
    admin_key: str = field(repr=False)
    session: str = field(repr=False)
    """The cookie of its owner, who has signed in by its link."""

    @classmethod
    def told(cls, printed: dict[str, Any]) -> "Demo":
        """The demo that printed this."""
        same = {name: printed[name] for name in ("url", "live_key", "test_key", "admin_key")}
        return cls(**same, session=_signed_in(printed["url"], printed["sign_in_url"]))


Connect = Callable[..., Any]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, for all tests of one process."""
    folder, variables = tmp_path_factory.mktemp("sdk"), {"KEYRACK_SLACK_URL": os.environ["KEYRACK_SLACK_URL"]}
    with running(folder, "demo", "--port", "0", "--data", "data", "--json", **variables) as program:
        yield Demo.told(program.first_line())
        assert 0 == program.stop()
    assert "Traceback" not in program.err


def _signed_in(url: str, link: str) -> str:
    with httpx.Client(base_url=url, headers={"Origin": url}, timeout=30) as browser:
        browser.post("/console/sign-in", data={"link": link.rpartition("link=")[2]})
        return browser.cookies["atrium_session"]


@pytest.fixture
def relay(demo: Demo) -> Iterator[Relay]:
    """What stands between the clients of a test and the demo."""
    with relaying(demo.url) as one:
        yield one


@pytest.fixture(params=KINDS)
async def connect(request: pytest.FixtureRequest, demo: Demo) -> AsyncIterator[Connect]:
    """Makes clients of each kind in turn, and closes them: `connect()`, `connect(demo.admin_key, base_url=relay.url)`."""
    made: list[Client | AsyncClient] = []

    def make(api_key: str = demo.live_key, **options: Any) -> Any:
        made.append(KINDS[request.param](api_key, **{"base_url": demo.url, **options}))
        return made[-1]

    yield make
    for client in made:
        await got(client.close())


@dataclass
class Narrow:
    """A host that lets one call through in a second."""

    relay: Relay
    key: str = field(repr=False)


@pytest.fixture(scope="module")
def narrow_host(tmp_path_factory: pytest.TempPathFactory, migrated_files: Path) -> Iterator[tuple[str, str]]:
    """Its address, and a key."""
    folder = tmp_path_factory.mktemp("narrow")
    (folder / "data").mkdir()
    copy_files(migrated_files, folder / "data")
    key = asyncio.run(_key_of_a_new_workspace(folder / "data"))
    variables = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with running(folder, "serve", "tests.sdk.host:app", "--port", "0", "--data", "data", "--json", **variables) as program:
        yield program.first_line()["url"], key
        assert 0 == program.stop()


async def _key_of_a_new_workspace(data: Path) -> str:
    rack = Keyrack(Settings(data=data), brand=BRAND, categories=CATEGORIES, plans=[NARROW])
    try:
        workspace = await rack.workspaces.create("VML", slug="vml")
        operator = await rack.workspaces.operator(workspace.id)
        return (await keys.create(rack.assembly.desk, operator, name="local-dev", rights=ALL_RIGHTS)).secret.text
    finally:
        await rack.assembly.store.close()


@pytest.fixture
def narrow(narrow_host: tuple[str, str]) -> Iterator[Narrow]:
    """It, behind what counts the calls of one test."""
    url, key = narrow_host
    with relaying(url) as relay:
        yield Narrow(relay, key)


@pytest.fixture(
    params=[None, b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n"], ids=["silent", "slow"]
)
def stalling(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that takes calls and does not answer them, or never ends its answer."""
    with stalling_server(request.param) as url:
        yield url
