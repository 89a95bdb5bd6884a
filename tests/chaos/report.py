"""What a play has shown, and how much it was worth: figures, and what they must reach."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.history import History

REASONS_SHOWN = 6


@dataclass(frozen=True)
class Strength:
    """What a play must have seen, so that its silence means something."""

    changes: int
    waited: int = 0
    races: int = 0
    judged: int = 0
    calm_answered: float = 0.95

    def missing(self, history: History) -> Iterator[str]:
        """What was not reached."""
        reached = {
            "changes under faults": (history.under_faults, self.changes),
            "changes that waited for a faulty node": (history.waited, self.waited),
            "refills that raced a change": (history.races, self.races),
            "changes held to the bound": (history.judged, self.judged),
        }
        for name, (seen, least) in reached.items():
            if seen < least:
                yield f"{name}: {seen}, at least {least} are needed"
        if calm_answered(history) < self.calm_answered:
            yield f"calls decided in calm phases: {calm_answered(history):.2%}, at least {self.calm_answered:.0%} are needed"


def calm_answered(history: History) -> float:
    """Which part of the calls in calm phases was decided."""
    return 1 - history.calm_unavailable / history.calm_calls if history.calm_calls else 0.0


def lines(history: History) -> Iterator[tuple[str, str]]:
    """The figures, by their names."""
    yield "changes that returned", f"{len(history.seconds):,} ({', '.join(f'{kind} {n:,}' for kind, n in history.kinds.most_common())})"
    yield "other outcomes", ", ".join(f"{name} {n:,}" for name, n in history.outcomes.items() if name != "done") or "none"
    yield "changes under faults", f"{history.under_faults:,}"
    yield "changes that waited for a faulty node", f"{history.waited:,}"
    yield "calls", f"{history.calls:,}, of which {history.unavailable:,} got 503 ({history.unexcused:,} of them beside no fault)"
    yield "reasons of 503", "; ".join(f"{said} {n:,}" for said, n in history.reasons.most_common(REASONS_SHOWN)) or "none"
    yield "calls decided in calm phases", f"{calm_answered(history):.2%} of {history.calm_calls:,}"
    yield "refills that raced a change", f"{history.races:,}"
    yield "change latency, calm", _spread(history.calm_seconds)
    yield "change latency, all", _spread(history.seconds)
    yield (
        "longest change at a node that is well",
        f"{history.bound_seconds:.2f} s (bound {history.bound:.2f} s; {history.judged:,} were held to it)",
    )
    faults = [fault.kind for fault in history.faults]
    yield "faults", f"{len(faults)}: " + ", ".join(f"{kind} {faults.count(kind)}" for kind in dict.fromkeys(faults))
    yield "violations", f"{len(history.violations)}"


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    middle, high = (ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99))
    return f"p50 {middle * 1000:.1f} ms, p99 {high * 1000:.1f} ms, max {ordered[-1] * 1000:.1f} ms"
