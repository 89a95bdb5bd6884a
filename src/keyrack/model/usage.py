"""Usage: what was used of the limits and meters of a plan."""

from dataclasses import dataclass

from keyrack.model.limits import Budget, Limit
from keyrack.model.meters import Meter

_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class LimitUsage:
    """What was used of a full budget, and what is left of it. `reset_at` (ms since the epoch): when nothing will be used any more.

    A day or month ends; a shorter limit is full again by then, if nobody takes anything, and None says that it is full now.
    """

    limit: Limit
    used: int
    remaining: int
    reset_at: int | None


@dataclass(frozen=True, slots=True)
class MeterUsage:
    """What was counted by a meter since its window began, and what is left of its `quota`: None of both where the plan sets no end.

    Of what exists there is no `reset_at`, and more may be used than the quota of a plan to which the workspace came later.
    """

    meter: Meter
    quota: int | None
    used: int
    remaining: int | None
    reset_at: int | None


@dataclass(frozen=True, slots=True)
class ModeUsage:
    """What was used in one mode."""

    limits: tuple[LimitUsage, ...]
    meters: tuple[MeterUsage, ...]


def limit_usage(budget: Budget, now: int) -> LimitUsage:
    """Return the usage that a budget shows, at a time in ms since the epoch."""
    limit = budget.limit
    used = limit.at_once - budget.remaining
    if limit.is_calendar:
        return LimitUsage(limit, used, budget.remaining, _end(limit, now))
    # One unit comes back by the reset, and each of the others a step later.
    rest = (used - 1) * limit.step // _NS_PER_MS
    return LimitUsage(limit, used, budget.remaining, now + budget.reset_seconds * 1000 + rest if used else None)


def meter_usage(meter: Meter, quota: int | None, budget: Budget, now: int) -> MeterUsage:
    """Return the usage that the budget of a meter shows, at a time in ms since the epoch."""
    used = budget.limit.at_once - budget.remaining
    return MeterUsage(meter, quota, used, None if quota is None else budget.remaining, _end(budget.limit, now))


def existing_usage(meter: Meter, quota: int | None, existing: int) -> MeterUsage:
    """Return the usage of a meter of what exists."""
    return MeterUsage(meter, quota, existing, None if quota is None else max(quota - existing, 0), None)


def _end(limit: Limit, now: int) -> int:
    return limit.end_ns(now * _NS_PER_MS) // _NS_PER_MS
