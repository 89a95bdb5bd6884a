"""Limits are exact over all threads and processes of a machine, whoever is killed or stopped."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from keyrack.model.limits import DAY_SECONDS, Limit
from keyrack.model.refusals import Refused
from keyrack.volatile.counters import Counters
from tests.volatile.children import Child, shared_words
from tests.volatile.conftest import SECOND, Clocks, Open, bucket, left, take_all

WORKSPACE = Limit("workspace", quota=1000, window_seconds=1, burst=5000)
# On a clock that stands still nothing comes back: exactly these are admitted.
FEW = Limit("few", quota=300, window_seconds=60)
OTHER = Limit("other", quota=200, window_seconds=60)
DAILY = Limit("daily", quota=100, window_seconds=DAY_SECONDS)


def insist(take: Callable[[], bool]) -> bool:
    """Take, also when the machine is so busy that the lock was not to be had in time."""
    while True:
        try:
            return take()
        except Refused:
            time.sleep(0.001)


def test_a_burst_is_admitted_then_the_quota_per_window(open_counters: Open, clocks: Clocks) -> None:
    counters = open_counters()
    assert 5000 == take_all(counters, bucket(WORKSPACE))
    clocks.advance(1)
    assert 1000 == take_all(counters, bucket(WORKSPACE))


def test_subjects_do_not_share_a_budget(open_counters: Open) -> None:
    counters = open_counters()
    assert 300 == take_all(counters, bucket(FEW, "acme"))
    assert 300 == take_all(counters, bucket(FEW, "other"))


def test_several_buckets_are_all_taken_from_or_none(open_counters: Open) -> None:
    counters = open_counters()
    few, other, daily = bucket(FEW), bucket(OTHER), bucket(DAILY)
    assert 100 == take_all(counters, few, other, daily)
    assert [200, 100, 0] == [left(counters, each) for each in (few, other, daily)]
    assert 100 == take_all(counters, few, other)
    assert [100, 0] == [left(counters, each) for each in (few, other)]


def test_a_look_takes_nothing(open_counters: Open) -> None:
    counters = open_counters()
    for _ in range(3):
        assert 300 == left(counters, bucket(FEW))
    assert [300, 200] == [budget.remaining for budget in counters.take((bucket(FEW), bucket(OTHER)), 0).budgets]


def test_a_cost_that_cannot_be_is_an_error_and_consumes_nothing(open_counters: Open) -> None:
    counters = open_counters()
    for cost in (-1, 301):
        with pytest.raises(ValueError, match="cost"):
            counters.take((bucket(FEW),), cost)
    with pytest.raises(ValueError, match="cost"):
        counters.take((bucket(FEW), bucket(OTHER)), 201)
    assert [300, 200] == [left(counters, each) for each in (bucket(FEW), bucket(OTHER))]


def test_threads_admit_exactly_the_limit(path: Path) -> None:
    counters = Counters(path, boot_ns=lambda: SECOND)
    admitted: list[int] = []

    def work() -> None:
        admitted.append(sum(insist(lambda: counters.take((bucket(FEW),), 1).allowed) for _ in range(200)))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counters.close()
    assert 300 == sum(admitted)


def test_processes_admit_exactly_the_limit(path: Path) -> None:
    def work() -> int:
        counters = Counters(path, boot_ns=lambda: SECOND)
        buckets = (bucket(FEW), bucket(OTHER))
        return sum(insist(lambda: counters.take(buckets, 1).allowed) for _ in range(150))

    assert 200 == sum(child.result() for child in [Child(work) for _ in range(4)])


def test_a_process_that_is_killed_again_and_again_charges_no_more_than_its_unanswered_calls(path: Path) -> None:
    many, more = bucket(Limit("many", 10**9, 3600)), bucket(Limit("more", 10**9, DAY_SECONDS))
    admitted, rounds = shared_words(1), 40

    def work() -> int:
        counters = Counters(path, boot_ns=lambda: SECOND)
        while True:
            insist(lambda: counters.take((many, more), 1).allowed)
            admitted[0] += 1

    for _ in range(rounds):
        child = Child(work)
        time.sleep(random.uniform(0.005, 0.02))
        child.kill()
    counters = Counters(path, boot_ns=lambda: SECOND)
    for each in (many, more):
        assert admitted[0] <= 10**9 - left(counters, each) <= admitted[0] + rounds
    counters.close()


def test_a_limit_is_not_exceeded_by_processes_of_which_one_is_killed_again_and_again(path: Path) -> None:
    limit, rounds = Limit("many", 50_000, 3600), 10
    admitted = shared_words(rounds + 2)

    def work(number: int) -> int:
        counters = Counters(path, boot_ns=lambda: SECOND)
        while insist(lambda: counters.take((bucket(limit),), 1).allowed):
            admitted[number] += 1
        return 0

    steady = [Child(partial(work, 0)), Child(partial(work, 1))]
    for number in range(rounds):
        child = Child(partial(work, number + 2))
        time.sleep(0.01)
        child.kill()
    assert [0, 0] == [child.result() for child in steady]
    assert 50_000 - rounds <= sum(admitted) <= 50_000


def stopped_in_a_take(path: Path) -> Child:
    """A process that was stopped while it held the lock: its clock, which is read under the lock, stops it."""

    def stop() -> int:
        os.kill(os.getpid(), signal.SIGSTOP)
        return SECOND

    child = Child(lambda: Counters(path, boot_ns=stop).take((bucket(FEW),), 1).allowed)
    child.wait_until_stopped()
    return child


def test_calls_are_refused_while_a_stopped_process_holds_the_lock_and_pass_when_it_goes_on(path: Path) -> None:
    counters = Counters(path, boot_ns=lambda: SECOND)
    child = stopped_in_a_take(path)
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            counters.take((bucket(FEW),), 1)
        assert ("store_unavailable", "1") == (refused.value.refusal.code, refused.value.headers["Retry-After"])
    os.kill(child.pid, signal.SIGCONT)
    assert 1 == child.result()
    assert 299 == take_all(counters, bucket(FEW))
    counters.close()


def test_the_lock_of_a_process_that_dies_in_a_take_is_free(path: Path) -> None:
    counters = Counters(path, boot_ns=lambda: SECOND)
    stopped_in_a_take(path).kill()
    assert 300 == take_all(counters, bucket(FEW))
    counters.close()


def test_a_forked_child_counts_in_the_same_budget(open_counters: Open) -> None:
    counters = open_counters()
    children = [Child(lambda: take_all(counters, bucket(FEW), most=100)) for _ in range(2)]
    assert [100, 100] == [child.result() for child in children]
    assert 100 == take_all(counters, bucket(FEW))


def test_a_forked_child_does_not_keep_the_lock_of_a_parent_that_dies(path: Path) -> None:
    survivor = shared_words(1)

    def work() -> int:
        counters = Counters(path, boot_ns=dying)
        forked = os.fork()
        if not forked:
            signal.pause()
        survivor[0] = forked
        return counters.take((bucket(FEW),), 1).allowed

    def dying() -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return SECOND

    Child(work).wait_until_killed()
    try:
        counters = Counters(path, boot_ns=lambda: SECOND)
        assert 300 == take_all(counters, bucket(FEW))
        counters.close()
    finally:
        os.kill(survivor[0], signal.SIGKILL)


def test_a_step_of_the_wall_clock_neither_opens_nor_blocks_a_limit(open_counters: Open, clocks: Clocks) -> None:
    counters = open_counters()
    assert 300 == take_all(counters, bucket(FEW))
    for step in (-7 * DAY_SECONDS, 14 * DAY_SECONDS):
        clocks.wall += step * SECOND
        assert 0 == left(counters, bucket(FEW))
    clocks.advance(60)
    assert 300 == take_all(counters, bucket(FEW))


def test_a_day_is_a_day_of_the_wall_clock(open_counters: Open, clocks: Clocks) -> None:
    counters = open_counters()
    assert 100 == take_all(counters, bucket(DAILY))
    clocks.boot += 2 * DAY_SECONDS * SECOND
    assert 0 == left(counters, bucket(DAILY))
    clocks.wall += DAY_SECONDS * SECOND
    assert 100 == take_all(counters, bucket(DAILY))
