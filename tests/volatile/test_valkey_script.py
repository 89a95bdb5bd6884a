"""The script decides and stores what the pure model says, at any time, for any limits and any states."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrack.model.limits import DAY_SECONDS, MONTH_SECONDS, Limit, take
from keyrack.model.quotas import window_parts, window_state
from keyrack.volatile import valkey
from tests.valkey import Server
from tests.volatile.conftest import SECOND, bucket

# The same script, but that the test says what time it is.
SERVER_TIME = "redis.call('TIME')"
SCRIPT = valkey.SCRIPT.replace(SERVER_TIME, "{ARGV[#ARGV - 1], ARGV[#ARGV]}")
NAME = sha1(SCRIPT.encode()).hexdigest()

limits = st.builds(
    Limit,
    st.just("any"),
    quota=st.integers(1, 50) | st.sampled_from([7, 600_000, 999_999]),
    window_seconds=st.sampled_from([1, 7, 60, 3600]),
    burst=st.none() | st.integers(1, 60),
) | st.builds(Limit, st.just("any"), quota=st.integers(1, 60), window_seconds=st.sampled_from([DAY_SECONDS, MONTH_SECONDS]))
# From 2001 to 2100, so that every month, and a year without its leap day, is met.
starts = st.integers(10**9, 4_133_980_000)
DAY_US = DAY_SECONDS * 1_000_000
pauses_us = st.integers(0, 3_000_000) | st.integers(-7_200_000_000, 40 * DAY_US) | st.integers(-40 * DAY_US, 0)
steps = st.lists(st.tuples(pauses_us, st.integers(0, 6)), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def timed(valkey_server: Server) -> Iterator[Server]:
    """A server on which the test says what time it is."""
    assert valkey.SCRIPT.count(SERVER_TIME) == 1
    valkey_server.command("SCRIPT", "LOAD", SCRIPT)
    yield valkey_server
    valkey_server.empty()


@given(st.lists(limits, min_size=1, max_size=3), starts, steps)
def test_the_script_is_the_model(timed: Server, several: list[Limit], start: int, sequence: list[tuple[int, int]]) -> None:
    timed.command("FLUSHALL")
    buckets = tuple(bucket(limit, name=f"{number}") for number, limit in enumerate(several))
    states, now_us = [0] * len(several), start * 1_000_000
    for pause, units in sequence:
        now_us += pause
        cost = min([units, *[limit.at_once for limit in several]])
        taken, after = take(buckets, states, cost, now_us * 1000, lambda now_ns=now_us * 1000: now_ns)  # type: ignore[misc]
        answer = run(timed, several, cost, now_us)
        told = [valkey._state(limit, *answer[2 * n + 2 : 2 * n + 4]) for n, limit in enumerate(several)]
        assert answer[:2] == [now_us // 1_000_000, now_us % 1_000_000]
        assert (taken, after) == take(buckets, told, cost, now_us * 1000, lambda now_ns=now_us * 1000: now_ns)  # type: ignore[misc]
        stores = cost and taken.allowed
        states = [new if stores or new < old else old for old, new in zip(states, after, strict=True)]
        now_ns = now_us * 1000
        for limit, state, stored in zip(several, states, stored_states(timed, several), strict=True):
            assert limit.take(state, 0, now_ns) == limit.take(stored, 0, now_ns)


@pytest.mark.parametrize("window_seconds", [DAY_SECONDS, MONTH_SECONDS])
def test_windows_end_where_the_calendar_says(timed: Server, window_seconds: int) -> None:
    limit = Limit("any", 10, window_seconds)
    for year in (2000, 2024, 2026, 2099, 2100, 2101, 2399, 2400):
        for month in range(1, 13):
            timed.command("FLUSHALL")
            begin_us = int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1_000_000
            state = 0
            # The last moment of a month, the first one of the next, and the very end of that one's first day.
            for now_us in (begin_us - 1, begin_us, begin_us + DAY_US):
                run(timed, [limit], 1, now_us)
                state, _ = limit.take(state, 1, now_us * 1000)
                assert [state] == stored_states(timed, [limit])


@given(limits, starts, st.integers(1, 10**9) | st.integers(1, 60))
def test_a_state_from_too_far_ahead_is_not_believed_of_a_caller(timed: Server, limit: Limit, start: int, further: int) -> None:
    timed.command("FLUSHALL")
    seen = window_state((start + limit.full // SECOND) // DAY_SECONDS + 1 + further, 1) if limit.is_calendar else 0
    seen = seen or start * SECOND + limit.full + further
    state = 0
    for _ in range(2):
        run(timed, [limit], 1, start * 1_000_000, [seen])
        after, budget = limit.take(state, 1, start * SECOND)
        state = state if budget.exhausted else after
        assert [state] == stored_states(timed, [limit])


@given(limits, starts, st.integers(1, 6))
def test_every_key_ends_by_itself_and_not_before_its_budget_is_full(timed: Server, limit: Limit, start: int, units: int) -> None:
    timed.command("FLUSHALL")
    run(timed, [limit], min(units, limit.at_once), start * 1_000_000)
    (state,) = stored_states(timed, [limit])
    ttl_ms = int(timed.command("PTTL", "0"))
    until = window_parts(state)[0] * DAY_SECONDS if limit.is_calendar else state // SECOND
    assert (until - start) * 1000 < ttl_ms <= (until - start) * 1000 + 3_601_000


@given(limits, starts, st.integers(1, 6), st.integers(0, 3_000_000))
def test_what_a_caller_saw_last_counts_where_the_server_lost_it(timed: Server, limit: Limit, start: int, units: int, later_us: int) -> None:
    timed.command("FLUSHALL")
    now_us = start * 1_000_000
    run(timed, [limit], min(units, limit.at_once), now_us)
    before = stored_states(timed, [limit])
    timed.command("FLUSHALL")
    answer = run(timed, [limit], 0, now_us + later_us, before)
    assert before == [valkey._state(limit, *answer[2:4])]


@pytest.mark.parametrize("window_seconds", [DAY_SECONDS, MONTH_SECONDS])
def test_a_quota_that_the_server_does_not_know_is_asked_for_before_anything_is_taken(timed: Server, window_seconds: int) -> None:
    timed.command("FLUSHALL")
    several = [Limit("any", 10, 60), Limit("any", 10, window_seconds)]
    assert [] == run(timed, several, 1, 10**15, recalled=False)
    assert 0 == timed.command("DBSIZE")
    assert run(timed, several, 0, 10**15, recalled=False)
    assert run(timed, several, 1, 10**15)
    assert run(timed, several, 1, 10**15, recalled=False)


def run(server: Server, several: list[Limit], cost: int, now_us: int, seen: list[int] | None = None, *, recalled: bool = True) -> Any:
    """Run the script at a time, on keys that are numbers."""
    parts: list[Any] = [str(number) for number in range(len(several))] + [cost, int(recalled)]
    for limit, state in zip(several, seen or [0] * len(several), strict=True):
        parts += [*valkey._arguments(limit), *valkey._parts(limit, state)]
    words = [part if isinstance(part, bytes) else str(part) for part in parts]
    return server.command("EVALSHA", NAME, len(several), *words, now_us // 1_000_000, now_us % 1_000_000)


def stored_states(server: Server, several: list[Limit]) -> list[int]:
    """Return what the server has stored, as the model's states."""
    found: list[bytes | None] = server.command("MGET", *[str(number) for number in range(len(several))])
    return [
        0 if value is None else valkey._state(limit, *[int(part) for part in value.split(b":")])
        for limit, value in zip(several, found, strict=True)
    ]
