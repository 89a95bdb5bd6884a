"""What is sent again, and what is not; and that a call which is sent again happens once."""

import asyncio
import traceback
from typing import Any
from uuid import uuid4

import pytest

from keyrack.client import (
    AlreadyDoneError,
    AsyncClient,
    IdempotencyKeyReusedError,
    KeyrackError,
    NoAnswerError,
    RateLimitError,
    ServerError,
    StatusError,
    TimedOutError,
)
from tests.sdk.conftest import Connect, Demo, Narrow
from tests.sdk.relay import CUT, CUT_BEFORE, CUT_WITHIN, Instead, Relay, stalling_server
from tests.sdk.surfaces import got, walked

PROBLEM = {"Content-Type": "application/problem+json"}


async def named(client: Any, name: str) -> list[Any]:
    """Return the customers of a name."""
    return [one for one in await walked(client.list("/customers", limit=100), client) if one["name"] == name]


@pytest.mark.parametrize("fates", [[CUT], [CUT_WITHIN], [CUT_BEFORE], [CUT, CUT_WITHIN, CUT_BEFORE]])
async def test_post_whose_answer_was_cut_makes_one_object(connect: Connect, relay: Relay, fates: list[str | Instead]) -> None:
    client = connect(base_url=relay.url)
    name = f"Cut {relay.url} {len(fates)}"
    relay.plan = list(fates)
    made = await got(client.post("/customers", json={"name": name}))
    assert len(fates) + 1 == len(relay.passed)
    assert 1 == len(set(relay.sent("idempotency-key")))
    assert made.replayed is (fates[0] != CUT_BEFORE)
    assert [made["id"]] == [one["id"] for one in await named(client, name)]


async def test_each_change_has_a_key_of_its_own_and_no_reading_has_one(connect: Connect, relay: Relay) -> None:
    client = connect(base_url=relay.url)
    customers = client.resource("customers")
    made = await got(customers.create(name="Keyed"))
    await got(customers.update(made["id"], name="Keyed twice"))
    await got(customers.get(made["id"]))
    await got(customers.delete(made["id"]))
    first, second, reading, last = relay.sent("idempotency-key")
    assert reading is None
    assert 3 == len({first, second, last})


async def test_call_that_is_repeated_under_its_own_key_is_replayed(connect: Connect) -> None:
    client = connect()
    once = {"json": {"name": "Chosen key"}, "idempotency_key": f"order-{id(client)}-{type(client).__name__}"}
    first, again = await got(client.post("/customers", **once)), await got(client.post("/customers", **once))
    assert (first["id"], False, True) == (again["id"], first.replayed, again.replayed)
    with pytest.raises(IdempotencyKeyReusedError):
        await got(client.post("/customers", json={"name": "Another"}, idempotency_key=once["idempotency_key"]))


async def test_calls_at_once_under_one_key_make_one_object(demo: Demo) -> None:
    once: Any = {"json": {"name": "At once"}, "idempotency_key": str(uuid4())}
    async with AsyncClient(demo.live_key, base_url=demo.url) as client:
        answers = await asyncio.gather(*[client.post("/customers", **once) for _ in range(4)])
    assert 1 == len({answer["id"] for answer in answers})
    assert [False, True, True, True] == sorted(answer.replayed for answer in answers)


async def test_key_whose_answer_was_cut_is_named_so_that_it_can_be_rotated(connect: Connect, demo: Demo, relay: Relay) -> None:
    admin = connect(demo.admin_key, base_url=relay.url)
    relay.plan = [CUT]
    with pytest.raises(AlreadyDoneError) as raised:
        await got(admin.keys.create(name="Lost secret"))
    assert "shown_once" == raised.value.code
    (key_id,) = [one["id"] for one in raised.value.made if one["object"] == "key"]
    rotated = await got(admin.keys.rotate(key_id))
    assert "Lost secret" == (await got(connect(rotated.secret).me())).key_name


@pytest.mark.parametrize(
    "fate",
    [
        Instead(502, {"Content-Type": "text/html"}, b"<h1>Bad gateway</h1>"),
        Instead(503, {"Retry-After": "0"}),
        Instead(504),
        Instead(429, {"Retry-After": "0"}),
        Instead(500, PROBLEM, b'{"code": "internal_error", "retryable": true}'),
        Instead(409, {**PROBLEM, "Retry-After": "0"}, b'{"code": "idempotency_key_in_use", "retryable": true}'),
    ],
    ids=lambda fate: str(fate.status),
)
async def test_what_may_pass_later_is_sent_again(connect: Connect, relay: Relay, fate: Instead) -> None:
    relay.plan = [fate]
    assert "live" == (await got(connect(base_url=relay.url).me())).mode
    assert 2 == len(relay.passed)


@pytest.mark.parametrize(
    "fate",
    [
        Instead(400),
        Instead(401),
        Instead(403),
        Instead(409, PROBLEM, b'{"code": "conflict", "retryable": false}'),
        Instead(500),
        Instead(500, PROBLEM, b'{"code": "internal_error", "retryable": false}'),
        Instead(503, PROBLEM, b'{"code": "store_unavailable", "retryable": false}'),
        Instead(429, {**PROBLEM, "Retry-After": "86400"}, b'{"code": "quota_exceeded", "retryable": true}'),
        Instead(429, {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}),
    ],
    ids=lambda fate: f"{fate.status} {fate.body.decode()}",
)
async def test_what_would_fail_again_is_not_sent_again(connect: Connect, relay: Relay, fate: Instead) -> None:
    relay.plan = [fate]
    with pytest.raises(StatusError) as raised:
        await got(connect(base_url=relay.url).me())
    assert (fate.status, 1) == (raised.value.status, len(relay.passed))


async def test_retries_end(connect: Connect, relay: Relay) -> None:
    client = connect(base_url=relay.url, max_retries=2)
    relay.plan = [Instead(503, {"Retry-After": "0"})] * 9
    with pytest.raises(ServerError):
        await got(client.post("/customers", json={"name": "Never"}))
    assert 3 == len(relay.passed)
    relay.plan = [CUT_BEFORE] * 9
    with pytest.raises(NoAnswerError):
        await got(connect(base_url=relay.url, max_retries=1).me())
    assert 5 == len(relay.passed)


async def test_server_that_is_silent_or_slow_is_left(connect: Connect, stalling: str) -> None:
    with pytest.raises(TimedOutError) as raised:
        await got(connect(base_url=stalling, timeout=0.2, max_retries=1).me())
    assert isinstance(raised.value, KeyrackError)


async def test_awaited_client_leaves_a_head_that_never_ends() -> None:
    with stalling_server(b"HTTP/1.1 200 OK\r\nx-head: ") as url:
        async with AsyncClient("key", base_url=url, timeout=0.2, max_retries=0) as client:
            with pytest.raises(TimedOutError):
                await client.me()


async def test_header_that_cannot_be_is_not_repeated(connect: Connect) -> None:
    secret = uuid4().hex
    with pytest.raises(NoAnswerError) as raised:
        await got(connect().get("/me", headers={"x-own": f"{secret}\n"}))
    assert secret not in "".join(traceback.format_exception(raised.value))


async def test_call_above_a_limit_waits_for_as_long_as_it_is_told(connect: Connect, narrow: Narrow) -> None:
    client = connect(narrow.key, base_url=narrow.relay.url, max_retries=1)
    for _ in range(20):
        assert 200 == (await got(client.get("/customers"))).status
        if 429 in [one.status for one in narrow.relay.passed]:
            # Once was enough, so the wait was long enough.
            return
    raise AssertionError("no call was above the limit")


async def test_limit_that_is_not_waited_for_is_told(connect: Connect, narrow: Narrow) -> None:
    client = connect(narrow.key, base_url=narrow.relay.url, max_retries=0)

    async def call_until_refused() -> None:
        for _ in range(20):
            await got(client.get("/customers"))

    with pytest.raises(RateLimitError) as raised:
        await call_until_refused()
    assert (["workspace"], 0) == (raised.value.violated_policies, raised.value.answer.rate_limits["workspace"].remaining)
    assert raised.value.retry_after_seconds in (1, 2)
