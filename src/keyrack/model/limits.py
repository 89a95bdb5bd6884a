"""Limits: the rules of how much, and what is left of them. Pure arithmetic: every time is passed in.

A limit whose window is shorter than a day is a GCRA: units come back one by one, each after `window / quota`, so there is no window edge
at which twice the quota passes. A limit per day or per month is a counter that starts at 0 with each UTC day or month.

Either way a bucket remembers **one** integer, its *state*, so that storing it is one write, which no crash can tear:

- GCRA: the time, in ns, at which the budget will be full again; anything up to now means that nothing is used.
- day and month: a mark (bit 62), the number of the UTC day with which the window ends, and the units used in it.

0 is the state of a bucket that was never used. Every other integer can be read as a state too, and none gives more than a full budget or
blocks longer than an empty one: a GCRA state too far ahead counts as empty from now on, a window that is over or too far ahead as new.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Literal, NamedTuple, get_args

Header = tuple[bytes, bytes]
Per = Literal["workspace", "integration", "key"]
"""Whose budget a limit gives: one to the whole workspace, or one to each of its integrations (or other owners of credentials) or keys."""

DAY_SECONDS = 86_400
# Stands for the calendar month; `w` of `RateLimit-Policy` shows it as it is, because a policy should not change from month to month.
MONTH_SECONDS = 30 * DAY_SECONDS
QUOTA_MAX = 10**12
PER_SECOND_MAX = 1_000_000

_SECOND = 1_000_000_000
_DAY = DAY_SECONDS * _SECOND
# A clock that is set back over midnight by up to an hour goes on counting in the window that had begun.
_STEP_BACK = 3600 * _SECOND
_WINDOW_AHEAD = {DAY_SECONDS: _DAY + _STEP_BACK, MONTH_SECONDS: 31 * _DAY + _STEP_BACK}
# No budget takes longer to be full again. A state further ahead was not written by any limit.
_FULL_MAX = 31 * _DAY + _STEP_BACK
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")

_USED_BITS = 42
_USED = (1 << _USED_BITS) - 1
_MARK = 1 << 62
_WORDS = Struct("<qq")
_new = tuple.__new__
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class Budget(NamedTuple):
    """What is left of a limit.

    `remaining` units may be taken at once; in `reset_seconds` more of them come (0: the budget is full). `wait_seconds` is 0 unless this
    limit refused the call; then it says when the same call would pass, if nobody else took anything until then.
    """

    limit: "Limit"
    remaining: int
    reset_seconds: int
    wait_seconds: int = 0

    @property
    def exhausted(self) -> bool:
        """Whether this limit refused the call."""
        return self.wait_seconds > 0


class Taken(NamedTuple):
    """What came of taking from several limits at once: from all of them, or, where one had too little left, from none.

    `retry_after_seconds` is 0 where the units were taken, else at least 1 and no `reset_seconds` of a limit that refused is later.
    """

    budgets: tuple[Budget, ...]
    retry_after_seconds: int = 0

    @property
    def allowed(self) -> bool:
        """Whether the units were taken."""
        return not self.retry_after_seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """A rule: at most `quota` units in `window_seconds`, of which `burst` (default: `quota`) may come at once.

    `window_seconds` is shorter than a day, or `DAY_SECONDS` or `MONTH_SECONDS` for the UTC calendar day or month, where a burst makes no
    sense. The time in which one unit comes back is rounded up to a whole nanosecond: a limit may be a thousandth stricter than its words,
    never more generous. `per` says who has such a budget of its own. Raises ValueError where the numbers make no limit.
    """

    name: str
    quota: int
    window_seconds: int
    burst: int | None = None
    per: Per = "workspace"
    # Worked out once, because every call needs them: the units of a full budget, what one of them adds to a state (the ns in which it comes
    # back; 1 in a calendar window), how far ahead the moment can lie at which the budget is full again, and what headers say of the limit.
    is_calendar: bool = field(init=False, repr=False, compare=False)
    at_once: int = field(init=False, repr=False, compare=False)
    step: int = field(init=False, repr=False, compare=False)
    full: int = field(init=False, repr=False, compare=False)
    item: bytes = field(init=False, repr=False, compare=False)
    policy: bytes = field(init=False, repr=False, compare=False)
    headers: tuple[Header, Header] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _validate(self)
        is_calendar = self.window_seconds >= DAY_SECONDS
        at_once = self.quota if self.burst is None else self.burst
        step = 1 if is_calendar else -(-self.window_seconds * _SECOND // self.quota)
        full = _WINDOW_AHEAD[self.window_seconds] if is_calendar else at_once * step
        if full > _FULL_MAX:
            raise ValueError(f"limit {self.name!r}: an empty budget of {at_once} would take more than 31 days to fill; lower `burst`")
        object.__setattr__(self, "is_calendar", is_calendar)
        object.__setattr__(self, "at_once", at_once)
        object.__setattr__(self, "step", step)
        object.__setattr__(self, "full", full)
        policy = f'"{self.name}";q={self.quota};w={self.window_seconds}'.encode()
        object.__setattr__(self, "item", f'"{self.name}";r='.encode())
        object.__setattr__(self, "policy", policy)
        object.__setattr__(self, "headers", ((b"ratelimit-policy", policy), (b"x-ratelimit-limit", b"%d" % self.quota)))

    def take(self, state: int, cost: int, now_ns: int) -> tuple[int, Budget]:
        """Take `cost` units at a time; return the state after it and what is left. A cost of 0 only looks.

        Where fewer are left nothing is taken: the state returned means what the given one means, and must be stored if it is lower, so
        that a state from nowhere ends. `now_ns` counts from the epoch for calendar windows, from any fixed moment for the others. Raises
        ValueError for a cost that a full budget could not meet.
        """
        if self.is_calendar:
            return self._take_from_window(state, cost, now_ns)
        step = self.step
        if state < now_ns:
            state = now_ns
        after = state + cost * step
        free = now_ns + self.full - after
        if free < 0:
            return self._refuse(state, cost, now_ns)
        # More comes within the second, unless a unit takes longer to come back, or none is missing.
        reset = 1 if step <= _SECOND else _seconds(step - free % step)
        return after, _new(Budget, (self, free // step, reset if after > now_ns else 0, 0))

    def end_ns(self, now_ns: int) -> int:
        """Return when the calendar window of a moment ends; both in ns since the epoch."""
        return _end_ns(self._window(now_ns))

    def _refuse(self, state: int, cost: int, now_ns: int) -> tuple[int, Budget]:
        self._require_possible(cost)
        full_at = min(max(state, now_ns), now_ns + self.full)
        free = now_ns + self.full - full_at
        reset = _seconds(self.step - free % self.step)
        # A look (a cost of 0) comes here only with a state too high to be true.
        return full_at, Budget(self, free // self.step, reset, max(0, _seconds(cost * self.step - free)))

    def _take_from_window(self, state: int, cost: int, now_ns: int) -> tuple[int, Budget]:
        ahead = _end_ns(state) - now_ns
        if not 0 < ahead <= self.full:
            state = self._window(now_ns)
            ahead = _end_ns(state) - now_ns
        left = self.quota - (state & _USED)
        if left < 0:
            # The quota was lowered within the window.
            left = 0
        reset = _seconds(ahead)
        if cost > left:
            self._require_possible(cost)
            return state, Budget(self, left, reset, reset)
        left -= cost
        return state + cost, _new(Budget, (self, left, reset if left < self.quota else 0, 0))

    def _window(self, now_ns: int) -> int:
        """Return the state with which the window of this moment begins."""
        day = now_ns // _DAY
        return _MARK | (day + 1 if self.window_seconds == DAY_SECONDS else _month_end(day)) << _USED_BITS

    def _require_possible(self, cost: int) -> None:
        if cost > self.at_once:
            raise ValueError(f"a cost of {cost} can never be met: limit {self.name!r} holds {self.at_once} at most")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit as it holds for one subject. `key` is 16 bytes that name subject, mode and limit in the counters.

    The key is a digest, so that keys are evenly spread; the limit's numbers are no part of it: a plan that changes them keeps what was
    counted. `low` and `high` are the key as two 64-bit words.
    """

    limit: Limit
    key: bytes
    low: int = field(init=False, repr=False, compare=False)
    high: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.key) != 16:
            raise ValueError(f"a bucket's key has 16 bytes, not {len(self.key)}")
        low, high = _WORDS.unpack(self.key)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)


def bucket_key(subject: str, mode: str, limit: str) -> bytes:
    """Return the 16 bytes under which the counters know a limit of one subject in one mode: live and test are counted apart."""
    return blake2b(f"{subject}\0{mode}\0{limit}".encode(), digest_size=16).digest()


def take(buckets: Sequence[Bucket], states: Sequence[int], cost: int, now_ns: int, wall_ns: Callable[[], int]) -> tuple[Taken, list[int]]:
    """Take `cost` units from every bucket, or from none; return what came of it and the states after it, as `Limit.take` does.

    `now_ns` is the time of GCRA limits, `wall_ns` reads that of calendar windows. The caller holds all states from reading to storing.
    """
    budgets, after, wait = _take_each(buckets, states, cost, now_ns, wall_ns)
    if wait:
        # One limit refused: nothing is taken from the others either, and what they show is what they hold.
        looked, after, _ = _take_each(buckets, states, 0, now_ns, wall_ns)
        budgets = [refused if refused.wait_seconds else budget for refused, budget in zip(budgets, looked, strict=True)]
    return Taken(tuple(budgets), wait), after


def is_full(state: int, now_ns: int, wall_ns: int) -> bool:
    """Say whether the budget of this state, whatever its limit, is full again: then the state need not be kept."""
    if state >= _MARK:
        return not 0 < _end_ns(state) - wall_ns <= _FULL_MAX
    return not 0 < state - now_ns <= _FULL_MAX


def outlives_boot(state: int) -> bool:
    """Say whether a state is on the wall clock, and so means the same after the machine has started anew."""
    return state >= _MARK


def limit_headers(taken: Taken) -> list[Header]:
    """Render what is left as headers: draft-ietf-httpapi-ratelimit-headers-11 (`RateLimit-Policy`, `RateLimit`), and `X-RateLimit-*`.

    `q` and `w` are quota and window, the lasting rate. A burst above the quota is a reserve that is not announced: `r` is never above
    `q`, so a client that spreads `r` over `t` seconds is not refused. `t` is when more comes. A refusal names the limits that refused in
    `RateLimit`, so `Retry-After` is not earlier than any `t`. `X-RateLimit-*` show the tightest of them; `Reset` is in seconds from now.
    """
    budgets, wait = taken
    if len(budgets) == 1:
        limit, remaining, reset, _ = budgets[0]
        left = b"%d" % min(remaining, limit.quota)
        until = b"%d" % reset
        policy, quota = limit.headers
        return [
            policy,
            (b"ratelimit", limit.item + left + b";t=" + until),
            quota,
            (b"x-ratelimit-remaining", left),
            (b"x-ratelimit-reset", until),
        ]
    shown = [budget for budget in budgets if budget.wait_seconds or not wait]
    tightest = min(shown, key=_shown)
    return [
        (b"ratelimit-policy", b", ".join([budget.limit.policy for budget in budgets])),
        (b"ratelimit", b", ".join([b"%b%d;t=%d" % (budget.limit.item, _shown(budget), budget.reset_seconds) for budget in shown])),
        tightest.limit.headers[1],
        (b"x-ratelimit-remaining", b"%d" % _shown(tightest)),
        (b"x-ratelimit-reset", b"%d" % tightest.reset_seconds),
    ]


def _shown(budget: Budget) -> int:
    return min(budget.remaining, budget.limit.quota)


def _take_each(
    buckets: Sequence[Bucket], states: Sequence[int], cost: int, now_ns: int, wall_ns: Callable[[], int]
) -> tuple[list[Budget], list[int], int]:
    budgets = []
    after = []
    wait = 0
    for bucket, state in zip(buckets, states, strict=True):
        limit = bucket.limit
        new, budget = limit.take(state, cost, wall_ns() if limit.is_calendar else now_ns)
        after.append(new)
        budgets.append(budget)
        if budget[3] > wait:
            wait = budget.wait_seconds
    return budgets, after, wait


def _seconds(ns: int) -> int:
    return -(-ns // _SECOND)


def _end_ns(state: int) -> int:
    return (state - _MARK >> _USED_BITS) * _DAY


@lru_cache(maxsize=8)
def _month_end(day: int) -> int:
    """Return the number of the first day (since the epoch) of the month after this day's."""
    today = date.fromordinal(day + _EPOCH_DAY)
    return date(today.year + today.month // 12, today.month % 12 + 1, 1).toordinal() - _EPOCH_DAY


def _validate(limit: Limit) -> None:
    says = f"limit {limit.name!r}:"
    if not _NAME.fullmatch(limit.name):
        raise ValueError(f"{says} a name has 1 to 64 characters of A-Z a-z 0-9 _ . : -")
    if limit.per not in get_args(Per):
        raise ValueError(f"{says} `per` is one of {', '.join(get_args(Per))}, not {limit.per!r}")
    if not 1 <= limit.quota <= QUOTA_MAX:
        raise ValueError(f"{says} `quota` must be from 1 to {QUOTA_MAX}, not {limit.quota}")
    window = limit.window_seconds
    if not 1 <= window < DAY_SECONDS and window not in (DAY_SECONDS, MONTH_SECONDS):
        raise ValueError(f"{says} `window_seconds` must be below a day, DAY_SECONDS or MONTH_SECONDS, not {window}")
    if window >= DAY_SECONDS:
        if limit.burst is not None:
            raise ValueError(f"{says} a day or month has no `burst`: its whole quota may come at once; add a shorter limit beside it")
        return
    if limit.quota > window * PER_SECOND_MAX:
        raise ValueError(f"{says} more than {PER_SECOND_MAX} units per second cannot be counted")
    if limit.burst is not None and not 1 <= limit.burst <= QUOTA_MAX:
        raise ValueError(f"{says} `burst` must be from 1 to {QUOTA_MAX}, not {limit.burst}")
