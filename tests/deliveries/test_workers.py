"""Many processes deliver from one database: each delivery is claimed by one, and what one endpoint does holds up no other."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from keyrack.manage import endpoints
from keyrack.model.deliveries import State, Why
from keyrack.store import claims, delivery_lanes, event_cursors
from keyrack.store import deliveries as delivery_rows
from keyrack.store.claims import Lane
from keyrack.store.delivery_lanes import LANES
from keyrack.work import deliveries
from keyrack.work.event_readers import READ_AT_ONCE_MAX
from tests.backends import Backend
from tests.deliveries.conftest import Shop, opened
from tests.deliveries.receivers import OK, Receiver, status
from tests.serving.served import until


@asynccontextmanager
async def _several(backend: Backend, folder: Path, receiver: Receiver, count: int) -> AsyncIterator[list[Shop]]:
    """Racks on one database, each with a store, a feed and jobs of its own, as processes have them."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(opened(backend, folder, receiver))
        shops = [first]
        for _ in range(count - 1):
            other = first.host.rack.__class__(
                first.host.rack.settings,
                brand=first.host.rack.brand,
                categories=list(first.host.rack.categories.values()),
                plans=list(first.host.rack.plans.values()),
                now=first.clock.now,
            )
            await other.assembly.start()
            stack.push_async_callback(other.assembly.stop)
            shops.append(replace(first, host=replace(first.host, rack=other)))
        yield shops


async def test_many_workers_claim_nothing_twice_and_never_more_at_once_than_an_endpoint_takes(
    backend: Backend, tmp_path: Path, receiver: Receiver
) -> None:
    async with _several(backend, tmp_path, receiver, 3) as (shop, *_):
        made = [await shop.endpoint(f"/{n}", events=["customer.*"], parallel=n) for n in (2, 20)]
        happened = await shop.happen(*(shop.event() for _ in range(60)))
        for endpoint, _ in made:
            await shop.until_all(endpoint, State.SUCCEEDED, 60)
    for endpoint, _ in made:
        assert Counter(happened) == Counter(one.event_id for one in receiver.of(f"/{endpoint.parallel}"))
        assert receiver.most[f"/{endpoint.parallel}"] <= endpoint.parallel


async def test_one_claims_what_is_free_and_another_what_a_dead_one_had(shop: Shop) -> None:
    sender = shop.host.rack.assembly.deliveries
    endpoint, _ = await shop.endpoint(events=["customer.*"], parallel=3)
    await sender.stop()
    derived = shop.host.rack.assembly.deliveries._reader
    await shop.happen(*(shop.event() for _ in range(10)))
    await derived.turn()
    store, now = shop.desk.store, shop.clock.now()

    async def claim(at: int, limit: int = 100) -> list[str]:
        async with store.writing_traffic() as c:
            rows = await claims.claim(c, LANES, [Lane(endpoint.id, 3)], now=at, until=at + 60_000, limit=limit)
        return [row.id for row in rows]

    first, second = await asyncio.gather(claim(now, 2), claim(now, 2))
    assert (3, 3) == (len(first + second), len({*first, *second}))
    assert [] == await claim(now + 59_999)
    async with store.reading_traffic() as c:
        assert ([], None) == await claims.due_lanes(c, LANES, now=now - 1, after="", limit=9)
        assert ([endpoint.id], endpoint.id) == await claims.due_lanes(c, LANES, now=now, after="", limit=1)
    assert {*first, *second} | set(await claim(now + 60_000)) >= {*first, *second}


@pytest.mark.parametrize("pressed", ["replay", "disable"])
async def test_what_is_claimed_at_this_moment_stays_with_who_claimed_it(shop: Shop, pressed: str) -> None:
    sender = shop.host.rack.assembly.deliveries
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    await sender.stop()
    await shop.happen(shop.event())
    await sender._reader.turn()
    store, now = shop.desk.store, shop.clock.now()
    (waiting,) = await shop.of(endpoint)
    async with store.writing_traffic() as c:
        await claims.claim(c, LANES, [Lane(endpoint.id, 1)], now=now, until=now, limit=1)
        await delivery_lanes.note(c, [(replace(waiting, failures=1, due_at=now), now)])

    async def press() -> int:
        async with store.writing_traffic() as c:
            if pressed == "replay":
                return await delivery_rows.send_missed_again(c, endpoint.workspace_id, endpoint.id, since=0, now=now)
            return await delivery_lanes.settle(c, endpoint.id, State.SKIPPED, Why.ENDPOINT_DISABLED, now)

    async with store.writing_traffic() as c:
        claimed = await claims.claim(c, LANES, [Lane(endpoint.id, 1)], now=now, until=now + 1000, limit=1)
        meanwhile = asyncio.create_task(press())
        await asyncio.sleep(0.2)
    assert ([waiting.id], 0) == ([row.id for row in claimed], await meanwhile)


async def test_endpoint_that_hangs_or_fails_holds_up_no_other(shop: Shop) -> None:
    hanging, _ = await shop.endpoint("/hangs", events=["customer.*"], parallel=20)
    failing, _ = await shop.endpoint("/fails", events=["customer.*"], parallel=20)
    quick, _ = await shop.endpoint("/quick", events=["customer.*"])
    answers = {"/hangs": None, "/fails": status(500), "/quick": OK}
    shop.receiver.answer = lambda received: answers[received.path]
    await shop.happen(*(shop.event() for _ in range(100)))
    await shop.until_all(quick, State.SUCCEEDED, 100)
    assert 20 == shop.receiver.hanging
    assert (100, 0) == (len(await shop.of(hanging, State.PENDING)), len(await shop.of(failing, State.SUCCEEDED)))


async def test_workspace_whose_endpoints_all_hang_holds_up_no_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "WORKSPACE_AT_ONCE_MAX", 10)
    monkeypatch.setattr(deliveries, "AT_ONCE_MAX", 40)
    neighbour = await shop.host.other_workspace()
    theirs = await shop.host.rack.workspaces.operator(neighbour.workspace.id)
    for number in range(4):
        await endpoints.create(shop.desk, theirs, url=f"{shop.receiver.url}/hangs-{number}", events=["customer.*"], parallel=20)
    shop.receiver.answer = lambda received: OK if received.path == "/hooks" else None
    await shop.happen(*(shop.event(workspace_id=neighbour.workspace.id) for _ in range(20)))
    await until(lambda: shop.receiver.hanging >= 10)
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    await shop.happen(*(shop.event() for _ in range(20)))
    await shop.until_all(endpoint, State.SUCCEEDED, 20)


async def test_nothing_overtakes_in_order(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"], in_order=True)
    shop.receiver.answer = lambda _received: status(500) if len(shop.receiver.received) == 2 else OK
    first, second, third = await shop.happen(*(shop.event() for _ in range(3)))
    order = sorted((first, second, third))
    await until(lambda: len(shop.receiver.received) == 2)
    await shop.until_all(endpoint, State.SUCCEEDED)
    shop.clock.pass_seconds(60)
    await shop.until_all(endpoint, State.SUCCEEDED, 3)
    assert [order[0], order[1], order[1], order[2]] == [one.event_id for one in shop.receiver.received]


async def test_endpoint_that_fails_again_and_again_is_probed_with_one_at_a_time(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"], parallel=5)
    shop.receiver.answer = lambda _received: status(500)
    await shop.happen(*(shop.event() for _ in range(5)))
    await until(lambda: len(shop.receiver.received) == 5)

    async def have_failed() -> bool:
        return all(one.failures == 1 for one in await shop.of(endpoint))

    await until(have_failed)
    shop.receiver.answer = lambda _received: None
    await shop.happen(*(shop.event() for _ in range(5)))
    await until(lambda: shop.receiver.hanging)
    await shop.until_all(endpoint, State.PENDING, 10)
    assert 1 == shop.receiver.hanging


async def test_events_are_derived_from_once_whoever_reads_them(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    await shop.happen(shop.event())
    await shop.until_all(endpoint, State.SUCCEEDED)
    store = shop.desk.store
    async with store.writing_traffic() as c:
        at = await event_cursors.get(c, "deliveries")
        assert not await event_cursors.advance(c, "deliveries", at - 1, at + 1)
        # As a copy that was restored may have it.
        assert await event_cursors.advance(c, "deliveries", at, 0)
    again = await shop.happen(shop.event())
    await shop.until_all(endpoint, State.SUCCEEDED, 2)
    assert 2 == len({one.event_id for one in shop.receiver.received}) == len(shop.receiver.received)
    assert again[0] == shop.receiver.received[-1].event_id


async def test_cursor_from_a_newer_copy_than_the_events_goes_back_at_the_start(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    sender = shop.host.rack.assembly.deliveries
    await sender.stop()
    async with shop.desk.store.writing_traffic() as c:
        at = await event_cursors.get(c, "deliveries")
        assert await event_cursors.advance(c, "deliveries", at, 10**9)
    await sender.start()
    await shop.happen(shop.event())
    await shop.until_all(endpoint, State.SUCCEEDED)


async def test_what_was_claimed_and_not_sent_is_given_back_by_a_process_that_stops(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    shop.receiver.answer = lambda _received: None
    await shop.happen(shop.event())
    await until(lambda: shop.receiver.hanging)
    await shop.host.rack.assembly.deliveries.stop()
    (waiting,) = await shop.of(endpoint, State.PENDING)
    assert waiting.due_at == shop.clock.now()
    async with shop.desk.store.reading_traffic() as c:
        assert {} == await delivery_lanes.health(c, [endpoint.id])


async def test_a_backlog_of_more_than_one_batch_is_worked_off(shop: Shop) -> None:
    await shop.endpoint(events=["customer.*"], parallel=20)
    happened = await shop.happen(*(shop.event() for _ in range(READ_AT_ONCE_MAX + 1)))
    await until(lambda: len(shop.receiver.received) >= len(happened))
    assert Counter(happened) == Counter(one.event_id for one in shop.receiver.received)
