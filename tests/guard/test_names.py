"""From a name to a connection: asked once, every answer checked, and the connection made to what was checked.

The names are a real name server's.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from keyrack.model.addresses import Address, networks
from keyrack.model.outgoing_calls import Answered, NotSent, NotSentCode, Outgoing
from keyrack.work.resolver import Resolver
from keyrack.work.send import GuardedClient
from tests.guard.conftest import LOOPBACK, Receive
from tests.guard.name_server import serving
from tests.guard.receivers import OK, answering, silent

# One address of this machine may be called and all others may not: the first stands for the public ones.
PUBLIC, INNER = "127.0.0.2", "127.0.0.1"
ONLY_PUBLIC = networks([f"{PUBLIC}/32"])


async def call(client: GuardedClient, url: str, *, seconds: float = 10) -> Answered:
    """Send an ordinary call."""
    return await client.send(Outgoing("POST", url, (), b"{}"), timeout_seconds=seconds, answer_bytes_max=100)


async def test_name_that_is_rebound_leads_nowhere_else(receive: Receive) -> None:
    """The name server answers first with an address that may be called, and from then on with one that may not."""
    async with serving([[PUBLIC], [INNER]]) as names, receive(answering(OK), host=PUBLIC) as outside:
        client = GuardedClient(ONLY_PUBLIC, resolve=names.resolve)
        async with receive(answering(OK), host=INNER, port=outside.port) as inside:
            answered = await call(client, outside.url("rebound.example.com"))
            asked = list(names.questions)
            with pytest.raises(NotSent) as raised:
                await call(client, outside.url("rebound.example.com"))
    assert PUBLIC == answered.address
    assert ["rebound.example.com A", "rebound.example.com AAAA"] == asked
    assert f"Host: rebound.example.com:{outside.port}" in outside.head
    assert NotSentCode.ADDRESS_REFUSED == raised.value.code
    assert not raised.value.sent
    assert INNER not in raised.value.detail
    assert (1, 0) == (outside.connections, inside.connections)


@pytest.mark.parametrize(
    ("v4", "v6"),
    [
        ([INNER], []),
        ([PUBLIC, INNER], []),
        ([INNER, PUBLIC], []),
        ([PUBLIC], ["::1"]),
        ([PUBLIC], ["::ffff:127.0.0.1"]),
        ([PUBLIC], ["::"]),
    ],
)
async def test_host_with_one_address_that_may_not_be_called_is_refused(receive: Receive, v4: list[str], v6: list[str]) -> None:
    async with (
        serving([v4], [v6]) as names,
        receive(answering(OK), host=PUBLIC) as outside,
        receive(answering(OK), host=INNER, port=outside.port) as inside,
    ):
        with pytest.raises(NotSent) as raised:
            await call(GuardedClient(ONLY_PUBLIC, resolve=names.resolve), outside.url("mixed.example.com"))
    assert NotSentCode.ADDRESS_REFUSED == raised.value.code
    assert (0, 0) == (outside.connections, inside.connections)


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "127.0.0.1", "0.0.0.0", "64:ff9b::7f00:1", "fd00:ec2::254"])
async def test_name_of_an_inner_address_is_refused_by_https_too(address: str) -> None:
    v4, v6 = ([address], []) if "." in address else ([], [address])
    async with serving([v4], [v6]) as names:
        with pytest.raises(NotSent) as raised:
            await call(GuardedClient(resolve=names.resolve), "https://inner.example.com/")
    assert NotSentCode.ADDRESS_REFUSED == raised.value.code
    assert address not in raised.value.detail


async def test_public_address_is_not_called_by_http() -> None:
    async with serving([["198.41.0.4"]]) as names:
        with pytest.raises(NotSent, match="https") as raised:
            await call(GuardedClient(LOOPBACK, resolve=names.resolve), "http://public.example.com/")
    assert NotSentCode.ADDRESS_REFUSED == raised.value.code


async def test_v4_address_in_v6_clothes_is_called_as_what_it_is(receive: Receive) -> None:
    async with serving([[]], [[f"::ffff:{PUBLIC}"]]) as names, receive(answering(OK), host=PUBLIC) as outside:
        assert PUBLIC == (await call(GuardedClient(ONLY_PUBLIC, resolve=names.resolve), outside.url("mapped.example.com"))).address


async def test_next_address_is_tried_where_one_does_not_take_the_connection(receive: Receive) -> None:
    async with serving([["127.0.0.3", PUBLIC]], [["::1"]]) as names, receive(answering(OK), host=PUBLIC) as receiver:
        answered = await call(GuardedClient(LOOPBACK, resolve=names.resolve), receiver.url("two.example.com"))
    assert PUBLIC == answered.address


async def test_no_more_than_four_addresses_are_tried(receive: Receive) -> None:
    away = [f"127.0.1.{number}" for number in range(1, 6)]
    async with serving([[*away, PUBLIC]]) as names, receive(answering(OK), host=PUBLIC) as receiver:
        with pytest.raises(NotSent) as raised:
            await call(GuardedClient(LOOPBACK, resolve=names.resolve), receiver.url("many.example.com"))
    assert NotSentCode.CONNECT_FAILED == raised.value.code
    assert 0 == receiver.connections


async def test_name_without_addresses_is_called_so() -> None:
    async with serving([[]]) as names:
        with pytest.raises(NotSent) as raised:
            await call(GuardedClient(resolve=names.resolve), "https://nothing.example.com/")
    assert NotSentCode.UNRESOLVED == raised.value.code
    assert "nothing.example.com" in raised.value.detail


async def test_name_with_very_many_addresses_is_refused(receive: Receive) -> None:
    async with serving([[f"127.0.0.{number}" for number in range(2, 67)]]) as names, receive(answering(OK), host=PUBLIC) as receiver:
        with pytest.raises(NotSent, match="more than 64") as raised:
            await call(GuardedClient(LOOPBACK, resolve=names.resolve), receiver.url("very-many.example.com"))
    assert NotSentCode.UNRESOLVED == raised.value.code
    assert 0 == receiver.connections


async def test_slow_name_server_is_given_up_in_time() -> None:
    async def never(host: str) -> Sequence[Address]:
        await asyncio.Event().wait()
        return [ip_address("198.41.0.4")]

    with pytest.raises(NotSent) as raised:
        await call(GuardedClient(resolve=never), "https://slow.example.com/", seconds=0.1)
    assert (NotSentCode.TIMEOUT, False) == (raised.value.code, raised.value.sent)
    assert "addresses" in raised.value.detail


async def test_refused_url_is_not_even_looked_up() -> None:
    async with serving([[PUBLIC]]) as names:
        client = GuardedClient(resolve=names.resolve)
        for url in (
            "http://a.example.com/",
            "https://0x7f.1/",
            "https://localhost/",
            "https://u@a.example.com/",
            "https://a.example.com:25/",
        ):
            with pytest.raises(NotSent) as raised:
                await call(client, url)
            assert NotSentCode.ADDRESS_REFUSED == raised.value.code
    assert [] == names.questions


async def test_operating_system_is_asked_by_default(receive: Receive) -> None:
    async with receive(answering(OK)) as receiver:
        answered = await call(GuardedClient(LOOPBACK), receiver.url("localhost"))
    assert "127.0.0.1" == answered.address
    assert f"Host: localhost:{receiver.port}" in receiver.head


async def test_name_that_is_being_looked_up_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    real = socket.getaddrinfo

    def counted(host: bytes, port: None, type: int) -> object:
        asked.append(host)
        return real(host, port, type=type)

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    resolver = Resolver()
    found = await asyncio.gather(*(resolver.resolve("localhost") for _ in range(50)))
    assert all(ip_address("127.0.0.1") in one for one in found)
    assert [b"localhost"] == asked
    await resolver.resolve("localhost")
    assert [b"localhost"] * 2 == asked


async def test_name_that_nobody_knows_is_an_error_for_all_who_asked() -> None:
    resolver = Resolver()
    found = await asyncio.gather(*(resolver.resolve("..") for _ in range(5)), return_exceptions=True)
    assert [socket.gaierror] * 5 == [type(one) for one in found]


async def test_look_up_that_nobody_waits_for_any_more_ends_quietly(receive: Receive) -> None:
    resolver = Resolver()
    task = asyncio.create_task(resolver.resolve("localhost"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ip_address("127.0.0.1") in await resolver.resolve("localhost")


async def test_silent_address_has_its_share_of_the_time_only(receive: Receive) -> None:
    """A receiver that takes no connection (its queue is full) leaves time for the next address."""
    with socket.socket() as full:
        full.bind(("127.0.0.4", 0))
        full.listen(0)
        port = full.getsockname()[1]
        taken = [socket.socket() for _ in range(4)]
        for one in taken:
            one.setblocking(False)
            one.connect_ex(("127.0.0.4", port))
        async with serving([["127.0.0.4", PUBLIC]]) as names, receive(answering(OK), host=PUBLIC, port=port) as receiver:
            answered = await call(GuardedClient(LOOPBACK, resolve=names.resolve), receiver.url("half.example.com"), seconds=2)
        for one in taken:
            one.close()
    assert PUBLIC == answered.address


async def test_total_time_bounds_all_addresses_together(receive: Receive) -> None:
    async with serving([["127.0.0.5", PUBLIC]]) as names, receive(silent, host=PUBLIC) as receiver:
        with pytest.raises(NotSent) as raised:
            await call(GuardedClient(LOOPBACK, resolve=names.resolve), receiver.url("slow.example.com"), seconds=0.2)
    assert NotSentCode.TIMEOUT == raised.value.code
