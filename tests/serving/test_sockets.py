"""A WebSocket is decided at its handshake, like any call; refused with a document, like any call; and logged once, when it is over."""

from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from keyrack.manage import keys
from keyrack.model.permissions import Level, Rights
from tests.hosts import ALL_RIGHTS
from tests.serving.served import Served
from tests.serving.sockets import ENDED_BY_FAULT, ENDED_BY_POLICY, denied, request_id, socket
from tests.serving.wire import Received
from tests.walk.problems import MEMBERS

WRITES_ONBOARDINGS = Rights(permissions={"onboardings": Level.WRITE})


def document(answer: Received, status: int, code: str) -> dict[str, Any]:
    """Return the problem document of a refused handshake."""
    assert (status, "application/problem+json") == (answer.status, answer.headers["content-type"])
    found: dict[str, Any] = answer.json
    assert set(found) >= MEMBERS
    assert (status, code, answer.request_id) == (found["status"], found["code"], found["request_id"])
    # Where a document lies is no WebSocket.
    assert found["doc_url"].startswith("http://")
    return found


async def test_handshake_is_refused_with_a_problem_document_and_logged(served: Served) -> None:
    key, other = await served.key(), await served.key(WRITES_ONBOARDINGS)
    for answer, status, code in (
        (await denied(served, "/api/v1/socket"), 401, "missing_credential"),
        (await denied(served, "/api/v1/socket", None, ("Authorization", "Bearer acme_unknown")), 401, "invalid_credential"),
        (await denied(served, "/api/v1/socket", other), 403, "insufficient_permission"),
        (await denied(served, "/api/v1/nowhere", key), 404, "not_found"),
        (await denied(served, "/api/v1/customers", key), 404, "not_found"),
        (await denied(served, "/api/v1/socket", key, ("X-API-Key", key.secret.text)), 400, "invalid_request"),
        (await denied(served, f"/api/v1/socket?api_key={key.secret.text}", key), 400, "key_in_url"),
        (await denied(served, "/api/v1/socket", key, *[(f"X-{number}", "1") for number in range(150)]), 431, "headers_too_large"),
    ):
        document(answer, status, code)
        line = await served.line(answer.request_id)
        assert (status, code) == (line.status, line.code)
    assert 'Bearer realm="Acme"' == (await denied(served, "/api/v1/socket")).headers["www-authenticate"]


async def test_handshake_takes_from_the_limits_and_tells_what_is_left(served: Served) -> None:
    workspace = await served.rack.workspaces.create("Scarce", slug="scarce", plan="small")
    owner = await served.rack.workspaces.operator(workspace.id)
    key = await keys.create(served.rack.assembly.desk, owner, name="scarce", rights=ALL_RIGHTS)
    async with socket(served, "/api/v1/socket", key) as connection:
        assert connection.response is not None
        told = connection.response.headers
        assert '"workspace";q=1;w=3600' == told["RateLimit-Policy"]
        assert ("1", "1") == (told["X-RateLimit-Limit"], told["X-RateLimit-Remaining"])
    assert "1" == (await denied(served, "/api/v1/denials/close", key)).headers["x-ratelimit-remaining"]
    assert "0" == (await denied(served, "/api/v1/denials/close", key)).headers["x-ratelimit-remaining"]
    refused = await denied(served, "/api/v1/socket", key)
    assert ["workspace"] == document(refused, 429, "rate_limited")["violated-policies"]
    assert 1 <= int(refused.headers["retry-after"]) <= 3600


async def test_ended_key_is_refused_at_the_handshake_in_its_own_name(served: Served) -> None:
    key = await served.key()
    await served.revoke(key)
    answer = await denied(served, "/api/v1/socket", key)
    document(answer, 401, "key_revoked")
    assert key.key.id == (await served.line(answer.request_id)).credential_id


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("close", 403, "insufficient_permission"),
        ("exception", 409, "conflict"),
        ("response", 409, "conflict"),
        ("crash", 500, "internal_error"),
        ("silence", 500, "internal_error"),
    ],
)
async def test_what_the_host_refuses_is_told_and_logged_as_it_is(served: Served, how: str, status: int, code: str) -> None:
    answer = await denied(served, f"/api/v1/denials/{how}", await served.key())
    document(answer, status, code)
    assert b"secret detail" not in answer.body
    line = await served.line(answer.request_id)
    assert (status, code) == (line.status, line.code)


@pytest.mark.parametrize(
    ("how", "closed_with", "code"), [("exception", ENDED_BY_POLICY, "conflict"), ("crash", ENDED_BY_FAULT, "internal_error")]
)
async def test_socket_that_its_handler_gives_up_is_closed_for_a_reason(served: Served, how: str, closed_with: int, code: str) -> None:
    async with socket(served, f"/api/v1/denials/late-{how}", await served.key()) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None
    assert closed_with == closed.value.rcvd.code
    line = await served.line(request_id(connection))
    assert (101, code) == (line.status, line.code)


async def test_handler_that_did_not_ask_for_its_objects_space_opens_no_socket(served: Served) -> None:
    key = await served.key()
    document(await denied(served, "/api/v1/objects/nowhere?ask=false", key), 500, "catalog_mismatch")
    document(await denied(served, "/api/v1/objects/nowhere", key), 404, "not_found")


async def test_public_socket_needs_no_credential(served: Served) -> None:
    async with socket(served, "/api/v1/public") as connection:
        assert "hello" == await connection.recv()
    assert (101, None) == ((line := await served.line(request_id(connection))).status, line.credential_id)


async def test_socket_is_logged_when_it_is_over(served: Served) -> None:
    async with socket(served, "/api/v1/socket", await served.key()) as connection:
        await connection.send("hello")
        assert "hello" == await connection.recv()
        assert request_id(connection) not in {line.request_id for line in await served.lines()}
        served.seen.remove(request_id(connection))
    line = await served.line(request_id(connection))
    assert ("WEBSOCKET", 101, None) == (line.method, line.status, line.code)


async def test_client_that_goes_away_without_a_word_leaves_one_line(served: Served) -> None:
    async with socket(served, "/api/v1/ticks", await served.key()) as connection:
        await connection.recv()
        connection.transport.abort()
    assert 101 == (await served.line(request_id(connection))).status


async def test_header_that_the_socket_library_does_not_take_is_no_hanging_connection(served: Served) -> None:
    answer = await denied(served, "/api/v1/socket", await served.key(), ("Cookie", "x" * 9000))
    document(answer, 404, "not_found")
