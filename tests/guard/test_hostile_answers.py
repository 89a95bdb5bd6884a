"""Receivers that answer badly, slowly, too much or not at all: each call ends, within its time and within its bounds."""

import asyncio
import gzip
from ipaddress import ip_address

import pytest

from keyrack.model.outgoing_calls import NotSent, NotSentCode
from keyrack.work.connections import Connection
from keyrack.work.send import BODY_PARTS_MAX, GuardedClient
from tests.guard.conftest import Receive
from tests.guard.receivers import OK, Play, Receiver, answering, deaf, dripping, pouring, reset, silent
from tests.guard.test_sending import post

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def refused(client: GuardedClient, receive: Receive, play: Play, *, seconds: float = 10) -> NotSent:
    """Send a call, and return why no answer came."""
    async with receive(play) as receiver:
        with pytest.raises(NotSent) as raised:
            await post(client, receiver.url(), seconds=seconds)
        assert receiver.url() not in raised.value.detail
    return raised.value


@pytest.mark.parametrize(
    "play",
    [
        silent,
        deaf,
        dripping(b"", b"H"),
        dripping(b"HTTP/1.1 ", b"2"),
        dripping(b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"a"),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
        dripping(CHUNKED, b"1\r\na\r\n"),
        dripping(CHUNKED + b"1;", b"x"),
        dripping(CHUNKED + b"0\r\n", b"X-A: 1\r\n"),
        dripping(b"HTTP/1.1 100 Continue\r\n", b"X-A: 1\r\n"),
    ],
)
async def test_slow_receiver_is_given_up_in_time(client: GuardedClient, receive: Receive, play: Play) -> None:
    fault = await refused(client, receive, play, seconds=0.2)
    assert NotSentCode.TIMEOUT == fault.code
    assert fault.sent
    assert "0.2 s" in fault.detail


@pytest.mark.parametrize(
    "answer",
    [
        *(b"\r\n\r\n", b"\n", b"\x00" * 100, b"\x16\x03\x01\x02\x00\x01\x00", b"* OK IMAP4\r\n\r\n", b"<html>\r\n\r\n"),
        *(
            b"HTTP/2 200 OK\r\n\r\n",
            b"HTTP/1.1 20 OK\r\n\r\n",
            b"HTTP/1.1 099 No\r\n\r\n",
            b"HTTP/1.1 1000 No\r\n\r\n",
            b"HTTP/1.1 OK\r\n\r\n",
        ),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX A: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n X-A: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: \x00\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"FFFFFFFFFFFFFFFFFFFFF\r\n",
        CHUNKED + b"1\r\nabc\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000 + OK,
        b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 " + b"O" * 100_000 + b"\r\n\r\n",
        CHUNKED + b"1;" + b"x" * 100_000 + b"\r\na\r\n0\r\n\r\n",
        CHUNKED + b"0\r\n" + b"X-A: 1\r\n" * 10_000 + b"\r\n",
    ],
    ids=lambda answer: repr(answer[:60]),
)
async def test_answer_that_is_none_is_called_so(client: GuardedClient, receive: Receive, answer: bytes) -> None:
    async def play(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receiver.read_request(reader)
        writer.write(answer)
        # Left open: it is not the end of the connection that makes the answer bad.
        await deaf(receiver, reader, writer)

    fault = await refused(client, receive, play, seconds=20)
    assert NotSentCode.MALFORMED_ANSWER == fault.code
    assert fault.sent


@pytest.mark.parametrize(
    "play",
    [
        pouring(b"", b"HTTP/1.1 200 OK\r\nX-A: 1\r\n" * 100),
        pouring(b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n" * 100),
        pouring(b"", b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n" * 100),
        pouring(b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 10_000),
        pouring(b"", b"a" * 10_000),
    ],
)
async def test_endless_head_is_not_read_to_its_end(client: GuardedClient, receive: Receive, play: Play) -> None:
    assert NotSentCode.MALFORMED_ANSWER == (await refused(client, receive, play, seconds=60)).code


@pytest.mark.parametrize(
    "play",
    [
        pouring(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 10_000),
        pouring(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n", b"a" * 10_000),
        pouring(CHUNKED, b"2710\r\n" + b"a" * 10_000 + b"\r\n"),
        pouring(CHUNKED, b"1;" + b"x" * 10_000 + b"\r\na\r\n"),
    ],
)
async def test_endless_body_is_cut(client: GuardedClient, receive: Receive, play: Play) -> None:
    async with receive(play) as receiver:
        answered = await post(client, receiver.url(), seconds=60)
        await asyncio.wait_for(receiver.closed.wait(), 10)
    assert 200 == answered.status
    assert answered.truncated
    assert 0 < len(answered.body) <= 4096
    assert set(b"a") == set(answered.body)


async def test_body_in_a_great_many_pieces_is_cut(client: GuardedClient, receive: Receive) -> None:
    async with receive(pouring(CHUNKED, b"1\r\na\r\n" * 1000)) as receiver:
        answered = await post(client, receiver.url())
    assert answered.truncated
    assert b"a" * (BODY_PARTS_MAX + 1) == answered.body


@pytest.mark.parametrize(("length", "truncated"), [(4095, False), (4096, False), (4097, True), (100_000, True)])
async def test_body_is_kept_up_to_its_bound(client: GuardedClient, receive: Receive, length: int, truncated: bool) -> None:
    async with receive(answering(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode(), b"a" * length)) as receiver:
        answered = await post(client, receiver.url())
    assert (truncated, min(length, 4096)) == (answered.truncated, len(answered.body))


async def test_compressed_answer_is_not_opened(client: GuardedClient, receive: Receive) -> None:
    """A bomb stays as small as it came."""
    bomb = gzip.compress(b"\0" * 1_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    async with receive(answering(head.encode(), bomb)) as receiver:
        answered = await post(client, receiver.url())
    assert bomb == answered.body
    assert "Accept-Encoding: identity" in receiver.head


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3 + OK, b"ok"),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.1 200\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\nnobody reads this", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", b""),
        (CHUNKED + b"2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n", b"ok"),
        (OK + b"HTTP/1.1 500 A second answer\r\n\r\n", b"ok"),
    ],
)
async def test_unusual_answer_is_read(client: GuardedClient, receive: Receive, answer: bytes, body: bytes) -> None:
    async with receive(answering(answer)) as receiver:
        assert body == (await post(client, receiver.url())).body


async def broken_at_once(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the connection, and reset it."""
    reset(writer)


async def broken_after_the_request(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the request, and reset."""
    await receiver.read_request(reader)
    reset(writer)


async def broken_in_the_head(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin an answer, and reset."""
    await receiver.read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-")
    await writer.drain()
    await asyncio.sleep(0.05)
    reset(writer)


async def broken_in_the_body(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send half a body, and reset."""
    await receiver.read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(0.05)
    reset(writer)


@pytest.mark.parametrize(
    "play",
    [
        *(broken_at_once, broken_after_the_request, broken_in_the_head, broken_in_the_body),
        *(answering(), answering(b"hello"), answering(b"SSH-2.0-OpenSSH_9.2\r\n")),
        *(answering(b"HTTP/1.1 200 OK\r\n"), answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")),
        *(answering(CHUNKED + b"5\r\nhalf"), answering(CHUNKED + b"4\r\nhalf\r\n"), answering(b"HTTP/1.1 100 Continue\r\n\r\n")),
    ],
)
async def test_broken_connection_is_called_so(client: GuardedClient, receive: Receive, play: Play) -> None:
    fault = await refused(client, receive, play)
    assert NotSentCode.BROKEN_OFF == fault.code
    assert fault.sent


async def test_answer_that_comes_before_the_body_was_read_is_the_answer(client: GuardedClient, receive: Receive) -> None:
    """Also where the receiver then closes without reading the rest."""

    async def play(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receiver.read_some(reader)
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await writer.drain()
        await reader.read(100)

    async with receive(play) as receiver:
        answered = await post(client, receiver.url(), body=b"a" * 10_000_000)
    assert (413, b"big") == (answered.status, answered.body)


async def test_answer_of_a_receiver_that_never_reads_the_body_is_the_answer(client: GuardedClient, receive: Receive) -> None:
    async def play(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await deaf(receiver, reader, writer)

    async with receive(play) as receiver:
        answered = await post(client, receiver.url(), body=b"a" * 20_000_000)
    assert (413, b"big") == (answered.status, answered.body)


async def test_receiver_that_pours_leaves_the_others_their_turns(receive: Receive) -> None:
    async with receive(pouring(b"", b"a" * 10_000)) as receiver:
        connection = await Connection.to(ip_address("127.0.0.1"), receiver.port)
        connection.begin(b"GET / HTTP/1.1\r\n\r\n")
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(others())
        for _ in range(100):
            assert await connection.read()
        task.cancel()
        await connection.close()
    assert turns >= 100


async def test_closed_port_is_called_so(client: GuardedClient, receive: Receive) -> None:
    async with receive(silent) as receiver:
        pass
    with pytest.raises(NotSent) as raised:
        await post(client, receiver.url())
    assert NotSentCode.CONNECT_FAILED == raised.value.code
    assert "connection refused" in raised.value.detail
    assert not raised.value.sent
