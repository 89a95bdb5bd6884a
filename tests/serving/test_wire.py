"""What a client may write onto the wire: never a crash, never around the guard, and never an answer of the gate that is not logged."""

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hosts import ADMIN_RIGHTS
from tests.serving.served import Served
from tests.serving.wire import Received, call
from tests.walk.problems import MEMBERS

BODY_BYTES_MAX = 1024 * 1024
CUSTOMERS, ECHO = "/api/v1/customers", "/api/v1/echo"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
# What leads outside the guard, or into something public there.
OPEN = ("/outside", "/api/v1/open", "/healthz", "/readyz", "/docs", "/console")


def document(answer: Received, status: int, code: str) -> dict[str, Any]:
    """Return the problem document of an answer."""
    assert (status, "application/problem+json") == (answer.status, answer.headers["content-type"]), answer
    found: dict[str, Any] = answer.json
    assert set(found) >= MEMBERS
    assert (status, code, answer.request_id) == (found["status"], found["code"], found["request_id"])
    return found


def chunks(count: int) -> bytes:
    """The bytes of a chunked body with so many chunks of 64 KiB."""
    return (b"10000\r\n" + bytes(65536) + b"\r\n") * count + b"0\r\n\r\n"


async def test_body_over_the_limit_is_refused_before_any_of_it_is_sent(served: Served) -> None:
    async with served.wire(await served.key()) as wire:
        document(await wire.send("POST", ECHO, f"Content-Length: {BODY_BYTES_MAX + 1}"), 413, "body_too_large")
    async with served.wire(await served.key()) as wire:
        refused = await wire.send("POST", ECHO, f"Content-Length: {BODY_BYTES_MAX + 1}", "Expect: 100-continue")
        document(refused, 413, "body_too_large")
        assert () == refused.interim


async def test_body_over_the_limit_is_refused_as_it_arrives_and_the_connection_lives_on(served: Served) -> None:
    async with served.wire(await served.key()) as wire:
        document(await wire.send("POST", ECHO, CHUNKED, body=chunks(17)), 413, "body_too_large")
        assert {"bytes": BODY_BYTES_MAX} == (await wire.send("POST", ECHO, CHUNKED, body=chunks(16))).json
        assert {"bytes": BODY_BYTES_MAX} == (await wire.send("POST", ECHO, body=bytes(BODY_BYTES_MAX))).json


async def test_client_that_waits_is_told_to_continue_only_if_its_body_is_read(served: Served) -> None:
    async with served.wire(await served.key()) as wire:
        read = await wire.send("POST", ECHO, "Expect: 100-continue", body=b"12345")
        assert (200, (100,), {"bytes": 5}) == (read.status, read.interim, read.json)
        refused = await wire.send("POST", ECHO, "Expect: 100-continue", body=b"12345", key="")
        assert () == refused.interim
        document(refused, 401, "missing_credential")


async def test_head_that_is_too_large_is_refused(served: Served) -> None:
    async with served.wire(await served.key()) as wire:
        document(await wire.get(CUSTOMERS, *[f"X-{number}: 1" for number in range(100)]), 431, "headers_too_large")
        document(await wire.get(CUSTOMERS, f"X-Long: {'x' * 32 * 1024}"), 431, "headers_too_large")
        assert 200 == (await wire.get(CUSTOMERS, *[f"X-{number}: 1" for number in range(90)])).status


async def test_head_without_an_end_is_cut_off(served: Served) -> None:
    async with served.wire(await served.key()) as wire:
        wire.write(b"GET / HTTP/1.1\r\nHost: acme.test\r\nX-Long: " + b"x" * 3 * 1024 * 1024)
        # What the server says may be lost, as it does not read what is still on the way.
        assert (await wire.ended())[:13] in (b"", b"HTTP/1.1 400 ")


async def test_trailer_is_no_header(served: Served) -> None:
    key = await served.key()
    async with served.wire() as wire:
        trailer = f"0\r\nAuthorization: Bearer {key.secret.text}\r\n\r\n".encode()
        document(await wire.send("POST", ECHO, CHUNKED, body=b"5\r\nhello\r\n" + trailer), 401, "missing_credential")
        assert {"bytes": 5} == (await wire.send("POST", ECHO, CHUNKED, body=b"5\r\nhello\r\n" + trailer, key=key.secret.text)).json


async def test_header_that_stands_twice_is_refused(served: Served) -> None:
    key = await served.key()
    async with served.wire(key) as wire:
        for header in (
            f"Authorization: Bearer {key.secret.text}",
            "Authorization: Basic eDp5",
            f"X-API-Key: {key.secret.text}",
            "Host: other.test",
        ):
            document(await wire.get(CUSTOMERS, header), 400, "invalid_request")


async def test_answers_without_a_body_leave_the_connection_in_step(served: Served) -> None:
    async with served.wire(await served.key()) as wire:
        for method, target, status in (
            ("HEAD", "/api/v1/both", 200),
            ("HEAD", "/api/v1/parts", 405),
            ("HEAD", "/api/v1/nowhere", 404),
            ("DELETE", "/api/v1/customers/c1", 204),
        ):
            assert (status, b"") == ((answer := await wire.send(method, target)).status, answer.body)
        assert 200 == (await wire.get(CUSTOMERS)).status


async def test_calls_that_come_at_once_are_answered_in_their_order(served: Served) -> None:
    async with served.wire(await served.key()) as wire:
        for _ in range(5):
            wire.ask("GET", CUSTOMERS)
            wire.ask("POST", ECHO, body=b"123")
            wire.ask("GET", CUSTOMERS, key="")
            wire.ask("GET", "/api/v1/parts")
        answers = [await wire.answer() for _ in range(20)]
    assert [200, 200, 401, 200] * 5 == [answer.status for answer in answers]
    assert 20 == len({answer.request_id for answer in answers})
    line = await served.line(answers[-1].request_id)
    assert ("GET", "/api/v1/parts") == (line.method, line.path)


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "OPTIONS", "CONNECT", "PURGE", "M-SEARCH", "PATCH"])
async def test_method_that_a_path_does_not_have_is_refused_once_its_caller_is_known(served: Served, method: str) -> None:
    async with served.wire(await served.key()) as wire:
        refused = await wire.send(method, CUSTOMERS)
        document(refused, 405, "method_not_allowed")
        assert "GET, POST" == refused.headers["allow"]
        document(await wire.send(method, "/api/v1/nowhere"), 404, "not_found")
        document(await wire.send(method, CUSTOMERS, key=""), 401, "missing_credential")


@pytest.mark.parametrize(
    "target",
    [
        "http://acme.test/api/v1/customers",
        "http://user:password@evil.test/api/v1/customers",
        "/%61pi/v1/customers",
        "/api%2Fv1%2Fcustomers",
        "/api/v1/customers/%00",
        "/api/v1/customers/%FF%FE",
        "/api/v1/customers/%",
        "/api/v1/customers/%E2%80%AE%0D%0AX-Header:%201",
        "/api/v1/customers?%00=%FF",
        "/api/v1/customers#fragment",
    ],
)
async def test_target_is_judged_as_the_router_reads_it(served: Served, target: str) -> None:
    async with served.wire(await served.key()) as wire:
        document(await wire.get(target, key=""), 401, "missing_credential")
        assert 200 == (await wire.get(target)).status


@pytest.mark.parametrize(
    "target",
    [
        "/api",
        "/api//v1/customers",
        "/api/v1//customers",
        "/api/v1/customers/",
        "/api/v1/customers%00",
        "/api/v1/customers;x=1",
        "/api/v1/customers/a%2Fb",
        "/api/./v1/customers",
        "/api/v1/../v1/customers",
        f"/api/v1/numbers/{'9' * 5000}",
        "/api/v1/keys/%00",
        "/api/v1/spaces/%00",
    ],
)
async def test_path_inside_the_guard_that_nobody_has_is_a_404_for_those_who_are_known(served: Served, target: str) -> None:
    async with served.wire(await served.key(ADMIN_RIGHTS)) as wire:
        document(await wire.get(target, key=""), 401, "missing_credential")
        assert (await wire.get(target)).status in (400, 404)


PIECES = [
    "/",
    "//",
    "api",
    "v1",
    "customers",
    "outside",
    "open",
    "..",
    ".",
    "%2F",
    "%2e",
    "%00",
    "%ff",
    "%",
    ";",
    "?",
    "#",
    "a",
    "API",
    ":",
    "@",
    "*",
    "\\",
]


@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
    | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=20)
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_target_leads_a_stranger_past_the_guard(served: Served, target: str) -> None:
    async with served.wire() as wire:
        wire.write(call("GET", f"/{target}", "Connection: close"))
        said = await wire.ended()
    served.seen += [name.decode() for name in re.findall(rb"x-request-id: (\w+)", said)]
    status = int(said.split(b" ")[1])
    assert status < 500
    assert status >= 400 or unquote(f"/{target}").startswith(OPEN)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[",
        b"[]",
        b"null",
        b'"name"',
        b"\xff\xfe{",
        b'{"name": "\xff"}',
        b'{"name": NaN}',
        b'{"name": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"name":' * 50_000,
    ],
)
async def test_body_that_is_no_json_of_the_right_shape_is_a_400(served: Served, body: bytes) -> None:
    async with served.wire(await served.key(ADMIN_RIGHTS)) as wire:
        document(await wire.send("POST", "/api/v1/keys", JSON, body=body), 400, "invalid_request")
        assert 200 == (await wire.get("/api/v1/me")).status


async def test_text_that_no_database_can_hold_is_a_400(served: Served) -> None:
    async with served.wire(await served.key(ADMIN_RIGHTS)) as wire:
        for name in ("\ud800", "a\x00b", "\udfff\ud800"):
            body = json.dumps({"name": name}).encode()
            document(await wire.send("POST", "/api/v1/keys", JSON, body=body), 400, "invalid_request")


async def test_headers_in_any_bytes_are_logged_as_text(served: Served) -> None:
    async with served.wire(await served.key()) as wire:
        assert 200 == (await wire.get(CUSTOMERS, "User-Agent: \xff\xfe\x80", "X-Word: \xe9\xff")).status
        document(await wire.get(CUSTOMERS, "Authorization: Bearer \xff\xfe", key=""), 401, "invalid_credential")


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        call("FOO", CUSTOMERS),
        call("get", CUSTOMERS),
        call("GET", "api/v1/customers"),
        call("GET", ""),
        call("GET", "http://acme.test"),
        call("GET", "/api/v1/customers/é"),
        call("CONNECT", "acme.test:80"),
        call("POST", ECHO, "Content-Length: 5", "Transfer-Encoding: chunked"),
        call("POST", ECHO, "Content-Length: 5", "Content-Length: 6"),
        call("POST", ECHO, "Content-Length: -1"),
        call("POST", ECHO, f"Content-Length: {'9' * 5000}"),
        call("POST", ECHO, "Transfer-Encoding: gzip"),
        call("GET", CUSTOMERS, "Authorization: Bearer\r\n folded"),
    ],
)
async def test_what_is_no_http_is_a_400_and_the_end_of_the_connection(served: Served, said: bytes) -> None:
    async with served.wire() as wire:
        wire.write(said)
        assert (await wire.ended()).startswith(b"HTTP/1.1 400 ")


async def test_chunk_that_is_none_is_the_callers_fault(served: Served) -> None:
    key = await served.key()
    async with served.wire(key) as wire:
        wire.ask("POST", ECHO, CHUNKED, body=b"5\r\nhello\r\nno size\r\n")
        assert b" 400 " in await wire.ended()
    (line,) = await served.lines_of(key, 1)
    assert (400, "invalid_request") == (line.status, line.code)
