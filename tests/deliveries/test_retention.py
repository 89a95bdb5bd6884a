"""Deliveries and their attempts are kept as long as the plan keeps its logs, and measured while they are made."""

import pytest
from sqlalchemy import func, select

from keyrack.model.deliveries import State
from keyrack.store import delivery_tables
from keyrack.store.database import Store
from keyrack.work import delivery_retention
from tests.deliveries.conftest import Shop
from tests.deliveries.receivers import status
from tests.serving.served import until

DAY = 24 * 3600


async def _rows(store: Store) -> list[int]:
    tables = (delivery_tables.deliveries, delivery_tables.attempts)
    async with store.reading_traffic() as c:
        return [int(row.rows) for row in [await c.first(select(func.count().label("rows")).select_from(table)) for table in tables] if row]


@pytest.mark.parametrize("fails", [False, True])
async def test_what_is_older_than_the_log_is_forgotten_but_for_what_waits(shop: Shop, fails: bool) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    shop.receiver.answer = (lambda _received: status(500)) if fails else shop.receiver.answer
    await shop.happen(shop.event())
    await until(lambda: shop.receiver.received)
    await shop.until_all(endpoint, State.PENDING if fails else State.SUCCEEDED)
    sender = shop.host.rack.assembly.deliveries
    await sender.stop()
    kept = await _rows(shop.desk.store)
    assert 0 == await delivery_retention.prune(shop.desk.store, shop.host.rack.assembly._days_kept, shop.clock.now())
    assert kept == await _rows(shop.desk.store)
    later = shop.clock.now() + 31 * DAY * 1000
    await delivery_retention.prune(shop.desk.store, shop.host.rack.assembly._days_kept, later)
    assert [int(fails), 0] == await _rows(shop.desk.store)


async def test_attempts_are_counted_by_what_they_end_with(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    await shop.happen(shop.event())
    await shop.until_all(endpoint, State.SUCCEEDED)
    shop.receiver.answer = lambda _received: b""
    await shop.happen(shop.event())
    tally = shop.host.rack.assembly.tally
    await until(lambda: tally.attempts == {"2xx": 1, "broken_off": 1})
    assert 2 == sum(tally.delivery_lags.counts) == sum(tally.attempt_durations.counts)
