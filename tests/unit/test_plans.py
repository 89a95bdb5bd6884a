"""A plan says what it can keep, and its buckets are each subject's own."""

from typing import Any

import pytest

from keyrack import Limit, Meter, Plan
from keyrack.model.limits import DAY_SECONDS, MONTH_SECONDS
from keyrack.model.meters import bucket_of, limit_of

MESSAGES = Meter("messages", "Messages")
EACH = Plan(
    "each",
    "Each",
    limits=(Limit("workspace", 10, 1), Limit("integration", 5, 1, per="integration"), Limit("key", 2, 1, per="key")),
    meters={"messages": 100, "workspace": 7},
)
SUBJECTS = {"workspace": "org_a", "integration": "i_a", "key": "k_a"}


def test_buckets_are_those_of_the_subjects_that_are_given() -> None:
    assert ["workspace", "integration", "key"] == [bucket.limit.name for bucket in EACH.buckets("live", SUBJECTS)]
    assert ["workspace"] == [bucket.limit.name for bucket in EACH.buckets("live", {"workspace": "org_a"})]


def test_no_two_subjects_modes_limits_or_meters_share_a_bucket() -> None:
    found = [bucket.key for mode in ("live", "test") for bucket in EACH.buckets(mode, SUBJECTS)]
    found += [bucket.key for bucket in EACH.buckets("live", {name: value + "2" for name, value in SUBJECTS.items()})]
    for name in ("messages", "workspace"):
        found += [bucket_of(Meter(name, "Any"), EACH, "org_a", mode).key for mode in ("live", "test")]
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"limits": (Limit("one", 1, 1), Limit("one", 2, 60))}, "two limits named 'one'"),
        ({"limits": tuple(Limit(f"limit-{number}", 1, 1) for number in range(9))}, "8 at most"),
        ({"meters": {"messages": 0}}, "from 1 to"),
        ({"meters": {"messages": -1}}, "from 1 to"),
        ({"meters": {"messages": 10**13}}, "from 1 to"),
    ],
)
def test_plans_that_could_not_work_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Plan("wrong", "Wrong", **fields)


def test_who_has_a_budget_is_one_of_three() -> None:
    with pytest.raises(ValueError, match="`per` is one of workspace, integration, key"):
        Limit("any", 1, 1, per="person")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "begins with a letter"),
        ({"name": "Big Files"}, "begins with a letter"),
        ({"window": "year"}, "day or month"),
        ({"window": "month", "existing": str}, "no window"),
        ({"title": " "}, "printable"),
        ({"unit": "a\nb"}, "printable"),
    ],
)
def test_meters_that_could_not_work_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Meter(**{"name": "messages", "title": "Messages"} | fields)


def test_a_meter_counts_its_unit_by_its_window() -> None:
    assert ("big files", MONTH_SECONDS) == (Meter("big_files", "Files").unit, limit_of(MESSAGES, 5).window_seconds)
    assert DAY_SECONDS == limit_of(Meter("messages", "Messages", window="day"), 5).window_seconds
    assert limit_of(MESSAGES, 5) is limit_of(MESSAGES, 5)
    assert ("month", None) == (MESSAGES.window, Meter("files", "Files", existing=str).window)
