"""The file of counters: it grows while it is used, and neither damage nor a kill at any moment makes it lie."""

import os
import random
import resource
import time
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyrack.model.limits import DAY_SECONDS, Bucket, Limit
from keyrack.model.refusals import Refused
from keyrack.volatile.counters import Counters
from keyrack.volatile.table import SLOTS_MAX, SLOTS_MIN
from tests.volatile.children import Child, shared_words
from tests.volatile.conftest import SECOND, Clocks, Open, bucket, left, take_all

LIMIT = Limit("limit", quota=10, window_seconds=60)
DAILY = Limit("daily", quota=10, window_seconds=DAY_SECONDS)
SMALLEST = 64 * SLOTS_MIN


def crowded(number: int, limit: Limit = LIMIT) -> Bucket:
    """A bucket whose key shares a group of 32 slots with all others of this kind in the smallest table; each doubling parts them."""
    return Bucket(limit, (number << 18).to_bytes(8, "little") + number.to_bytes(8, "little"))


def test_the_file_doubles_when_a_group_is_full_and_keeps_what_was_counted(open_counters: Open, path: Path) -> None:
    counters, other = open_counters(), open_counters()
    for number in range(100):
        (counters, other)[number % 2].take((crowded(number),), number % 10 + 1)
    assert SMALLEST * 4 == path.stat().st_size
    for each in (counters, other, open_counters()):
        assert [9 - number % 10 for number in range(100)] == [left(each, crowded(number)) for number in range(100)]


def test_a_slot_is_given_away_when_its_budget_is_full_again(open_counters: Open, clocks: Clocks, path: Path) -> None:
    counters = open_counters()
    for number in range(100):
        assert 10 == take_all(counters, crowded(number))
        clocks.advance(60)
    for number in range(100):
        assert 10 == take_all(counters, crowded(number, DAILY))
        clocks.advance(DAY_SECONDS)
    assert SMALLEST == path.stat().st_size


def test_buckets_of_one_call_never_share_a_slot(open_counters: Open, clocks: Clocks) -> None:
    counters = open_counters()
    buckets = tuple(crowded(number) for number in range(80))
    assert 10 == take_all(counters, *buckets)
    assert all(0 == left(counters, each) for each in buckets)
    clocks.advance(60)
    # The slot of the first is free for anybody, as its budget is full, and is where the new one looks first.
    counters.take((crowded(0), crowded(1 << 40)), 1)
    assert [9, 9] == [left(counters, crowded(0)), left(counters, crowded(1 << 40))]


def test_a_file_that_grows_while_processes_take_loses_nothing(path: Path) -> None:
    shared = bucket(Limit("shared", 300, 3600))

    def work(number: int) -> int:
        counters = Counters(path, boot_ns=lambda: SECOND)
        admitted = 0
        for turn in range(100):
            while True:
                try:
                    admitted += counters.take((shared, crowded(100 * number + turn)), 1).allowed
                    break
                except Refused:
                    time.sleep(0.001)
        return admitted

    assert 300 == sum(child.result() for child in [Child(partial(work, number)) for number in range(4)])
    assert path.stat().st_size >= SMALLEST * 4


def test_a_kill_while_the_file_grows_loses_nothing(path: Path) -> None:
    done, count = shared_words(1), 120

    def work() -> int:
        counters = Counters(path, boot_ns=lambda: SECOND)
        while done[0] < count:
            counters.take((crowded(done[0]),), 1)
            done[0] += 1
        return 0

    seconds_max = 0.02
    while done[0] < count:
        before = done[0]
        child = Child(work)
        time.sleep(random.uniform(0.001, seconds_max))
        child.kill()
        # On a busy machine a child may not get as far as a take, or through one that has the file grow.
        seconds_max *= 1.25 if done[0] == before else 1
    counters = Counters(path, boot_ns=lambda: SECOND)
    remaining = [left(counters, crowded(number)) for number in range(count)]
    counters.close()
    # 9, or less where a kill came between a take and its note, so that it was made again.
    assert all(7 <= each <= 9 for each in remaining)


def test_calls_are_refused_when_the_file_cannot_grow_and_what_it_holds_still_counts(path: Path) -> None:
    def work() -> int:
        counters = Counters(path, boot_ns=lambda: SECOND)
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALLEST, SMALLEST))
        for number in range(32):
            counters.take((crowded(number),), 1)
        with pytest.raises(Refused, match="store_unavailable"):
            counters.take((crowded(0), crowded(32)), 1)
        assert [9] * 32 == [left(counters, crowded(number)) for number in range(32)]
        return take_all(counters, crowded(0))

    assert 9 == Child(work).result()


@pytest.mark.parametrize(
    "content", [b"", b"x", b"not ours at all\n" * 100, bytes(SMALLEST), b"\xff" * SMALLEST, b"keyrack1" + b"\xff" * 100]
)
def test_a_file_that_is_not_ours_is_made_anew(path: Path, open_counters: Open, content: bytes) -> None:
    path.write_bytes(content)
    assert 10 == take_all(open_counters(), bucket(LIMIT))
    assert 0 == left(open_counters(), bucket(LIMIT))


def test_a_file_that_was_cut_off_is_made_anew(path: Path, open_counters: Open) -> None:
    open_counters().close()
    os.truncate(path, SMALLEST // 2)
    assert 10 == take_all(open_counters(), bucket(LIMIT))


damaged_words = st.integers(0, 2**64 - 1) | st.sampled_from([0, SLOTS_MIN, 2 * SLOTS_MIN, SLOTS_MAX])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=st.lists(st.tuples(st.integers(0, 63) | st.integers(4 * SLOTS_MIN, 4 * SLOTS_MIN + 127), damaged_words)))
def test_damage_neither_opens_a_limit_nor_closes_it_for_longer_than_it_takes_to_fill(
    path: Path, open_counters: Open, clocks: Clocks, damage: list[tuple[int, int]]
) -> None:
    counters, other = open_counters(), open_counters()
    counters.take((crowded(0), crowded(1, DAILY)), 1)
    with path.open("r+b") as file:
        for word, value in damage:
            file.seek(8 * word)
            file.write(value.to_bytes(8, "little"))
    for each in (crowded(0), crowded(1, DAILY)):
        assert take_all(counters, each) <= 10
        assert 0 == left(other, each)
    clocks.advance(2 * DAY_SECONDS)
    for each in (crowded(0), crowded(1, DAILY)):
        assert 10 == take_all(other, each)
        assert 0 == left(counters, each)
    counters.close()
    other.close()


@pytest.mark.parametrize("state", [2**61, 2**62 + 1, 2**63 - 1])
def test_a_state_too_high_to_be_true_comes_down(path: Path, open_counters: Open, clocks: Clocks, state: int) -> None:
    counters = open_counters()
    one, two, three = (crowded(number) for number in range(3))
    assert counters.take((one, two, three), 1).allowed
    with path.open("r+b") as file:
        for number in range(3):
            file.seek(8 * (4 * SLOTS_MIN + 4 * number + 2))
            file.write(state.to_bytes(8, "little"))
    assert not counters.take((one,), 1).allowed
    assert not counters.take((two, three), 1).allowed
    clocks.advance(60)
    assert [10, 10, 10] == [left(counters, each) for each in (one, two, three)]


@pytest.mark.parametrize("replaced", [False, True])
def test_processes_meet_again_in_one_file_after_theirs_was_deleted(path: Path, open_counters: Open, clocks: Clocks, replaced: bool) -> None:
    counters = open_counters()
    path.unlink()
    if replaced:
        path.write_bytes(b"something else")
    clocks.advance(2)
    assert 10 == take_all(counters, bucket(LIMIT))
    assert 0 == left(open_counters(), bucket(LIMIT))


def test_a_new_boot_forgets_what_was_counted_on_its_clock_and_keeps_days(path: Path, open_counters: Open, clocks: Clocks) -> None:
    before = open_counters()
    take_all(before, bucket(LIMIT))
    take_all(before, bucket(DAILY))
    before.close()
    with path.open("r+b") as file:
        file.seek(16)
        file.write(b"the boot before!")
    clocks.boot = SECOND
    after = open_counters()
    assert [10, 0] == [left(after, bucket(LIMIT)), left(after, bucket(DAILY))]


def test_nobody_else_may_read_the_file_and_a_link_is_not_followed(path: Path, open_counters: Open) -> None:
    open_counters()
    assert 0o600 == path.stat().st_mode & 0o777
    link = path.with_name("link")
    link.symlink_to(path)
    with pytest.raises(OSError, match="link"):
        Counters(link)
