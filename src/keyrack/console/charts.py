"""Charts of calls over time: what ranges people choose from, and what each range shows."""

from dataclasses import dataclass
from typing import NamedTuple

from keyrack.model.call_counts import MINUTE_MS, Bucket

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
SLOW_US = 2_000_000
"""A call that took longer is marked: whoever waits so long should ask for less at once."""


class Range(NamedTuple):
    """A range of time that ends now, in steps that divide days."""

    short: str
    title: str
    length_ms: int
    step_ms: int

    def bounds(self, now: int) -> tuple[int, int]:
        """Return from when (ms, included) until when (not included) it reaches: whole steps around it."""
        return (now - self.length_ms) // self.step_ms * self.step_ms, (now // self.step_ms + 1) * self.step_ms


RANGES = {
    "1h": Range("1 h", "the last hour", HOUR_MS, MINUTE_MS),
    "": Range("24 h", "the last 24 hours", DAY_MS, 15 * MINUTE_MS),
    "7d": Range("7 d", "the last 7 days", 7 * DAY_MS, HOUR_MS),
    "30d": Range("30 d", "the last 30 days", 30 * DAY_MS, 6 * HOUR_MS),
}
"""The ranges by what the address of a page says; the one that stands where it says nothing has no name."""


@dataclass(frozen=True)
class Chart:
    """The calls of a range, bucket by bucket, and as a `whole`."""

    range: Range
    buckets: list[Bucket]
    whole: Bucket

    @property
    def busy(self) -> list[Bucket]:
        """The buckets in which there were calls, newest first."""
        return [bucket for bucket in reversed(self.buckets) if bucket.calls]

    def share(self, calls: int) -> str:
        """Return which part of all calls, of which there is one at least, these are."""
        if not calls:
            return "0 %"
        percent = 100 * calls / self.whole.calls
        return "< 0.1 %" if percent < 0.1 else f"{percent:.1f} %"


def took(duration_us: int | None) -> str:
    """Return a duration in microseconds as people read it."""
    if duration_us is None:
        return "–"
    if duration_us >= 999_500:
        return f"{duration_us / 1e6:,.2f} s"
    return f"{duration_us / 1e3:.0f} ms" if duration_us >= 9_950 else f"{duration_us / 1e3:.1f} ms"
