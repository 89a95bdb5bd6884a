"""Who sends unknown credentials has to wait; nobody else."""

import pytest

from keyrack.volatile.throttle import FAILURES, Throttle
from tests.volatile.conftest import Clocks, Open


def fail(throttle: Throttle, address: str, times: int) -> None:
    for _ in range(times):
        throttle.failure(address)


def test_an_address_is_blocked_by_its_failures_until_its_wait_is_over(open_counters: Open, clocks: Clocks) -> None:
    throttle = Throttle(open_counters())
    fail(throttle, "203.0.113.7", FAILURES.at_once - 1)
    assert throttle.blocked("203.0.113.7") is None
    fail(throttle, "203.0.113.7", 1)
    wait = throttle.blocked("203.0.113.7")
    assert 1 == wait
    clocks.advance(wait)
    assert throttle.blocked("203.0.113.7") is None


def test_failures_while_blocked_make_nobody_wait_longer(open_counters: Open, clocks: Clocks) -> None:
    throttle = Throttle(open_counters())
    fail(throttle, "203.0.113.7", 10 * FAILURES.at_once)
    clocks.advance(1)
    assert throttle.blocked("203.0.113.7") is None


def test_other_addresses_are_not_blocked(open_counters: Open) -> None:
    throttle = Throttle(open_counters())
    fail(throttle, "203.0.113.7", FAILURES.at_once)
    assert [None] * 3 == [throttle.blocked(address) for address in ("203.0.113.8", "2001:db8::1", "")]


def test_all_processes_share_what_an_address_has_failed(open_counters: Open) -> None:
    fail(Throttle(open_counters()), "203.0.113.7", FAILURES.at_once)
    assert 1 == Throttle(open_counters()).blocked("203.0.113.7")


@pytest.mark.parametrize(
    ("sends", "blocked", "free"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
        ("::ffff:203.0.113.7", "203.0.113.7", "::ffff:203.0.113.8"),
        ("fe80::1%eth0", "fe80::1", "fe80:0:0:1::1"),
        ("", "", "127.0.0.1"),
        ("no address", "no address", "another"),
    ],
)
def test_ipv6_is_throttled_by_64_and_an_address_in_both_forms_is_one(open_counters: Open, sends: str, blocked: str, free: str) -> None:
    throttle = Throttle(open_counters())
    fail(throttle, sends, FAILURES.at_once)
    assert (1, None) == (throttle.blocked(blocked), throttle.blocked(free))
