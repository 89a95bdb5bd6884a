"""What was used of a limit adds up with what is left, and is told when it ends."""

from hypothesis import given
from hypothesis import strategies as st

from keyrack import Limit
from keyrack.model.limits import DAY_SECONDS, MONTH_SECONDS
from keyrack.model.usage import limit_usage

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
limits = st.builds(
    Limit, st.just("any"), quota=st.integers(1, 50), window_seconds=st.sampled_from([1, 7, 60, 3600]), burst=st.none() | st.integers(1, 60)
) | st.builds(Limit, st.just("any"), quota=st.integers(1, 60), window_seconds=st.sampled_from([DAY_SECONDS, MONTH_SECONDS]))


@given(limits, st.integers(0, 60), st.integers(0, 4000 * SECOND))
def test_used_and_left_make_up_a_full_budget_that_is_full_again_by_the_reset(limit: Limit, units: int, pause: int) -> None:
    state, _ = limit.take(0, min(units, limit.at_once), NOW)
    now = NOW + pause
    told = limit_usage(limit.take(state, 0, now)[1], now // 1_000_000)
    assert limit.at_once == told.used + told.remaining
    if told.reset_at is None:
        assert 0 == told.used
        return
    full_at = told.reset_at * 1_000_000
    assert limit.at_once == limit.take(state, 0, full_at + 1_000_000)[1].remaining
    if told.used and not limit.is_calendar:
        # Not later than a second and a unit's rounding after that.
        assert full_at - 1_001_000_000 <= state
