"""Quotas of days, months and meters are told and kept, also where Valkey lost them or is away."""

from collections.abc import Collection, Mapping
from pathlib import Path

from keyrack.model.limits import DAY_SECONDS, MONTH_SECONDS, Limit
from tests.valkey import Server
from tests.volatile.conftest import bucket
from tests.volatile.test_valkey_counters import DAILY, FEW, counting, take_all


async def test_a_look_tells_what_the_store_kept_and_asks_it_once(valkey_server: Server, tmp_path: Path) -> None:
    valkey_server.empty()
    async with counting(valkey_server, tmp_path) as counters:
        await counters.take("acme", (bucket(DAILY),), 30)
        kept = {quota.key: quota.state for quota in counters.unkept()}
    valkey_server.empty()
    async with counting(valkey_server, tmp_path) as counters:
        asked: list[int] = []

        async def recall(_workspace_id: str, keys: Collection[bytes]) -> Mapping[bytes, int]:
            asked.append(len(keys))
            return kept

        counters._recall = recall
        monthly = Limit("monthly", 1000, MONTH_SECONDS)
        for _ in range(3):
            looked = await counters.look("acme", (bucket(FEW), bucket(DAILY), bucket(monthly)))
            assert [300, 70, 1000] == [budget.remaining for budget in looked]
        assert [2] == asked


async def test_more_units_than_the_share_of_a_day_are_refused_while_valkey_is_away(valkey_server: Server, tmp_path: Path) -> None:
    valkey_server.empty()
    async with counting(valkey_server, tmp_path, live=4) as counters:
        assert (await counters.take("acme", (bucket(DAILY),), 20)).allowed
        valkey_server.kill()
        try:
            for units, allowed, left_after in ((80, False, 20), (21, False, 20), (15, True, 5), (6, False, 5), (5, True, 0), (1, False, 0)):
                told = await counters.take("acme", (bucket(FEW), bucket(DAILY)), units)
                assert (allowed, left_after) == (told.allowed, told.budgets[1].remaining), units
                if not allowed:
                    assert [False, True] == [budget.exhausted for budget in told.budgets]
                    assert 1 <= told.retry_after_seconds <= DAY_SECONDS
            # 20 of the 80 that were left, all of them taken from the share of the other limit as well: 75 of 300.
            assert 75 - 20 == await take_all(counters, FEW)
        finally:
            valkey_server.start()
