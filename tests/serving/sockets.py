"""WebSockets as a client opens them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from keyrack.manage import keys
from tests.serving.served import Served
from tests.serving.wire import SECONDS_MAX, Received

ENDED_BY_POLICY, ENDED_BY_FAULT = 1008, 1011


@asynccontextmanager
async def socket(served: Served, target: str, key: keys.Issued | None = None, *headers: tuple[str, str]) -> AsyncIterator[ClientConnection]:
    """Open a WebSocket for the length of a block. Raises InvalidStatus."""
    proof = [("Authorization", f"Bearer {key.secret.text}")] if key is not None else []
    url = served.url.replace("http", "ws", 1) + target
    async with connect(url, additional_headers=[*proof, *headers], proxy=None, open_timeout=SECONDS_MAX, close_timeout=1) as connection:
        served.seen.append(request_id(connection))
        yield connection


async def denied(served: Served, target: str, key: keys.Issued | None = None, *headers: tuple[str, str]) -> Received:
    """Ask for a WebSocket that is refused, and return the answer."""
    try:
        async with socket(served, target, key, *headers):
            raise AssertionError("the socket was opened")
    except InvalidStatus as error:
        response = error.response
    received = {name.lower(): value for name, value in response.headers.raw_items()}
    answer = Received(response.status_code, received, bytes(response.body or b""))
    served.seen.append(answer.request_id)
    return answer


async def drained(connection: ClientConnection) -> None:
    """Receive until the socket is closed. Raises ConnectionClosed."""
    while True:
        await connection.recv()


def request_id(connection: ClientConnection) -> str:
    """The name under which a socket stands in the log."""
    assert connection.response is not None
    return connection.response.headers["X-Request-Id"]
