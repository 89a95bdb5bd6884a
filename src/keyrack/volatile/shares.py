"""Shares: what one process may admit of each limit while the processes cannot count together.

A share is the limit divided by the number of live processes, rounded up, and counted in the machine's file: never no limit. Of a day's or
month's quota only what was left when this process last knew is divided. All shares together are a limit and one unit per process.

A call that costs more than the share of a limit below a day takes all of it: else it could not pass at all. With one of a day or month,
where a meter may be asked for any number of units, it is refused: else each process could give the whole quota away once.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b

from keyrack.model.limits import DAY_SECONDS, Bucket, Limit, Taken
from keyrack.volatile.counters import Counters

_FULL_NS_MAX = 31 * DAY_SECONDS * 1_000_000_000


class Shares:
    """Counts this process's shares. `live` says how many processes admit calls at this moment."""

    def __init__(self, counters: Counters, live: Callable[[], int], wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._counters = counters
        self._live = live
        self._wall_ns = wall_ns
        self._own = secrets.token_bytes(16)

    def take(self, buckets: Sequence[Bucket], states: Sequence[int], cost: int) -> Taken:
        """Take `cost` from the share of every bucket, or from none; `states` are what was last known of the buckets.

        Raises what `Counters.take` raises.
        """
        live = max(1, self._live())
        shares = tuple([self._share(bucket, state, live) for bucket, state in zip(buckets, states, strict=True)])
        waits = [self._wait(share.limit, cost) for share in shares]
        taken = self._counters.take(shares, 0 if any(waits) else min([cost, *[share.limit.at_once for share in shares]]))
        # Callers are told of their limit, of which this is a part.
        budgets = [budget._replace(limit=bucket.limit) for budget, bucket in zip(taken.budgets, buckets, strict=True)]
        if any(waits):
            refused = [
                budget._replace(reset_seconds=wait, wait_seconds=wait) if wait else budget
                for budget, wait in zip(budgets, waits, strict=True)
            ]
            return Taken(tuple(refused), max(waits))
        return taken._replace(budgets=tuple(budgets))

    def _wait(self, share: Limit, cost: int) -> int:
        """Return the seconds until a share of a day or month that could never meet a cost begins anew, or 0."""
        if not share.is_calendar or cost <= share.at_once:
            return 0
        now_ns = self._wall_ns()
        return -((now_ns - share.end_ns(now_ns)) // 1_000_000_000)

    def _share(self, bucket: Bucket, state: int, live: int) -> Bucket:
        limit = share_of(bucket.limit, live, bucket.limit.take(state, 0, self._wall_ns())[1].remaining if bucket.limit.is_calendar else 0)
        # Alone, a process counts with whatever others use this file; else each for itself.
        return Bucket(limit, bucket.key if live == 1 else blake2b(bucket.key, key=self._own, digest_size=16).digest())


def share_of(limit: Limit, live: int, left: int) -> Limit:
    """Return one process's share of a limit among `live`; `left` is what is left of a day's or month's quota."""
    if limit.is_calendar:
        return replace(limit, quota=max(1, _divided(left, live)))
    quota = _divided(limit.quota, live)
    step = _divided(limit.window_seconds * 1_000_000_000, quota)
    # Rounded up, a great burst could take longer to fill than any limit may.
    return replace(limit, quota=quota, burst=min(_divided(limit.at_once, live), max(1, _FULL_NS_MAX // step)))


def _divided(number: int, parts: int) -> int:
    return -(-number // parts)
