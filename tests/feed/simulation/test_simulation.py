"""Whatever a simulated network, clocks and nodes do, the real protocol of leases decides no call on a right that had ended.

Each mistake that the design excludes is shown by a schedule, or found by the search from a seed on.
"""

from collections.abc import Callable
from itertools import count

import pytest

from tests.feed.simulation.nodes import Node, Parts, Stale
from tests.feed.simulation.planted_leases import BUGS
from tests.feed.simulation.scheduler import RATES, Scheduler

SEEDS, STEPS = 60, 1000
CHANGES_FUZZ = 1_000_000
K0 = frozenset({"k0"})
K1 = frozenset({"k1"})

# From these seeds on the search finds a bug soon.
SEEDS_FIRST = {
    "apply before the renewal commits": 99,
    "count the lease from the reply": 249,
    "advance past another's change": 22,
    "store while joining": 251,
    "believe after a fail-over that a revision is the one it knew": 204,
    "acknowledge before evicting": 106,
    "advance before evicting": 66,
    "return early where it was done": 0,
    "decide on a server that is behind": 5,
    "decide without a lease": 6,
    "acknowledge in a forked child": 40,
    "store a look-up after an eviction": 19,
    "keep the cache when joining anew": 5,
    "lose the row's creation": 0,
    "wait for less than a lease": 151,
    "read the lease rows before the commit": 54,
}


class Cluster:
    """Two nodes that decide calls, `a` and `b`, and `c`, which only changes things. All clocks run alike, and no server is behind."""

    def __init__(self, parts: Parts) -> None:
        self.scheduler = Scheduler(0, parts)
        self.scheduler.behind = 0
        self.a, self.b, self.c = self.scheduler.nodes = [
            Node(self.scheduler.database, parts, 1.0, lambda newest: newest, has_lease=has_lease) for has_lease in (True, True, False)
        ]
        for node in (self.a, self.b):
            self.join(node)
            self.call(node)
        self.c.connect()

    def join(self, node: Node) -> None:
        """A node connects and renews."""
        node.connect()
        node.begin_renewal()
        self.scheduler.finish(node)

    def call(self, node: Node) -> None:
        """A call with k0 is decided."""
        node.begin_call("k0")
        self.scheduler.finish(node)

    def step(self, node: Node, times: int = 1) -> None:
        """What is under way longest in a node is carried out, or answered."""
        for _ in range(times):
            self.scheduler._step(node, node.tasks[0])

    def commit(self, node: Node, touched: frozenset[str]) -> None:
        """A change is committed, and waits."""
        node.begin_change(touched)
        self.scheduler.finish(node)

    def round(self, node: Node) -> None:
        """A node looks who is behind."""
        node.begin_round()
        self.scheduler.finish(node)
        node.expire()

    def change(self, node: Node, touched: frozenset[str]) -> None:
        """A change is made and returns, as all apply; `b` does not, where it has lost its session."""
        self.commit(node, touched)
        self.round(node)
        for other in (self.a, self.b):
            other.begin_apply()
            self.scheduler.finish(other)
        self.round(node)

    def pass_time(self, seconds: float) -> None:
        """Time passes."""
        self.scheduler.database.time += seconds


def _change_during_a_renewal(cluster: Cluster, steps: int) -> None:
    b, c = cluster.b, cluster.c
    b.begin_renewal()
    cluster.step(b, steps)
    cluster.commit(c, K0)
    cluster.a.begin_apply()
    cluster.scheduler.finish(cluster.a)
    cluster.round(c)
    cluster.pass_time(1.5)
    cluster.scheduler.finish(b)
    cluster.pass_time(0.7)
    cluster.round(c)
    b.observe()


def _reply_slowly(cluster: Cluster) -> None:
    _change_during_a_renewal(cluster, steps=3)


def _read_what_changed_first(cluster: Cluster) -> None:
    _change_during_a_renewal(cluster, steps=1)


def _own_change(cluster: Cluster) -> None:
    cluster.commit(cluster.c, K0)
    cluster.commit(cluster.b, K1)
    cluster.change(cluster.c, K1)
    cluster.b.observe()


def _look_up_slowly(cluster: Cluster) -> None:
    b, c = cluster.b, cluster.c
    cluster.change(c, K0)
    b.begin_call("k0")
    cluster.step(b)
    looking = b.tasks.pop()
    cluster.change(c, K0)
    b.tasks.append(looking)
    b.begin_call("k0")
    cluster.scheduler.finish(b)
    b.observe()


def _look_up_while_joining(cluster: Cluster) -> None:
    b, c = cluster.b, cluster.c
    cluster.change(c, K0)
    b.begin_call("k0")
    cluster.step(b)
    looking = b.tasks.pop()
    b.lose_session()
    cluster.commit(c, K0)
    cluster.round(c)
    cluster.pass_time(3)
    cluster.round(c)
    c.expire()
    b.connect()
    b.begin_renewal()
    cluster.step(b, times=3)
    b.tasks.append(looking)
    b.step(looking, deliver=True)
    cluster.scheduler.finish(b)
    b.observe()


def _reuse_a_revision(cluster: Cluster) -> None:
    cluster.change(cluster.c, K1)
    for node in cluster.scheduler.nodes:
        node.lose_session()
    cluster.pass_time(4)
    cluster.scheduler.database.fail_over(1)
    cluster.c.connect()
    cluster.commit(cluster.c, K0)
    cluster.round(cluster.c)
    cluster.join(cluster.b)
    cluster.b.observe()


SCHEDULES: dict[str, Callable[[Cluster], None]] = {
    "apply before the renewal commits": _read_what_changed_first,
    "count the lease from the reply": _reply_slowly,
    "advance past another's change": _own_change,
    "join a running look-up": _look_up_slowly,
    "store while joining": _look_up_while_joining,
    "believe after a fail-over that a revision is the one it knew": _reuse_a_revision,
    "keep the cache on a reconnect": _reuse_a_revision,
}


def _search(parts: Parts, seeds: range) -> int:
    """Run schedules, and return how many calls were decided in them."""
    return sum(sum(node.decided for node in _run(parts, seed).nodes) for seed in seeds)


def _run(parts: Parts, seed: int) -> Scheduler:
    scheduler = Scheduler(seed, parts)
    scheduler.run(STEPS)
    return scheduler


@pytest.mark.parametrize("part", range(4))
def test_no_schedule_has_a_call_decided_on_an_ended_right_or_a_change_wait_for_ever(part: int) -> None:
    assert max(RATES) / min(RATES) < 1.1
    assert _search(Parts(), range(part * SEEDS // 4, (part + 1) * SEEDS // 4)) > SEEDS


@pytest.mark.parametrize("bug", SCHEDULES)
def test_a_schedule_shows_a_planted_bug(bug: str) -> None:
    with pytest.raises(Stale):
        SCHEDULES[bug](Cluster(BUGS[bug]))


@pytest.mark.parametrize("bug", SCHEDULES)
def test_the_real_protocol_holds_in_the_schedule_of_a_bug(bug: str) -> None:
    SCHEDULES[bug](Cluster(Parts()))


@pytest.mark.parametrize("bug", SEEDS_FIRST)
def test_the_search_finds_a_planted_bug(bug: str) -> None:
    first = SEEDS_FIRST[bug]
    with pytest.raises(Stale):
        _search(BUGS[bug], range(first, first + SEEDS))


def test_each_bug_is_shown_by_a_schedule_or_by_the_search() -> None:
    assert {*SCHEDULES, *SEEDS_FIRST} == set(BUGS)


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
def test_no_schedule_with_a_million_changes(capsys: pytest.CaptureFixture[str]) -> None:
    seeds, changes, calls = count(SEEDS), 0, 0
    while changes < CHANGES_FUZZ:
        run = _run(Parts(), next(seeds))
        changes, calls = changes + run.database.serial, calls + sum(node.decided for node in run.nodes)
    with capsys.disabled():
        print(f"\n{next(seeds) - SEEDS:,} schedules, {changes:,} changes, {calls:,} calls, 0 violations")  # noqa: T201
