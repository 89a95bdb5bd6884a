"""Lists are walked to their end, whatever happens to them meanwhile."""

import pytest

from keyrack.client import UnreadableAnswerError
from keyrack.client.send import SyncSender
from tests.sdk.conftest import Connect
from tests.sdk.relay import CUT, Instead, Relay
from tests.sdk.surfaces import got, steps, walked


async def test_walk_meets_everything_once_while_others_add_and_delete(connect: Connect) -> None:
    client = connect()
    customers = client.resource("customers")
    theirs = [(await got(customers.create(name=f"Walked {number}")))["id"] for number in range(7)]
    (gone, stay) = theirs[0], theirs[1:]
    met = []
    async for customer in steps(customers.list(sort="created_at", limit=2), client):
        met.append(customer["id"])
        await got(customers.create(name="Added meanwhile"))
        if customer["id"] == stay[0]:
            await got(customers.delete(gone))
        if len(met) > 500 or met[-1] == stay[-1]:
            break
    assert len(met) == len(set(met))
    assert stay == [one for one in met if one in stay]


async def test_walk_ends_and_keeps_its_filters(connect: Connect, relay: Relay) -> None:
    client = connect(base_url=relay.url)
    everything = await walked(client.list("/customers", sort="name", limit=100), client)
    found = await walked(client.list("/customers", status="lead", sort="name", limit=3), client)
    assert [one["id"] for one in everything if one["status"] == "lead"] == [one["id"] for one in found]
    assert found
    queries = [one.target.partition("?")[2] for one in relay.passed if "status=lead" in one.target]
    assert len(queries) == -(-len(found) // 3)
    assert all("sort=name" in one and "limit=3" in one for one in queries)
    assert [False, *[True] * (len(queries) - 1)] == ["cursor=" in one for one in queries]


async def test_walk_goes_on_from_a_cursor_that_was_kept(connect: Connect) -> None:
    client = connect()
    pages = await walked(client.list("/customers", sort="name", limit=5).pages(), client)
    assert [5] * (len(pages) - 1) == [len(page.data) for page in pages[:-1]]
    assert (pages[-1].has_more, pages[-1].next_cursor) == (False, None)
    rest = await walked(client.list("/customers", sort="name", limit=5, cursor=pages[0].next_cursor), client)
    assert [one["id"] for page in pages[1:] for one in page.data] == [one["id"] for one in rest]
    first = await got(client.list("/customers", sort="name", limit=5).page())
    assert pages[0].data == first.data


async def test_walk_survives_a_cut_connection(connect: Connect, relay: Relay) -> None:
    client = connect(base_url=relay.url)
    expected = [one["id"] for one in await walked(client.list("/onboardings", limit=100), client)]
    relay.plan = ["pass", CUT, CUT, "pass", CUT]
    assert expected == [one["id"] for one in await walked(client.list("/onboardings", limit=1), client)]
    assert [] == relay.plan


async def test_list_that_goes_in_circles_is_left(connect: Connect, relay: Relay) -> None:
    page = Instead(200, {"Content-Type": "application/json"}, b'{"data": [{}], "has_more": true, "next_cursor": "again"}')
    relay.plan = [page] * 3
    client = connect(base_url=relay.url)
    with pytest.raises(UnreadableAnswerError, match="just shown"):
        await walked(client.list("/customers"), client)
    assert 2 == len(relay.passed)


async def test_answer_that_is_no_list_is_said_to_be_none(connect: Connect) -> None:
    client = connect()
    with pytest.raises(UnreadableAnswerError, match="no page") as raised:
        await walked(client.list("/me"), client)
    assert raised.value.answer is not None
    assert "api_key_identity" == raised.value.answer["object"]


async def test_wrong_kind_of_loop_is_named(connect: Connect) -> None:
    listing = connect().keys.list()
    wrong = listing.__aiter__().__anext__ if isinstance(listing._sender, SyncSender) else iter(listing).__next__
    with pytest.raises(TypeError, match="async"):
        await got(wrong())
