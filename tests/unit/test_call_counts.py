"""Counts of parts add up to the count of the whole, and a histogram knows how long calls took, to within a sixteenth."""

from hypothesis import given
from hypothesis import strategies as st

from keyrack.model.call_counts import (
    MINUTE_MS,
    Bucket,
    CallCount,
    Subject,
    buckets,
    duration_class,
    duration_in,
    grouped,
    latest_uses,
    merge,
    quantile,
)
from keyrack.model.request_logs import RequestLog
from tests.spool.lines import NOW, a_line

DURATIONS = st.integers(min_value=0, max_value=2**40)
LINES = st.builds(
    a_line,
    workspace_id=st.sampled_from(["org_acme", "org_other", None]),
    at=st.integers(min_value=NOW, max_value=NOW + 3 * MINUTE_MS),
    credential_id=st.sampled_from(["key_1", "key_2", None]),
    route=st.sampled_from(["/customers", "/spaces", None]),
    method=st.sampled_from(["GET", "POST"]),
    status=st.sampled_from([200, 401, 404, 500]),
    duration_us=DURATIONS,
)


def histogram(durations: list[int]) -> dict[int, int]:
    """The histogram of these durations."""
    found: dict[int, int] = {}
    for duration in durations:
        merge(found, {duration_class(duration): 1})
    return found


def counted(lines: list[RequestLog]) -> dict[tuple[str, Subject, int], CallCount]:
    """What is counted under each workspace, subject and minute."""
    found: dict[tuple[str, Subject, int], CallCount] = {}
    for group in grouped(lines):
        for subject in group.subjects():
            found.setdefault((group.workspace_id, Subject(*subject), group.minute), CallCount(0, 0, 0, {})).add(CallCount.of(group))
    return found


@given(DURATIONS)
def test_a_class_is_no_further_from_its_durations_than_a_sixteenth(duration: int) -> None:
    assert abs(duration_in(duration_class(duration)) - duration) <= duration / 16


@given(DURATIONS, DURATIONS)
def test_a_longer_call_is_in_no_lower_class(one: int, other: int) -> None:
    assert (duration_class(one) <= duration_class(other)) or one > other
    assert duration_class(duration_in(duration_class(one))) == duration_class(one)


@given(st.lists(DURATIONS), st.lists(DURATIONS))
def test_merged_histograms_are_the_histogram_of_the_union(some: list[int], others: list[int]) -> None:
    merged = histogram(some)
    merge(merged, histogram(others))
    assert histogram(some + others) == merged


@given(st.lists(DURATIONS, min_size=1), st.floats(min_value=0, max_value=1))
def test_a_quantile_is_within_a_sixteenth_of_the_true_one(durations: list[int], share: float) -> None:
    found = quantile(histogram(durations), share)
    assert found is not None
    ordered = sorted(durations)
    rank = next(n for n in range(1, len(ordered) + 1) if n >= share * len(ordered))
    assert abs(found - ordered[rank - 1]) <= ordered[rank - 1] / 16


def test_nobody_called_so_nobody_waited() -> None:
    assert quantile({}, 0.5) is None


@given(st.lists(LINES, max_size=30), st.integers(min_value=0, max_value=30))
def test_counts_of_two_batches_add_up_to_the_count_of_both(lines: list[RequestLog], cut: int) -> None:
    parts = counted(lines[:cut])
    for key, count in counted(lines[cut:]).items():
        parts.setdefault(key, CallCount(0, 0, 0, {})).add(count)
    assert counted(lines) == parts


@given(st.lists(LINES, max_size=30))
def test_every_call_of_a_workspace_is_counted_once(lines: list[RequestLog]) -> None:
    found = counted(lines)
    for workspace_id in ("org_acme", "org_other"):
        own = [line for line in lines if line.workspace_id == workspace_id]
        counts = [count for (id_, subject, _), count in found.items() if (id_, subject) == (workspace_id, Subject())]
        assert len(own) == sum(count.calls for count in counts)
        assert len([line for line in own if 400 <= line.status < 500]) == sum(count.refused for count in counts)
        assert len([line for line in own if line.status >= 500]) == sum(count.errors for count in counts)
        assert histogram([line.duration_us for line in own]) == merged([count.durations for count in counts])
    assert not [key for key in found if key[0] not in ("org_acme", "org_other")]


@given(st.lists(LINES, max_size=30))
def test_the_latest_accepted_call_is_the_last_use(lines: list[RequestLog]) -> None:
    accepted = [line for line in lines if line.status != 401 and line.workspace_id]
    for use in latest_uses(grouped([line for line in lines if line.workspace_id == "org_acme"])):
        own = [line.created_at for line in accepted if (line.workspace_id, line.credential_id) == ("org_acme", use.credential_id)]
        assert max(own) == use.used_at


def test_buckets_are_shown_also_where_nobody_called() -> None:
    counts = {NOW // MINUTE_MS: CallCount(2, 1, 0, {5: 2}), NOW // MINUTE_MS + 1: CallCount(1, 0, 1, {7: 1})}
    start = NOW // MINUTE_MS * MINUTE_MS
    assert buckets(counts, start, start + 4 * MINUTE_MS, 2 * MINUTE_MS) == [
        Bucket(start, 3, 1, 1, 5, 7),
        Bucket(start + 2 * MINUTE_MS),
    ]
    # The counts themselves stay as they are.
    assert counts[NOW // MINUTE_MS] == CallCount(2, 1, 0, {5: 2})


def merged(histograms: list[dict[int, int]]) -> dict[int, int]:
    """Several histograms as one."""
    found: dict[int, int] = {}
    for each in histograms:
        merge(found, each)
    return found
