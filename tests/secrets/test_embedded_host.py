"""Keyrack inside a host that has configured no logging: what it prints holds no secret either."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from atrium.factory import create_app
from keyrack import Settings
from keyrack.manage.keys import Issued
from tests.hosts import Host, client_of, living
from tests.secrets.crashes import add
from tests.secrets.search import found_in

SIGNING_KEY = "8a5f0c3f1d2e4b6795a8c7d6e5f40312"


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """Atrium with careless routes, where structlog is as it comes: for people, with all that Rich can tell of a fault."""
    before = structlog.get_config()
    structlog.reset_defaults()
    app = add(create_app(Settings(data=tmp_path)))
    async with living(app), client_of(app.state.rack, app) as one:
        yield one
    structlog.configure(**before)


@pytest.mark.parametrize("path", ["", "/statement"])
async def test_crash_of_a_handler_is_told_without_the_secret_in_its_message_and_variables(
    host: Host, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    key = await host.key()
    await host.get(f"/api/v1/crash{path}", key)
    printed = "".join(capfd.readouterr())
    assert "handler_failed" in printed
    assert "crashes.py" in printed
    assert [] == found_in(printed.encode(), [key.secret.text])


@pytest.mark.parametrize(("path", "code"), [("", 1011), ("/handshake", 1008)])
async def test_crash_of_a_socket_is_told_without_the_secret_and_closes_it(
    host: Host, path: str, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    key = await host.key()
    sent = await converse(host, f"/api/v1/crash/socket{path}", key)
    assert ("websocket.close", code) == (sent[-1]["type"], sent[-1]["code"])
    printed = "".join(capfd.readouterr())
    assert "handler_failed" in printed
    assert [] == found_in(printed.encode(), [key.secret.text])


def test_setting_that_cannot_be_read_does_not_show_its_value() -> None:
    """The message is in the traceback that a host's server prints when it cannot start."""
    with pytest.raises(ValidationError, match="secrets") as refused:
        Settings(secrets=SIGNING_KEY)
    assert SIGNING_KEY not in str(refused.value)
    assert SIGNING_KEY not in repr(Settings(secrets=[SIGNING_KEY]))


async def converse(host: Host, path: str, key: Issued) -> list[dict[str, Any]]:
    """Open a WebSocket as a server would, and return all that was sent on it."""
    sent: list[dict[str, Any]] = []
    headers = [(b"host", b"acme.test"), (b"authorization", f"Bearer {key.secret.text}".encode())]
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "client": ("192.0.2.7", 5000), "subprotocols": []}

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await host.app(scope, receive, send)
    return sent
