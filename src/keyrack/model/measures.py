"""What is measured of a process: counts that only grow, and how it stands at one moment. Nothing here names a workspace or a credential."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

import msgspec

from keyrack.model.deliveries import Attempt
from keyrack.model.refusals import ALL
from keyrack.model.request_logs import RequestLog

BOUNDS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of a histogram's buckets; a last one takes what is above."""

READ, WRITE, SOCKET, UNMATCHED = "read", "write", "socket", "unmatched"
"""The classes of operations: what only looks, what may change something, WebSockets, and calls that no route matched."""

OTHER, NONE = "other", "none"
_METHODS = {"GET": READ, "HEAD": READ, "OPTIONS": READ, "WEBSOCKET": SOCKET}
FOUND, UNKNOWN, FAILED = "found", "unknown", "failed"
"""How a look-up of a credential ends."""


class Histogram(msgspec.Struct):
    """How often something took how long: a count per bucket of BOUNDS_SECONDS, and the sum in seconds."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS_SECONDS) + 1))
    seconds: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS_SECONDS, seconds)] += 1
        self.seconds += seconds

    def add(self, other: "Histogram") -> None:
        """Count what another one has counted."""
        self.counts = [mine + others for mine, others in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds


class Tally(msgspec.Struct):
    """What a process has counted in its life, and what it took over from dead ones.

    `calls` are by operation class, status and refusal code, separated by spaces (NONE where nothing was refused); `proved` are those whose
    credential was known; `look_ups` are by how they ended, `attempts` of deliveries too. `delivery_lags` are from events to first attempts.
    """

    calls: dict[str, int] = msgspec.field(default_factory=dict)
    durations: dict[str, Histogram] = msgspec.field(default_factory=dict)
    proved: int = 0
    look_ups: dict[str, int] = msgspec.field(default_factory=dict)
    change_waits: Histogram = msgspec.field(default_factory=Histogram)
    attempts: dict[str, int] = msgspec.field(default_factory=dict)
    attempt_durations: Histogram = msgspec.field(default_factory=Histogram)
    delivery_lags: Histogram = msgspec.field(default_factory=Histogram)

    def note(self, lines: Iterable[RequestLog]) -> None:
        """Count calls by their lines in the request log."""
        found: Counter[str] = Counter()
        for line in lines:
            operation = UNMATCHED if line.route is None else _METHODS.get(line.method, WRITE)
            code = NONE if line.code is None else line.code if line.code in ALL else OTHER
            found[f"{operation} {line.status} {code}"] += 1
            self.durations.setdefault(operation, Histogram()).observe(line.duration_us / 1e6)
            self.proved += line.credential_id is not None
        _add(self.calls, found)

    def note_look_up(self, how: str) -> None:
        """Count one look-up of a credential."""
        self.look_ups[how] = self.look_ups.get(how, 0) + 1

    def note_attempt(self, attempt: Attempt, happened_at: int) -> None:
        """Count one attempt of a delivery by what it ended with: the class of its status (`2xx`), or why none came.

        `happened_at` is when its event did (ms).
        """
        if attempt.number == 1:
            self.delivery_lags.observe(max(0, attempt.started_at - happened_at) / 1000)
        how = attempt.error or OTHER if attempt.status is None else f"{attempt.status // 100}xx"
        self.attempts[how] = self.attempts.get(how, 0) + 1
        self.attempt_durations.observe(attempt.duration_ms / 1000)

    def add(self, other: "Tally") -> None:
        """Count what another one has counted."""
        _add(self.calls, other.calls)
        _add(self.look_ups, other.look_ups)
        for operation, histogram in other.durations.items():
            self.durations.setdefault(operation, Histogram()).add(histogram)
        self.proved += other.proved
        self.change_waits.add(other.change_waits)
        self.delivery_lags.add(other.delivery_lags)
        _add(self.attempts, other.attempts)
        self.attempt_durations.add(other.attempt_durations)


class Standing(msgspec.Struct, frozen=True):
    """How a process stands at one moment.

    `lease_age_seconds` and `has_lease` are None on SQLite, which has no leases; `applied` is the newest revision that it has evicted, -1
    before the first; `log_lag_seconds` tells how long ago it had moved all of the request log, None where it moves none;
    `valkey_away` is None where limits are not counted in Valkey; `deliveries_waiting` is how many attempts are to come, by all processes.
    """

    applied: int
    cache_entries: int
    has_lease: bool | None = None
    lease_age_seconds: float | None = None
    log_lag_seconds: float | None = None
    valkey_away: bool | None = None
    deliveries_waiting: int | None = None


def _add(counts: dict[str, int], others: dict[str, int] | Counter[str]) -> None:
    for name, count in others.items():
        counts[name] = counts.get(name, 0) + count
