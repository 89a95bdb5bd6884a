"""TLS of outgoing calls: the certificate must hold the name in the URL, wherever the connection goes."""

import asyncio
import ssl
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from keyrack.model.addresses import Address
from keyrack.model.outgoing_calls import Answered, NotSent, NotSentCode, Outgoing
from keyrack.work.send import BeforeFirstByte, GuardedClient
from tests.guard.certificates import Authority
from tests.guard.conftest import LOOPBACK, Receive
from tests.guard.receivers import OK, Receiver, answering, deaf, dripping, pouring, reset, silent

NAME = "hooks.example.com"


class Gone(Exception):
    """What a hook may raise."""


async def here(host: str) -> Sequence[Address]:
    """Every name is this machine."""
    return [ip_address("127.0.0.1")]


def trusting(authority: Authority) -> GuardedClient:
    """A client that trusts the authority of the tests."""
    return GuardedClient(LOOPBACK, resolve=here, ssl_context=authority.trusted())


async def call(
    client: GuardedClient, url: str, *, body: bytes = b"{}", seconds: float = 10, hook: BeforeFirstByte | None = None
) -> Answered:
    """Send an ordinary call."""
    outgoing = Outgoing("POST", url, (), body)
    return await client.send(outgoing, timeout_seconds=seconds, answer_bytes_max=4096, before_first_byte=hook)


async def refused(client: GuardedClient, url: str) -> NotSent:
    """Send a call, and return why no answer came."""
    with pytest.raises(NotSent) as raised:
        await call(client, url)
    return raised.value


async def test_call_goes_out_under_its_name(authority: Authority, receive: Receive) -> None:
    """The server is told the name (SNI), and so it is in the Host header."""
    told: list[str | None] = []
    tls = authority.server(NAME)
    tls.sni_callback = lambda _line, name, _context: told.append(name)
    async with receive(answering(OK), tls=tls) as receiver:
        answered = await call(trusting(authority), receiver.url(NAME, "https"))
    assert (200, b"ok", "127.0.0.1") == (answered.status, answered.body, answered.address)
    assert [NAME] == told
    assert f"Host: {NAME}:{receiver.port}" in receiver.head
    assert b"{}" == receiver.body


async def test_international_name_is_asked_for_in_ascii(authority: Authority, receive: Receive) -> None:
    async with receive(answering(OK), tls=authority.server("xn--bcher-kva.example")) as receiver:
        assert 200 == (await call(trusting(authority), receiver.url("bücher.example", "https"))).status


async def test_address_in_the_certificate_is_a_name_too(authority: Authority, receive: Receive) -> None:
    async with receive(answering(OK), tls=authority.server("127.0.0.1")) as receiver:
        assert 200 == (await call(trusting(authority), receiver.url(scheme="https"))).status


@pytest.mark.parametrize("names", [("other.example.com",), ("example.com",), ("*.com",), ("127.0.0.1",), ()])
async def test_certificate_of_another_name_is_not_accepted(authority: Authority, receive: Receive, names: tuple[str, ...]) -> None:
    async with receive(answering(OK), tls=authority.server(*names)) as receiver:
        fault = await refused(trusting(authority), receiver.url(NAME, "https"))
    assert NotSentCode.TLS_FAILED == fault.code
    assert NAME in fault.detail
    assert not fault.sent
    assert b"" == receiver.received


async def test_certificate_that_has_expired_is_not_accepted(authority: Authority, receive: Receive) -> None:
    async with receive(answering(OK), tls=authority.server(NAME, ends_in_days=-1)) as receiver:
        fault = await refused(trusting(authority), receiver.url(NAME, "https"))
    assert NotSentCode.TLS_FAILED == fault.code
    assert "expired" in fault.detail


async def test_certificate_of_an_unknown_authority_is_not_accepted(authority: Authority, receive: Receive) -> None:
    """Neither by a client that trusts another authority, nor by one that trusts those of the operating system."""
    async with receive(answering(OK), tls=authority.server(NAME)) as receiver:
        for client in (trusting(Authority()), GuardedClient(LOOPBACK, resolve=here)):
            fault = await refused(client, receiver.url(NAME, "https"))
            assert NotSentCode.TLS_FAILED == fault.code
            assert "certificate" in fault.detail
    assert b"" == receiver.received


async def test_server_without_tls_is_called_so(authority: Authority, receive: Receive) -> None:
    async def play(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receiver.read_some(reader)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with receive(play) as receiver:
        fault = await refused(trusting(authority), receiver.url(NAME, "https"))
    assert NotSentCode.TLS_FAILED == fault.code
    assert b"POST" not in receiver.received


async def test_server_that_ends_the_handshake_is_called_so(authority: Authority, receive: Receive) -> None:
    async def broken(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receiver.read_some(reader)
        reset(writer)

    async def closed(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receiver.read_some(reader)

    for part in (broken, closed):
        async with receive(part) as receiver:
            assert NotSentCode.TLS_FAILED == (await refused(trusting(authority), receiver.url(NAME, "https"))).code


async def test_old_tls_is_not_spoken(authority: Authority, receive: Receive) -> None:
    tls = authority.server(NAME)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_1
    async with receive(answering(OK), tls=tls) as receiver:
        assert NotSentCode.TLS_FAILED == (await refused(trusting(authority), receiver.url(NAME, "https"))).code


async def test_silent_handshake_is_given_up_in_time(authority: Authority, receive: Receive) -> None:
    async with receive(deaf) as receiver:
        with pytest.raises(NotSent) as raised:
            await call(trusting(authority), receiver.url(NAME, "https"), seconds=0.2)
    assert (NotSentCode.TIMEOUT, False) == (raised.value.code, raised.value.sent)
    assert "TLS" in raised.value.detail


async def test_slow_answer_is_given_up_in_time(authority: Authority, receive: Receive) -> None:
    for part in (silent, dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", b"a")):
        async with receive(part, tls=authority.server(NAME)) as receiver:
            with pytest.raises(NotSent) as raised:
                await call(trusting(authority), receiver.url(NAME, "https"), seconds=0.5)
        assert (NotSentCode.TIMEOUT, True) == (raised.value.code, raised.value.sent)


async def test_endless_body_is_cut(authority: Authority, receive: Receive) -> None:
    async with receive(pouring(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 10_000), tls=authority.server(NAME)) as receiver:
        answered = await call(trusting(authority), receiver.url(NAME, "https"))
    assert (True, b"a" * 4096) == (answered.truncated, answered.body)


async def test_large_body_arrives_whole(authority: Authority, receive: Receive) -> None:
    body = b"0123456789abcdef" * 300_000
    async with receive(answering(OK), tls=authority.server(NAME)) as receiver:
        assert 200 == (await call(trusting(authority), receiver.url(NAME, "https"), body=body)).status
    assert body == receiver.body


async def test_hook_is_asked_after_the_handshake_and_before_the_first_byte(authority: Authority, receive: Receive) -> None:
    async with receive(answering(OK), tls=authority.server(NAME)) as receiver:

        async def still_wanted() -> None:
            # The server hands a connection over when its handshake is done.
            await receiver.accepted.wait()
            await asyncio.sleep(0.05)
            assert b"" == receiver.received
            receiver.happened.append("asked")

        await call(trusting(authority), receiver.url(NAME, "https"), hook=still_wanted)
    assert ["asked", "first byte"] == receiver.happened


async def test_withdrawn_call_sends_nothing(authority: Authority, receive: Receive) -> None:
    async def withdraw() -> None:
        raise Gone

    async with receive(silent, tls=authority.server(NAME)) as receiver:
        with pytest.raises(Gone):
            await call(trusting(authority), receiver.url(NAME, "https"), hook=withdraw)
        await asyncio.wait_for(receiver.closed.wait(), 10)
    assert b"" == receiver.received


async def test_answer_to_the_end_of_the_connection_is_whole(authority: Authority, receive: Receive) -> None:
    async with receive(answering(b"HTTP/1.1 200 OK\r\n\r\nto the end"), tls=authority.server(NAME)) as receiver:
        assert b"to the end" == (await call(trusting(authority), receiver.url(NAME, "https"))).body


async def test_answer_that_breaks_off_is_called_so(authority: Authority, receive: Receive) -> None:
    async with receive(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), tls=authority.server(NAME)) as receiver:
        fault = await refused(trusting(authority), receiver.url(NAME, "https"))
    assert (NotSentCode.BROKEN_OFF, True) == (fault.code, fault.sent)
