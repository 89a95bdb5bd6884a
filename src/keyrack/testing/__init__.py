"""What tests of a host need: a clock that stands still until it is told."""

import time


class FrozenClock:
    """A clock in ms since the epoch, for `Keyrack(now=clock.now)`. It begins at the present moment and stands still."""

    def __init__(self) -> None:
        self._now = time.time_ns() // 1_000_000

    def now(self) -> int:
        """Return the time."""
        return self._now

    def set(self, now: int) -> None:
        """Let it be this time, in ms since the epoch."""
        self._now = now

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self._now += int(seconds * 1000)
