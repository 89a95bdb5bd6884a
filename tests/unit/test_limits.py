"""Limits give what their words say: never more, not less, the same as a plain slow reading of the rule."""

from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from typing import Any

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrack.model.limits import DAY_SECONDS, MONTH_SECONDS, Bucket, Limit, Taken, is_full, limit_headers, take

SECOND = 1_000_000_000
START = 5_000 * SECOND
WORKSPACE = Limit("workspace", quota=1000, window_seconds=1, burst=5000)
HOURLY = Limit("hourly", quota=3, window_seconds=3600)
DAILY = Limit("daily", quota=100, window_seconds=DAY_SECONDS)
MONTHLY = Limit("monthly", quota=1000, window_seconds=MONTH_SECONDS)

gcra_limits = st.builds(
    Limit,
    st.just("any"),
    quota=st.integers(1, 50),
    window_seconds=st.sampled_from([1, 7, 60, 3600]),
    burst=st.none() | st.integers(1, 60),
)
limits = gcra_limits | st.sampled_from([DAILY, MONTHLY])
# What a caller does: after so many ns, ask for so many units.
sequences = st.lists(st.tuples(st.integers(0, 3 * SECOND) | st.integers(0, 4000 * SECOND), st.integers(1, 5)), max_size=40)


def wall(text: str) -> int:
    """Return a UTC time as ns since the epoch."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def bucket(limit: Limit, number: int = 0) -> Bucket:
    return Bucket(limit, number.to_bytes(16, "little"))


def spend(limit: Limit, sequence: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ask along a sequence; return when how much was admitted."""
    state, now, admitted = 0, START, []
    for pause, cost in sequence:
        now += pause
        cost = min(cost, limit.at_once)
        state, budget = limit.take(state, cost, now)
        if not budget.exhausted:
            admitted.append((now, cost))
    return admitted


@given(gcra_limits, sequences)
def test_gcra_admits_what_a_leaking_bucket_of_exact_fractions_admits(limit: Limit, sequence: list[tuple[int, int]]) -> None:
    used, state, now = Fraction(0), 0, START
    for pause, cost in sequence:
        now += pause
        cost = min(cost, limit.at_once)
        used = max(Fraction(0), used - Fraction(pause, limit.step))
        is_admitted = used + cost <= limit.at_once
        used += cost if is_admitted else 0
        state, budget = limit.take(state, cost, now)
        assert is_admitted is not budget.exhausted
        assert int(limit.at_once - used) == budget.remaining


@given(gcra_limits, sequences)
def test_no_stretch_of_time_sees_more_than_its_quota_and_one_burst(limit: Limit, sequence: list[tuple[int, int]]) -> None:
    admitted = spend(limit, sequence)
    for first, (begin, _) in enumerate(admitted):
        total = 0
        for at, cost in admitted[first:]:
            total += cost
            assert Fraction(limit.quota * (at - begin), limit.window_seconds * SECOND) + limit.at_once >= total


def test_a_unit_never_comes_back_before_its_time() -> None:
    limit = Limit("seventh", quota=7, window_seconds=1)
    state, _ = limit.take(0, 7, START)
    assert limit.take(state, 1, START + SECOND // 7)[1].exhausted
    assert not limit.take(state, 1, START + SECOND // 7 + 1)[1].exhausted


@given(st.sampled_from([DAILY, MONTHLY]), st.lists(st.tuples(st.integers(0, 40 * DAY_SECONDS * SECOND), st.integers(1, 60)), max_size=40))
def test_no_utc_day_or_month_sees_more_than_its_quota(limit: Limit, sequence: list[tuple[int, int]]) -> None:
    admitted: dict[str, int] = {}
    for at, cost in spend(limit, sequence):
        day = datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d" if limit is DAILY else "%Y-%m")
        admitted[day] = admitted.get(day, 0) + cost
    assert all(total <= limit.quota for total in admitted.values())


@given(limits, sequences)
def test_a_refused_call_consumes_nothing(limit: Limit, sequence: list[tuple[int, int]]) -> None:
    state, now = 0, START
    for pause, units in sequence:
        now += pause
        state, _ = limit.take(state, min(units, limit.at_once), now)
        before = limit.take(state, 0, now)[1]
        after_refusal, refusal = limit.take(state, limit.at_once, now)
        if refusal.exhausted:
            assert before == limit.take(after_refusal, 0, now)[1]


@given(limits, sequences)
def test_a_refused_call_passes_when_its_wait_is_over_and_not_a_second_earlier(limit: Limit, sequence: list[tuple[int, int]]) -> None:
    state, now = 0, START
    for pause, units in sequence:
        now += pause
        state, budget = limit.take(state, min(units, limit.at_once), now)
        if budget.exhausted:
            assert not limit.take(state, min(units, limit.at_once), now + budget.wait_seconds * SECOND)[1].exhausted
            assert limit.take(state, min(units, limit.at_once), now + (budget.wait_seconds - 1) * SECOND)[1].exhausted
            assert budget.wait_seconds >= budget.reset_seconds >= 1


@given(limits, sequences)
def test_more_units_have_come_when_the_reset_is_over(limit: Limit, sequence: list[tuple[int, int]]) -> None:
    state, now = 0, START
    for pause, units in sequence:
        now += pause
        state, budget = limit.take(state, min(units, limit.at_once), now)
        later = limit.take(state, 0, now + budget.reset_seconds * SECOND)[1]
        if budget.remaining == limit.at_once:
            assert 0 == budget.reset_seconds
        else:
            assert later.remaining > budget.remaining


@given(limits, st.integers(-(2**63), 2**63 - 1), st.integers(1, 100 * 365 * DAY_SECONDS * SECOND))
def test_a_state_from_nowhere_gives_no_more_than_a_full_budget_and_blocks_no_longer_than_an_empty_one(
    limit: Limit, state: int, now: int
) -> None:
    after, budget = limit.take(state, 1, now)
    assert 0 <= budget.remaining <= limit.at_once
    stored = after if not budget.exhausted or after < state else state
    assert limit.at_once == limit.take(stored, 0, now + limit.full)[1].remaining
    assert -(2**63) <= after < 2**63


@given(limits, st.integers(1, 60), st.integers(0, 32 * DAY_SECONDS * SECOND))
def test_a_state_may_be_forgotten_only_when_its_budget_is_full(limit: Limit, cost: int, pause: int) -> None:
    state, _ = limit.take(0, min(cost, limit.at_once), START)
    now = START + pause
    if is_full(state, now, now):
        assert limit.at_once == limit.take(state, 0, now)[1].remaining


def test_an_empty_budget_is_not_forgotten_and_a_full_one_is() -> None:
    for limit, over in ((WORKSPACE, START + 5 * SECOND), (DAILY, DAY_SECONDS * SECOND)):
        state, _ = limit.take(0, limit.at_once, START)
        assert not is_full(state, over - 1, over - 1)
        assert is_full(state, over, over)


def test_several_limits_are_all_taken_from_or_none() -> None:
    buckets = (bucket(WORKSPACE), bucket(HOURLY, 1), bucket(DAILY, 2))
    states = [0, 0, 0]
    for left in (2, 1, 0):
        taken, states = take(buckets, states, 1, START, lambda: START)
        assert taken.allowed
        assert left == taken.budgets[1].remaining
    taken, after = take(buckets, states, 1, START, lambda: START)
    assert not taken.allowed
    assert states == after
    assert [False, True, False] == [budget.exhausted for budget in taken.budgets]
    assert [4997, 0, 97] == [budget.remaining for budget in taken.budgets]
    assert 1200 == taken.retry_after_seconds


def test_the_longest_wait_of_all_limits_that_refuse_is_told() -> None:
    buckets = (bucket(Limit("second", 1, 1)), bucket(HOURLY, 1), bucket(Limit("daily", 1, DAY_SECONDS), 2))
    states = [0, 0, 0]
    _, states = take(buckets, states, 1, START, lambda: START)
    taken, _ = take(buckets, states, 1, START, lambda: START)
    assert DAY_SECONDS - START // SECOND == taken.retry_after_seconds
    assert ["second", "daily"] == [budget.limit.name for budget in taken.budgets if budget.exhausted]


def test_a_call_may_cost_more_than_one_unit() -> None:
    state, budget = HOURLY.take(0, 2, START)
    assert 1 == budget.remaining
    state, budget = HOURLY.take(state, 2, START)
    assert (1, 1200) == (budget.remaining, budget.wait_seconds)
    with pytest.raises(ValueError, match="can never be met"):
        HOURLY.take(state, 4, START)
    with pytest.raises(ValueError, match="can never be met"):
        DAILY.take(0, 101, START)


@pytest.mark.parametrize(
    ("limit", "at", "full_at"),
    [
        (DAILY, "2026-02-28T23:59:59", "2026-03-01T00:00:00"),
        (MONTHLY, "2028-02-01T00:00:00", "2028-03-01T00:00:00"),
        (MONTHLY, "2026-12-31T23:59:59", "2027-01-01T00:00:00"),
    ],
)
def test_day_and_month_begin_anew_at_midnight_utc(limit: Limit, at: str, full_at: str) -> None:
    state, _ = limit.take(0, limit.quota, wall(at))
    assert 0 == limit.take(state, 0, wall(full_at) - 1)[1].remaining
    assert (wall(full_at) - wall(at)) // SECOND == limit.take(state, 1, wall(at))[1].wait_seconds
    assert limit.quota == limit.take(state, 0, wall(full_at))[1].remaining


def test_a_clock_set_back_over_midnight_does_not_open_the_old_day_again() -> None:
    state, _ = DAILY.take(0, 60, wall("2026-03-02T00:00:01"))
    assert 40 == DAILY.take(state, 0, wall("2026-03-01T23:30:00"))[1].remaining
    assert 40 == DAILY.take(state, 0, wall("2026-03-02T00:30:00"))[1].remaining


def test_a_plan_that_changes_the_numbers_keeps_what_was_counted() -> None:
    now = wall("2026-03-02T10:00:00")
    state, _ = DAILY.take(0, 60, now)
    assert 0 == Limit("daily", 50, DAY_SECONDS).take(state, 0, now)[1].remaining
    assert 140 == Limit("daily", 200, DAY_SECONDS).take(state, 0, now)[1].remaining
    state, _ = WORKSPACE.take(0, 5000, START)
    assert 0 == Limit("workspace", 10, 1, burst=20).take(state, 0, START)[1].remaining


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ({"name": ""}, "name"),
        ({"name": 'say "x"'}, "name"),
        ({"name": "x\n"}, "name"),
        ({"quota": 0}, "quota"),
        ({"quota": 10**13}, "quota"),
        ({"quota": 1_000_001}, "units per second"),
        ({"window_seconds": 0}, "window_seconds"),
        ({"window_seconds": DAY_SECONDS + 1}, "window_seconds"),
        ({"burst": 0}, "burst"),
        ({"quota": 1, "window_seconds": 3600, "burst": 1000}, "31 days"),
        ({"window_seconds": DAY_SECONDS, "burst": 5}, "no `burst`"),
    ],
)
def test_numbers_that_make_no_limit_are_refused_by_name(numbers: dict[str, object], says: str) -> None:
    given_numbers: dict[str, object] = {"name": "x", "quota": 10, "window_seconds": 1} | numbers
    with pytest.raises(ValueError, match=says):
        Limit(**given_numbers)  # type: ignore[arg-type]


def test_a_bucket_has_a_key_of_16_bytes() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Bucket(WORKSPACE, b"short")


def test_headers_of_one_limit() -> None:
    taken, _ = take([bucket(Limit("workspace", quota=60, window_seconds=60))], [0], 10, START, lambda: START)
    assert {
        b"ratelimit-policy": b'"workspace";q=60;w=60',
        b"ratelimit": b'"workspace";r=50;t=1',
        b"x-ratelimit-limit": b"60",
        b"x-ratelimit-remaining": b"50",
        b"x-ratelimit-reset": b"1",
    } == dict(limit_headers(taken))


def test_a_burst_is_a_reserve_that_headers_do_not_announce() -> None:
    buckets = (bucket(Limit("workspace", quota=10, window_seconds=1, burst=5000)), bucket(DAILY, 1))
    taken, _ = take(buckets, [0, 0], 1, START, lambda: START)
    headers = dict(limit_headers(taken))
    assert f'"workspace";r=10;t=1, "daily";r=99;t={DAY_SECONDS - START // SECOND}'.encode() == headers[b"ratelimit"]
    assert (b"10", b"10") == (headers[b"x-ratelimit-limit"], headers[b"x-ratelimit-remaining"])


def test_a_refusal_names_the_limits_that_refused_and_no_reset_is_later_than_the_wait() -> None:
    buckets = (bucket(Limit("second", 1, 1)), bucket(DAILY, 1))
    _, states = take(buckets, [0, 0], 1, START, lambda: START)
    taken, _ = take(buckets, states, 1, START, lambda: START)
    headers = dict(limit_headers(taken))
    assert b'"second";q=1;w=1, "daily";q=100;w=86400' == headers[b"ratelimit-policy"]
    assert b'"second";r=0;t=1' == headers[b"ratelimit"]
    assert 1 == taken.retry_after_seconds


@given(st.lists(limits, min_size=1, max_size=3), sequences)
def test_headers_parse_the_policy_never_changes_and_what_is_left_is_never_above_it(
    of: list[Limit], sequence: list[tuple[int, int]]
) -> None:
    buckets = [bucket(limit, number) for number, limit in enumerate(of)]
    states, now, policies = [0] * len(of), START, set()
    for pause, _ in sequence:
        now += pause
        taken, states = take(buckets, states, 1, now, partial(int, now))
        headers = dict(limit_headers(taken))
        policies.add(headers[b"ratelimit-policy"])
        # RFC 9651, read by a parser that is not ours.
        told: Any = http_sf.parse(headers[b"ratelimit-policy"], tltype="list")
        left: Any = http_sf.parse(headers[b"ratelimit"], tltype="list")
        assert [(limit.name, {"q": limit.quota, "w": limit.window_seconds}) for limit in of] == told
        assert all({"r", "t"} == set(params) and 0 <= params["r"] <= max(limit.quota for limit in of) for _, params in left)
        assert {name for name, _ in left} <= {name for name, _ in told}
        assert 0 <= int(headers[b"x-ratelimit-remaining"]) <= int(headers[b"x-ratelimit-limit"])
        if not taken.allowed:
            assert all(params["t"] <= taken.retry_after_seconds for _, params in left)
    assert len(policies) <= 1


def test_nothing_taken_is_not_allowed() -> None:
    assert Taken(()).allowed
    assert not Taken((), 1).allowed
