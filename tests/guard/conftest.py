"""The guarded client on both event loops, receivers that play a part, and certificates of an authority of our own."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from keyrack.model.addresses import networks
from keyrack.work.send import GuardedClient
from tests.guard.certificates import Authority
from tests.guard.receivers import Play, Receiver, running

LOOPBACK = networks(["127.0.0.0/8", "::1/128"])

Receive = Callable[..., AbstractAsyncContextManager[Receiver]]


@pytest.fixture(scope="session", params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Sockets are used in each loop's own way, so what holds on one is shown on the other, too."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@pytest.fixture
def client() -> GuardedClient:
    """A client that may call this machine."""
    return GuardedClient(LOOPBACK)


@pytest.fixture(scope="session")
def authority() -> Authority:
    """A certificate authority that nobody but a test trusts."""
    return Authority()


@pytest.fixture
def receive() -> Receive:
    """Run a receiver that plays this part."""

    def start(play: Play, **options: Any) -> AbstractAsyncContextManager[Receiver]:
        return running(play, **options)

    return start
