"""Several machines that use one Valkey count exactly, also what it lost, and never wait for it for long."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket

import pytest
import uvloop

from keyrack.model.limits import DAY_SECONDS, Limit
from keyrack.model.quotas import Quota
from keyrack.model.refusals import STORE_UNAVAILABLE
from keyrack.volatile.counters import Counters
from keyrack.volatile.shares import Shares
from keyrack.volatile.valkey import SCRIPT_LOAD, ValkeyCounters
from keyrack.volatile.wire import Away, Wire
from tests.valkey import Server
from tests.volatile.children import Child, shared_words
from tests.volatile.conftest import bucket

FEW = Limit("few", quota=1, window_seconds=3600, burst=300)
OTHER = Limit("other", quota=1, window_seconds=3600, burst=200)
DAILY = Limit("daily", quota=100, window_seconds=DAY_SECONDS)
# How long calls wait: for tests of what happens then, and for those that need an answer, also of a machine that is busy.
BRIEFLY, LONG = 0.25, 20.0

Kept = dict[bytes, int]


@pytest.fixture
def valkey(valkey_server: Server) -> Server:
    """A running server in which nothing is."""
    valkey_server.empty()
    return valkey_server


@asynccontextmanager
async def counting(
    valkey: Server, folder: Path, *, live: int = 1, kept: Kept | None = None, seconds_max: float = LONG
) -> AsyncIterator[ValkeyCounters]:
    """Count as one process does. `kept` is what the store has of quotas."""

    async def recall(_workspace_id: str, keys: Collection[bytes]) -> Mapping[bytes, int]:
        return {key: state for key, state in (kept or {}).items() if key in keys}

    wire = Wire(valkey.url, seconds_max, [SCRIPT_LOAD])
    counters = Counters(folder / "counters")
    await wire.start()
    try:
        yield ValkeyCounters(wire, Shares(counters, lambda: live), recall)
    finally:
        await wire.stop()
        counters.close()


async def take_all(counters: ValkeyCounters, *limits: Limit, most: int = 2000) -> int:
    """Take single units until one is refused; return how many were admitted."""
    buckets = tuple(bucket(limit) for limit in limits)
    for number in range(most):
        if not (await counters.take("acme", buckets, 1)).allowed:
            return number
    return most


async def take_at_once(counters: ValkeyCounters, *limits: Limit, tasks: int, each: int) -> int:
    """Take single units in so many tasks at once; return how many were admitted."""
    buckets = tuple(bucket(limit) for limit in limits)

    async def work() -> int:
        return sum([(await counters.take("acme", buckets, 1)).allowed for _ in range(each)])

    return sum(await asyncio.gather(*[work() for _ in range(tasks)]))


async def left(counters: ValkeyCounters, limit: Limit) -> int:
    """Return what is left of a limit."""
    return (await counters.take("acme", (bucket(limit),), 0)).budgets[0].remaining


async def answers(counters: ValkeyCounters) -> None:
    """Return when the server is asked again."""
    while not counters._wire.is_open:  # noqa: ASYNC110 - the product has no use for being told
        await asyncio.sleep(0.01)


async def test_64_tasks_of_each_of_4_processes_admit_exactly_the_limit(valkey: Server, tmp_path: Path) -> None:
    def work(number: int) -> int:
        folder = tmp_path / str(number)
        folder.mkdir()

        async def run() -> int:
            async with counting(valkey, folder, live=4) as counters:
                return await take_at_once(counters, FEW, OTHER, DAILY, tasks=64, each=4)

        # Both kinds of event loops, as servers run on either.
        return uvloop.run(run()) if number % 2 else asyncio.run(run())

    children = [Child(lambda number=number: work(number)) for number in range(4)]  # type: ignore[misc]
    assert 100 == sum([await asyncio.to_thread(child.result) for child in children])
    async with counting(valkey, tmp_path) as counters:
        assert [200, 100, 0] == [await left(counters, limit) for limit in (FEW, OTHER, DAILY)]


async def test_a_call_takes_from_all_its_limits_or_from_none(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path) as counters:
        assert 100 == await take_all(counters, FEW, DAILY)
        for _ in range(3):
            refused = await counters.take("acme", (bucket(FEW), bucket(DAILY)), 1)
            assert [False, True] == [budget.exhausted for budget in refused.budgets]
        assert 200 == await left(counters, FEW)


async def test_a_cost_that_cannot_be_is_an_error_and_consumes_nothing(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path) as counters:
        for cost in (-1, 301):
            with pytest.raises(ValueError, match="cost"):
                await counters.take("acme", (bucket(FEW),), cost)
        assert 300 == await left(counters, FEW)


async def test_keys_lie_together_by_workspace_and_each_ends_by_itself(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path) as counters:
        await counters.take("acme", (bucket(FEW), bucket(DAILY)), 1)
    keys = [key for key in valkey.command("KEYS", "*") if key != b"keyrack:probe"]
    assert 2 == len(keys)
    assert all(key.startswith(b"keyrack:{acme}:") and valkey.command("TTL", key) > 0 for key in keys)


async def test_what_valkey_lost_is_told_to_it_by_who_saw_it(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path) as counters:
        buckets = (bucket(FEW), bucket(DAILY))
        for _ in range(40):
            await counters.take("acme", buckets, 1)
        valkey.empty()
        assert 60 == await take_all(counters, FEW, DAILY)
        assert 200 == await left(counters, FEW)


async def test_a_quota_goes_on_from_what_the_store_keeps_of_it_where_nobody_else_knows(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path) as counters:
        await take_at_once(counters, FEW, DAILY, tasks=3, each=20)
        unkept = counters.unkept()
        assert [("acme", bucket(DAILY).key)] == [(quota.workspace_id, quota.key) for quota in unkept]
        assert [] == counters.unkept()
    valkey.empty()
    async with counting(valkey, tmp_path, kept={quota.key: quota.state for quota in unkept}) as counters:
        assert 40 == await take_all(counters, DAILY)


async def test_quotas_that_could_not_be_written_are_not_forgotten(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path) as counters:
        await counters.take("acme", (bucket(DAILY),), 1)
        old = counters.unkept()
        await counters.take("acme", (bucket(DAILY),), 1)
        counters.put_back(old)
        (newest,) = counters.unkept()
        assert old[0].state + 1 == newest.state
        counters.put_back([Quota("acme", b"1" * 16, 1)])
        assert 1 == len(counters.unkept())


async def test_a_share_is_taken_while_the_store_cannot_recall_a_quota(valkey: Server, tmp_path: Path) -> None:
    async def recall(_workspace_id: str, _keys: Collection[bytes]) -> Mapping[bytes, int]:
        raise STORE_UNAVAILABLE("The store is away.")

    async with counting(valkey, tmp_path, live=4) as counters:
        counters._recall = recall
        assert 25 == await take_all(counters, DAILY)


async def test_a_process_takes_its_share_and_no_more_while_valkey_is_away(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path, live=4) as counters:
        assert 60 == sum([(await counters.take("acme", (bucket(DAILY),), 1)).allowed for _ in range(60)])
        valkey.kill()
        try:
            assert 10 == await take_all(counters, DAILY)
            assert 75 == await take_all(counters, FEW)
            told = await counters.take("acme", (bucket(FEW),), 1)
            assert (FEW, 0) == (told.budgets[0].limit, told.budgets[0].remaining)
            assert told.retry_after_seconds
        finally:
            valkey.start()


async def test_processes_of_one_machine_without_leases_share_exactly_while_valkey_is_away(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path) as one, counting(valkey, tmp_path) as two:
        valkey.kill()
        try:
            assert 300 == await take_all(one, FEW) + await take_all(two, FEW)
        finally:
            valkey.start()


async def test_who_starts_while_valkey_is_away_takes_a_share_and_asks_when_it_is_back(valkey: Server, tmp_path: Path) -> None:
    valkey.kill()
    async with counting(valkey, tmp_path, live=3) as counters:
        assert 100 == await take_all(counters, FEW)
        valkey.start()
        await answers(counters)
        assert 300 == await take_all(counters, FEW)


async def test_calls_wait_once_for_a_valkey_that_hangs_and_then_not_at_all(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path, live=4, seconds_max=BRIEFLY) as counters:
        waits: list[float] = []

        async def call() -> None:
            began = asyncio.get_running_loop().time()
            await counters.take("acme", (bucket(FEW),), 1)
            waits.append(asyncio.get_running_loop().time() - began)

        valkey.pause()
        try:
            await asyncio.gather(*[call() for _ in range(20)])
            assert not counters._wire.is_open
            for _ in range(20):
                asked = counters._wire.is_open
                await call()
                assert not asked
        finally:
            valkey.go_on()
        await answers(counters)
        assert 300 >= await left(counters, FEW)


async def test_a_hung_valkey_that_goes_on_has_never_admitted_more_than_the_limit(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path, live=4, seconds_max=BRIEFLY) as counters:
        first = await take_at_once(counters, FEW, tasks=32, each=3)
        valkey.pause()
        shared = await take_at_once(counters, FEW, tasks=32, each=10)
        valkey.go_on()
        await answers(counters)
        last = await take_all(counters, FEW)
        assert (96, 75) == (first, shared)
        # What was asked while it hung was counted there too, when it went on.
        assert 300 - 32 <= first + last <= 300


async def test_scripts_that_the_server_forgot_are_sent_again(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path) as counters:
        assert 10 == await take_at_once(counters, FEW, tasks=10, each=1)
        valkey.command("SCRIPT", "FLUSH")
        assert 290 == await take_at_once(counters, FEW, tasks=40, each=10)
        assert counters._wire.is_open


@pytest.mark.parametrize("refusal", [("CONFIG", "SET", "maxmemory", "1"), ("REPLICAOF", "127.0.0.1", "1")])
async def test_a_server_that_cannot_write_is_away(valkey: Server, tmp_path: Path, refusal: tuple[str, ...]) -> None:
    async with counting(valkey, tmp_path, live=4) as counters:
        assert 5 == await take_at_once(counters, FEW, tasks=5, each=1)
        valkey.command(*refusal)
        try:
            assert 75 == await take_all(counters, FEW)
            assert not counters._wire.is_open
        finally:
            valkey.command("CONFIG", "SET", "maxmemory", "0")
            valkey.command("REPLICAOF", "NO", "ONE")
        await answers(counters)
        assert 295 == await left(counters, FEW)


async def test_a_forked_child_leaves_the_connection_of_its_parent_alone(valkey: Server, tmp_path: Path) -> None:
    async with counting(valkey, tmp_path) as counters:
        child = Child(lambda: int(counters._wire.is_open))
        assert 0 == await asyncio.to_thread(child.result)
        assert 300 == await take_all(counters, FEW)


async def test_a_url_tells_host_port_user_password_and_database(valkey: Server, tmp_path: Path) -> None:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    allowed = "+evalsha +eval +script|load +time +get +set +select +info +auth"
    valkey.command("ACL", "SETUSER", "limits", "on", ">p/ss:w@rd", "~keyrack:*", *allowed.split())
    valkey.command("CONFIG", "SET", "port", port)
    wire = Wire(f"valkey://limits:p%2Fss%3Aw%40rd@127.0.0.1:{port}/3", LONG, [SCRIPT_LOAD])
    await wire.start()
    try:
        assert wire.is_open
        async with counting(valkey, tmp_path) as counters:
            counters._wire = wire
            assert 10 == await take_at_once(counters, FEW, tasks=10, each=1)
        keyspace = valkey.command("INFO", "keyspace")
        assert b"db3:" in keyspace
    finally:
        await wire.stop()
        valkey.command("CONFIG", "SET", "port", 0)
        valkey.command("ACL", "DELUSER", "limits")


async def test_a_wrong_password_is_away_and_stands_in_no_message(valkey: Server, capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire(valkey.url.replace("unix://", "unix://limits:a-wrong-password@"), LONG)
    await wire.start()
    assert not wire.is_open
    await wire.stop()
    said = capsys.readouterr()
    assert "valkey_away" in said.out + said.err
    assert "a-wrong-password" not in said.out + said.err + repr(wire) + repr(wire._address)


async def test_a_server_whose_name_is_none_is_away(tmp_path: Path) -> None:
    wire = Wire(f"valkey://{'x' * 70}.invalid", BRIEFLY)
    await wire.start()
    assert not wire.is_open
    with pytest.raises(Away):
        wire.ask(b"")
    await wire.stop()


Fault = Callable[[Server], Awaitable[None]]


async def _hangs(valkey: Server) -> None:
    valkey.pause()
    await asyncio.sleep(0.4)
    valkey.go_on()


async def _dies(valkey: Server) -> None:
    valkey.kill()
    await asyncio.sleep(0.1)
    valkey.start()


async def _is_emptied(valkey: Server) -> None:
    valkey.empty()


# How many limits pass at most: one, and the shares of all processes where it was away, and another one where it lost its data.
@pytest.mark.parametrize(("fault", "limits_max"), [(_hangs, 2), (_dies, 3), (_is_emptied, 2)])
async def test_no_call_is_lost_and_no_limit_is_open_whatever_happens_under_load(
    valkey: Server, tmp_path: Path, fault: Fault, limits_max: int
) -> None:
    limit, processes, tasks, rounds = Limit("many", quota=1, window_seconds=3600, burst=700), 3, 8, 3
    decided, stop = shared_words(2 * processes), shared_words(1)

    def work(number: int) -> int:
        folder = tmp_path / str(number)
        folder.mkdir()

        async def call(counters: ValkeyCounters) -> None:
            while not stop[0]:
                taken = await counters.take("acme", (bucket(limit),), 1)
                decided[2 * number + (0 if taken.allowed else 1)] += 1
                await asyncio.sleep(0.002)

        async def run() -> int:
            async with counting(valkey, folder, live=processes, seconds_max=BRIEFLY) as counters:
                await asyncio.gather(*[call(counters) for _ in range(tasks)])
                return 1

        return uvloop.run(run()) if number % 2 else asyncio.run(run())

    children = [Child(lambda number=number: work(number)) for number in range(processes)]  # type: ignore[misc]
    for _ in range(rounds):
        await asyncio.sleep(0.3)
        before = sum(decided)
        await fault(valkey)
        await asyncio.sleep(0.3)
        assert sum(decided) > before
    stop[0] = 1
    assert [1] * processes == [await asyncio.to_thread(child.result) for child in children]
    # What was under way when it hung or died may have been counted, and not admitted.
    assert limit.at_once - tasks * processes * rounds <= sum(decided[::2]) <= limits_max * limit.at_once + processes
    assert sum(decided[1::2]) > 0
