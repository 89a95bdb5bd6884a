"""How much is left? One atomic take from all of the principal's limits.

With the counters out of reach a call is refused (503): a limit that cannot be counted is not "no limit".
"""

from typing import Protocol

from keyrack.model.catalog import Operation
from keyrack.model.limits import Bucket, Taken, limit_headers
from keyrack.model.principals import Principal
from keyrack.model.refusals import RATE_LIMITED


class Counters(Protocol):
    """Counts, exactly, over every process that shares them."""

    def take(self, buckets: tuple[Bucket, ...], cost: int) -> Taken:
        """Take `cost` from every bucket, or from none."""


class Limiter:
    """Takes each call from its limits."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def take(self, principal: Principal, operation: Operation) -> list[tuple[bytes, bytes]]:
        """Return the headers that tell what is left. Raises Refused `rate_limited`; a refused call consumes nothing."""
        if not principal.buckets:
            return []
        taken = self._counters.take(principal.buckets, operation.cost)
        headers = limit_headers(taken)
        if taken.retry_after_seconds:
            names = [budget.limit.name for budget in taken.budgets if budget.exhausted]
            raise RATE_LIMITED(
                f"The limit {names[0]!r} is used up; it allows another call in {taken.retry_after_seconds} s.",
                headers={
                    "Retry-After": str(taken.retry_after_seconds),
                    **{name.decode(): value.decode() for name, value in headers},
                },
                extra={"violated-policies": names},
            )
        return headers
