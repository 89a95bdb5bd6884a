"""One call to one receiver: what is sent, in which order, and what comes back."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from keyrack.model.outgoing_calls import Answered, NotSent, Outgoing
from keyrack.work.send import BeforeFirstByte, GuardedClient
from tests.guard.conftest import Receive
from tests.guard.receivers import OK, Receiver, answering, silent
from tests.guard.threads import Threaded

HEADERS = (("Content-Type", "application/json"), ("webhook-id", "evt_1"))
BODY = b'{"type":"customer.created"}'


async def post(
    client: GuardedClient,
    url: str,
    *,
    headers: tuple[tuple[str, str], ...] = HEADERS,
    body: bytes = BODY,
    seconds: float = 10,
    hook: BeforeFirstByte | None = None,
) -> Answered:
    """Send an ordinary call."""
    outgoing = Outgoing("POST", url, headers, body)
    return await client.send(outgoing, timeout_seconds=seconds, answer_bytes_max=4096, before_first_byte=hook)


async def test_call_arrives_as_it_was_given(client: GuardedClient, receive: Receive) -> None:
    async with receive(answering(OK)) as receiver:
        answered = await post(client, receiver.url(path="/hook?a=b"))
    assert [
        "POST /hook?a=b HTTP/1.1",
        f"Host: 127.0.0.1:{receiver.port}",
        "Content-Type: application/json",
        "webhook-id: evt_1",
        "Accept-Encoding: identity",
        "Connection: close",
        f"Content-Length: {len(BODY)}",
    ] == receiver.head
    assert BODY == receiver.body
    assert (200, b"ok", False, "127.0.0.1") == (answered.status, answered.body, answered.truncated, answered.address)
    assert (("content-length", "2"), ("x-one", "1")) == answered.headers
    assert answered.duration_ms >= 0


@pytest.mark.parametrize(("method", "body", "length"), [("GET", b"", None), ("DELETE", b"", None), ("POST", b"", "0"), ("PUT", b"x", "1")])
async def test_length_is_told_where_there_is_a_body(
    client: GuardedClient, receive: Receive, method: str, body: bytes, length: str | None
) -> None:
    async with receive(answering(OK)) as receiver:
        await client.send(Outgoing(method, receiver.url(), (), body), timeout_seconds=10, answer_bytes_max=10)
    lengths = [line.partition(": ")[2] for line in receiver.head if line.startswith("Content-Length")]
    assert ([] if length is None else [length]) == lengths


async def test_large_body_arrives_whole(client: GuardedClient, receive: Receive) -> None:
    body = os.urandom(6 * 1024 * 1024)
    async with receive(answering(OK)) as receiver:
        assert 200 == (await post(client, receiver.url(), body=body)).status
    assert body == receiver.body


@pytest.mark.parametrize("status", [201, 204, 301, 302, 303, 307, 308, 400, 410, 429, 500, 503, 599])
async def test_every_status_is_an_answer(client: GuardedClient, receive: Receive, status: int) -> None:
    async with receive(answering(f"HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n".encode())) as receiver:
        assert status == (await post(client, receiver.url())).status


async def test_redirect_is_not_followed(client: GuardedClient, receive: Receive) -> None:
    async with receive(answering(OK)) as other:
        head = f"HTTP/1.1 302 Found\r\nLocation: {other.url()}\r\nContent-Length: 0\r\n\r\n"
        async with receive(answering(head.encode())) as receiver:
            answered = await post(client, receiver.url())
    assert 302 == answered.status
    assert ("location", other.url()) in answered.headers
    assert 0 == other.connections


async def test_environment_changes_nothing(
    client: GuardedClient, receive: Receive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No proxy, and no password file."""
    async with receive(answering(OK)) as proxy, receive(answering(OK)) as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(path=""))
            monkeypatch.setenv(name.lower(), proxy.url(path=""))
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login robin password s3cret")
        (tmp_path / ".netrc").chmod(0o600)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        await post(client, receiver.url())
    assert 0 == proxy.connections
    assert not any(line.lower().startswith("authorization") for line in receiver.head)


async def test_no_cookie_comes_back(client: GuardedClient, receive: Receive) -> None:
    async with receive(answering(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n")) as receiver:
        await post(client, receiver.url())
        await post(client, receiver.url())
    assert 2 == receiver.connections
    assert b"cookie" not in bytes(receiver.received).lower()


async def test_hook_is_asked_when_the_connection_stands_and_before_the_first_byte(client: GuardedClient, receive: Receive) -> None:
    async with receive(answering(OK)) as receiver:

        async def still_wanted() -> None:
            await receiver.accepted.wait()
            await asyncio.sleep(0.05)
            assert b"" == receiver.received
            receiver.happened.append("asked")

        await post(client, receiver.url(), hook=still_wanted)
    assert ["asked", "first byte"] == receiver.happened


async def test_nothing_runs_between_the_hook_and_the_first_byte(client: GuardedClient) -> None:
    """What the hook found is still so when the first byte leaves: no other part of this process had its turn."""
    arrived: list[bool] = []
    with Threaded(OK) as receiver:

        async def still_wanted() -> None:
            loop = asyncio.get_running_loop()
            loop.call_soon(lambda: arrived.append(receiver.first_byte.wait(10)))

        await post(client, receiver.url, seconds=20, hook=still_wanted)
        # The answer may have been there before the loop had another turn.
        await asyncio.sleep(0)
    assert [True] == arrived


class Gone(Exception):
    """What a hook may raise."""


@pytest.mark.parametrize("fault", [Gone(), TimeoutError()])
async def test_withdrawn_call_sends_nothing(client: GuardedClient, receive: Receive, fault: Exception) -> None:
    async def withdraw() -> None:
        raise fault

    async with receive(silent) as receiver:
        with pytest.raises(type(fault)) as raised:
            await post(client, receiver.url(), hook=withdraw)
        await asyncio.wait_for(receiver.closed.wait(), 10)
    assert fault is raised.value
    assert b"" == receiver.received


async def test_cancelled_call_closes_its_connection(client: GuardedClient, receive: Receive) -> None:
    async with receive(silent) as receiver:
        task = asyncio.create_task(post(client, receiver.url()))
        await receiver.accepted.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(receiver.closed.wait(), 10)


def open_files() -> int:
    """How many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - asked by async tests


async def test_nothing_stays_open(client: GuardedClient, receive: Receive) -> None:
    """Neither after answers nor after failures."""

    async def all_kinds(receiver: Receiver, quiet: Receiver) -> None:
        for _ in range(5):
            await post(client, receiver.url())
            for url, seconds in ((quiet.url(), 0.05), ("http://127.0.0.1:1024/", 10.0), ("https://10.0.0.1/", 10.0)):
                with pytest.raises(NotSent):
                    await post(client, url, seconds=seconds)

    async with receive(answering(OK)) as receiver, receive(silent) as quiet:
        await all_kinds(receiver, quiet)
        await asyncio.sleep(0.1)
        before = open_files()
        await all_kinds(receiver, quiet)
        await asyncio.sleep(0.1)
        assert before == open_files()


async def test_slow_receiver_delays_no_other(client: GuardedClient, receive: Receive) -> None:
    async with receive(silent) as slow, receive(answering(OK)) as quick:
        waiting = [asyncio.create_task(post(client, slow.url())) for _ in range(20)]
        assert [200] * 20 == [one.status for one in await asyncio.gather(*(post(client, quick.url()) for _ in range(20)))]
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize("name", ["Host", "connection", "CONTENT-LENGTH", "Transfer-Encoding", "expect"])
async def test_header_of_the_client_s_own_is_never_sent_twice(client: GuardedClient, receive: Receive, name: str) -> None:
    async with receive(answering(OK)) as receiver:
        with pytest.raises(ValueError, match="own"):
            await post(client, receiver.url(), headers=((name, "1"),))
    assert 0 == receiver.connections


@pytest.mark.parametrize(("name", "value"), [("X-A", "s3cret\r\nHost: x"), ("X-A", "s3cret ü"), ("X A", "s3cret"), ("X-A", " s3cret")])
async def test_header_that_cannot_be_sent_is_refused_without_its_value(
    client: GuardedClient, receive: Receive, name: str, value: str
) -> None:
    async with receive(answering(OK)) as receiver:
        with pytest.raises(ValueError, match="cannot be sent") as raised:
            await post(client, receiver.url(), headers=((name, value),))
    assert "s3cret" not in str(raised.value)
    assert 0 == receiver.connections


def test_repr_tells_no_secret() -> None:
    outgoing = Outgoing("POST", "https://hooks.example.com/s3cret", (("Authorization", "s3cret"),), b"s3cret")
    answered = Answered(200, (("set-cookie", "s3cret"),), b"s3cret", False, 3, "198.41.0.4")
    assert "s3cret" not in repr(outgoing) + repr(answered)


def test_threads_of_the_resolver_do_not_hold_up_the_end_of_the_process() -> None:
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "keyrack-resolver")
