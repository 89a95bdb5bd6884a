"""Quotas: what was used of a limit per day or month, as it is kept where it outlives the counters."""

from typing import NamedTuple

# How `keyrack.model.limits` writes the state of such a window: a mark, the UTC day (since the epoch) with which it ends, the units used.
_MARK = 1 << 62
_USED_BITS = 42
_DAY_MS = 86_400_000


class Quota(NamedTuple):
    """What was used of a limit per day or month: `state` is a bucket's state (`keyrack.model.limits`), `key` the bucket's key.

    Of two states of the same bucket the greater one is the later one: a later window, or more that was used in the same.
    """

    workspace_id: str
    key: bytes
    state: int


def window_state(end_day: int, used: int) -> int:
    """Return the state of a window that ends with a UTC day (since the epoch), and of which so much was used."""
    return _MARK | end_day << _USED_BITS | used


def window_parts(state: int) -> tuple[int, int]:
    """Return the day with which a state's window ends, and what was used of it."""
    return state - _MARK >> _USED_BITS, state & (1 << _USED_BITS) - 1


def oldest_state(now: int) -> int:
    """Return a state below which all windows are over, by a day or more, at a time in ms since the epoch."""
    return window_state(now // _DAY_MS, 0)
