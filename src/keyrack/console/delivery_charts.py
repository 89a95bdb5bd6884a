"""Charts of deliveries over time: how many stand in which state, and how long attempts took."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from keyrack.console.charts import DAY_MS, HOUR_MS, Range
from keyrack.manage.delivery_figures import HourCount, Series
from keyrack.model.call_counts import Durations, merge, quantile
from keyrack.model.deliveries import State
from keyrack.model.refusals import INVALID_REQUEST

DELIVERY_RANGES = {
    "": Range("24 h", "the last 24 hours", DAY_MS, HOUR_MS),
    "7d": Range("7 d", "the last 7 days", 7 * DAY_MS, 6 * HOUR_MS),
    "30d": Range("30 d", "the last 30 days", 30 * DAY_MS, DAY_MS),
}
"""The ranges by what the address of a page says; the one that stands where it says nothing has no name."""

BAR_HEIGHT = 22


class Bar(NamedTuple):
    """A bar of a small chart: how tall it is, and how tall those parts of it that wait or failed stand before it."""

    height: int
    waiting: int
    failed: int


@dataclass
class Tally:
    """Deliveries from `start` (ms since the epoch) to the next tally's, by what became of them; what was skipped is none."""

    start: int
    succeeded: int = 0
    waiting: int = 0
    failed: int = 0
    durations: Durations = field(default_factory=dict)

    @property
    def deliveries(self) -> int:
        """How many there are."""
        return self.succeeded + self.waiting + self.failed

    @property
    def share(self) -> str:
        """Which part of them succeeded by now; there is one at least."""
        percent = 100 * self.succeeded / self.deliveries
        # 99.96 is not all of them.
        return f"{percent:.0f} %" if percent in (0, 100) else f"{min(max(percent, 0.1), 99.9):.1f} %"

    @property
    def p50_us(self) -> int | None:
        """The median of the attempts' durations."""
        return quantile(self.durations, 0.5)

    @property
    def p95_us(self) -> int | None:
        """What 95 % of the attempts did not exceed."""
        return quantile(self.durations, 0.95)

    def add(self, state: State, deliveries: int) -> None:
        """Count deliveries in a state."""
        if state is State.SUCCEEDED:
            self.succeeded += deliveries
        elif state is State.FAILED:
            self.failed += deliveries
        elif state in (State.PENDING, State.HELD):
            self.waiting += deliveries


@dataclass(frozen=True)
class DeliveryChart:
    """The deliveries of a range, in tallies of its steps, oldest first."""

    range: Range
    tallies: Sequence[Tally]

    @classmethod
    def of(cls, chosen: Range, series: Series, now: int) -> "DeliveryChart":
        """Sort a series into the steps of a range that ends now."""
        since, until = chosen.bounds(now)
        tallies = {start: Tally(start) for start in range(since, until, chosen.step_ms)}
        for counted in series.hours:
            if (found := tallies.get(_start(counted.hour, since, chosen.step_ms))) is not None:
                found.add(counted.state, counted.deliveries)
        for hour, taken in series.durations.items():
            if (found := tallies.get(_start(hour, since, chosen.step_ms))) is not None:
                merge(found.durations, taken)
        return cls(chosen, list(tallies.values()))

    @property
    def busy(self) -> list[Tally]:
        """The tallies that have anything, newest first."""
        return [tally for tally in reversed(self.tallies) if tally.deliveries or tally.durations]

    @cached_property
    def whole(self) -> Tally:
        """All of it as one."""
        whole = Tally(self.tallies[0].start)
        for tally in self.tallies:
            whole.succeeded += tally.succeeded
            whole.waiting += tally.waiting
            whole.failed += tally.failed
            merge(whole.durations, tally.durations)
        return whole

    @property
    def bars(self) -> list[Bar]:
        """A small chart of it."""
        tallest = max(tally.deliveries for tally in self.tallies) or 1
        return [_bar(tally, tallest) for tally in self.tallies]


def delivery_range(asked: Mapping[str, str]) -> Range:
    """Return the range that was asked for. Raises Refused 400 where there is none of this name."""
    if asked["range"] not in DELIVERY_RANGES:
        raise INVALID_REQUEST("Choose one of the ranges of time.", param="range")
    return DELIVERY_RANGES[asked["range"]]


def days(hours: Iterable[HourCount], endpoint_ids: Iterable[str], now: int) -> dict[str, DeliveryChart]:
    """Return the last 24 hours of each of these endpoints."""
    counted: dict[str, list[HourCount]] = {endpoint_id: [] for endpoint_id in endpoint_ids}
    for one in hours:
        counted[one.endpoint_id].append(one)
    return {endpoint_id: DeliveryChart.of(DELIVERY_RANGES[""], Series(own, {}), now) for endpoint_id, own in counted.items()}


def _start(at: int, since: int, step_ms: int) -> int:
    return since + (at - since) // step_ms * step_ms


def _bar(tally: Tally, tallest: int) -> Bar:
    """A part that is there is seen, however small it is."""
    failed, waiting, whole = (
        max(2, round(BAR_HEIGHT * part / tallest)) if part else 0
        for part in (tally.failed, tally.failed + tally.waiting if tally.waiting else 0, tally.deliveries)
    )
    return Bar(whole, waiting, failed)
