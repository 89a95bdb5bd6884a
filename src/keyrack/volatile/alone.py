"""The counters of this machine, for those who would wait for the counters of several."""

from typing import Protocol

from keyrack.model.limits import Bucket, Budget, Taken


class Counting(Protocol):
    """Counts exactly, over every process of this machine."""

    def take(self, buckets: tuple[Bucket, ...], cost: int) -> Taken:
        """Take `cost` from every bucket, or from none."""


class Alone:
    """Counters that nobody has to wait for. Raises what these raise."""

    def __init__(self, counters: Counting) -> None:
        self._counters = counters

    async def take(self, _workspace_id: str, buckets: tuple[Bucket, ...], cost: int) -> Taken:
        """Take `cost` from every bucket of a workspace, or from none."""
        return self._counters.take(buckets, cost)

    async def look(self, _workspace_id: str, buckets: tuple[Bucket, ...]) -> tuple[Budget, ...]:
        """Return what is left of each bucket of a workspace."""
        return self._counters.take(buckets, 0).budgets
