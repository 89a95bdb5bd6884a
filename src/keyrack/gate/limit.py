"""How much is left? One atomic take from all of the principal's limits.

With the counters of this machine out of reach a call is refused (503): a limit that cannot be counted is not "no limit". Counters that
several machines share see to that themselves.
"""

from typing import Protocol

from keyrack.model.catalog import Operation
from keyrack.model.limits import Bucket, Header, Taken, limit_headers
from keyrack.model.principals import Principal
from keyrack.model.refusals import RATE_LIMITED


class Counters(Protocol):
    """Counts, exactly, over every process that shares them."""

    def take(self, buckets: tuple[Bucket, ...], cost: int) -> Taken:
        """Take `cost` from every bucket, or from none."""


class SharedCounters(Protocol):
    """Counts, exactly, over the processes of several machines, and is waited for."""

    async def take(self, workspace_id: str, buckets: tuple[Bucket, ...], cost: int) -> Taken:
        """Take `cost` from every bucket of a workspace, or from none."""


class Limiter:
    """Takes each call from its limits: from `shared` where there is one, else from `counters`."""

    def __init__(self, counters: Counters, shared: SharedCounters | None = None) -> None:
        self._counters = counters
        self._shared = shared

    def take(self, principal: Principal, operation: Operation) -> list[Header]:
        """Return the headers that tell what is left. Raises Refused `rate_limited`; a refused call consumes nothing.

        No headers: the call has no limits, or `ask` must be waited for.
        """
        if self._shared is not None or not principal.buckets:
            return []
        return _told(self._counters.take(principal.buckets, operation.cost), operation.cost)

    async def ask(self, principal: Principal, operation: Operation) -> list[Header]:
        """Do what `take` does, where the counters are waited for."""
        if self._shared is None or not principal.buckets:
            return []
        return _told(await self._shared.take(principal.workspace.id, principal.buckets, operation.cost), operation.cost)


def _told(taken: Taken, cost: int) -> list[Header]:
    """Return what came of a take as headers. Raises Refused `rate_limited`."""
    headers = limit_headers(taken)
    if taken.retry_after_seconds:
        names = [budget.limit.name for budget in taken.budgets if budget.exhausted]
        which = f"{names[0]!r} is used up" if cost == 1 else f"{names[0]!r} has less left than the {cost} that this call costs"
        raise RATE_LIMITED(
            f"The limit {which}; it allows the call in {taken.retry_after_seconds} s.",
            headers={
                "Retry-After": str(taken.retry_after_seconds),
                **{name.decode(): value.decode() for name, value in headers},
            },
            extra={"violated-policies": names},
        )
    return headers
