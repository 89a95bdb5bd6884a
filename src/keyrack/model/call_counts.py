"""Calls counted by the minute: how many, how many of them failed, and how long they took. Pure; counts of parts add up to the whole's."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

import msgspec

from keyrack.model.request_logs import CredentialUse, RequestLog

MINUTE_MS = 60_000
MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 24 * MINUTES_PER_HOUR
BUCKETS_MAX = 1500
FIRST_ERROR, FIRST_REFUSED = 500, 400
UNAUTHORIZED = 401
FORBIDDEN = 403

Durations = dict[int, int]
"""A histogram: how many calls took how long, by class of duration (see `duration_class`). Histograms are merged by adding."""

# A class has the width of an eighth of the power of two that it lies in: from its middle, no duration is further away than 1/16.
_BITS = 3
_EXACT = 1 << _BITS + 1


def duration_class(duration_us: int) -> int:
    """Return the class of a duration in microseconds: its own up to 15, from there on eight to each power of two."""
    if duration_us < _EXACT:
        return max(duration_us, 0)
    shift = duration_us.bit_length() - _BITS - 1
    return (shift << _BITS) + (duration_us >> shift)


def duration_in(class_: int) -> int:
    """Return the duration in microseconds in the middle of a class."""
    if class_ < _EXACT:
        return class_
    shift = (class_ >> _BITS) - 1
    return (((class_ & _EXACT // 2 - 1) + _EXACT // 2) << shift) + (1 << shift >> 1)


def merge(into: Durations, other: Mapping[int, int]) -> None:
    """Add a histogram to another."""
    for class_, calls in other.items():
        into[class_] = into.get(class_, 0) + calls


def quantile(durations: Mapping[int, int], share: float) -> int | None:
    """Return the duration in microseconds that this share of the calls did not exceed, to within a sixteenth; None where there are none."""
    classes = sorted(durations)
    if not classes:
        return None
    sums = list(accumulate(durations[class_] for class_ in classes))
    return duration_in(classes[bisect_left(sums, max(share * sums[-1], 1))])


class CallGroup(msgspec.Struct, array_like=True, gc=False):
    """Calls of one minute (since the epoch) that are alike in everything but the time. They were last accepted at `used_at` (ms).

    New fields are added at the end with a default: an older process may have left a group.
    """

    workspace_id: str
    minute: int
    mode: str | None
    credential_id: str | None
    integration_id: str | None
    member_id: str | None
    method: str
    route: str | None
    status: int
    durations: Durations
    used_at: int
    ip_address: str | None
    app_id: str | None = None
    grant_id: str | None = None

    @property
    def calls(self) -> int:
        """How many there are."""
        return sum(self.durations.values())

    @property
    def is_accepted(self) -> bool:
        """Whether these calls used their credential: it was not refused."""
        return self.credential_id is not None and self.status != UNAUTHORIZED

    @property
    def used_its_right(self) -> bool:
        """Whether these calls were let into their operation: what was refused for want of a right used none."""
        return self.is_accepted and self.status != FORBIDDEN

    def subjects(self) -> list[tuple[str, str]]:
        """Return what these calls are counted under: kind and value."""
        found = [("all", ""), ("credential", self.credential_id), ("integration", self.integration_id), ("member", self.member_id)]
        found.append(("app", self.app_id))
        if self.route is not None:
            found.append(("operation", f"{self.method} {self.route}"))
        return [(kind, value) for kind, value in found if value is not None]


def grouped(lines: Iterable[RequestLog]) -> list[CallGroup]:
    """Return the calls of workspaces in groups. Every call is in one of them."""
    alike: dict[tuple[object, ...], CallGroup] = {}
    for line in lines:
        key = (line.credential_id, line.created_at // MINUTE_MS, line.route, line.status, line.method, line.workspace_id)
        group = alike.get(key)
        if group is None:
            if line.workspace_id is None:
                continue
            group = alike[key] = CallGroup(
                line.workspace_id,
                line.created_at // MINUTE_MS,
                line.mode,
                line.credential_id,
                line.integration_id,
                line.member_id,
                line.method,
                line.route,
                line.status,
                {},
                line.created_at,
                line.ip_address,
                line.app_id,
                line.grant_id,
            )
        elif line.created_at > group.used_at:
            group.used_at, group.ip_address = line.created_at, line.ip_address
        class_ = duration_class(line.duration_us)
        group.durations[class_] = group.durations.get(class_, 0) + 1
    return list(alike.values())


def latest_uses(groups: Iterable[CallGroup]) -> list[CredentialUse]:
    """Return the last use of each credential. A call whose credential was not accepted is no use of it.

    Access tokens come and go by the hour: a use of one is a use of its grant.
    """
    latest: dict[str, CallGroup] = {}
    for group in groups:
        used = group.grant_id or group.credential_id
        if group.is_accepted and used is not None:
            known = latest.get(used)
            if known is None or group.used_at >= known.used_at:
                latest[used] = group
    return [CredentialUse(id_, group.workspace_id, group.used_at, group.ip_address) for id_, group in latest.items()]


@dataclass(slots=True)
class CallCount:
    """How many calls there were; of them those that were refused (status 4xx) and those that failed (5xx); and how long they took."""

    calls: int
    refused: int
    errors: int
    durations: Durations

    @classmethod
    def of(cls, group: CallGroup) -> "CallCount":
        """Count a group."""
        calls = group.calls
        is_error = group.status >= FIRST_ERROR
        is_refused = not is_error and group.status >= FIRST_REFUSED
        return cls(calls, calls if is_refused else 0, calls if is_error else 0, dict(group.durations))

    def add(self, other: "CallCount") -> None:
        """Add the calls of another count."""
        self.calls += other.calls
        self.refused += other.refused
        self.errors += other.errors
        merge(self.durations, other.durations)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose calls, or which, are counted: all, or those of one credential, integration, member, app or operation (method and route)."""

    kind: str = "all"
    value: str = ""

    @classmethod
    def operation(cls, method: str, route: str) -> "Subject":
        """Return the subject of one operation."""
        return cls("operation", f"{method} {route}")


@dataclass(frozen=True, slots=True)
class Bucket:
    """The calls from `start` (ms since the epoch) to the next bucket's. `p50_us` and `p95_us` are None where there were none."""

    start: int
    calls: int = 0
    refused: int = 0
    errors: int = 0
    p50_us: int | None = None
    p95_us: int | None = None


def buckets(counts: Mapping[int, CallCount], since: int, until: int, step_ms: int) -> list[Bucket]:
    """Return the counts of minutes as buckets of a step, oldest first, also where nobody called."""
    merged: dict[int, CallCount] = {}
    for minute, count in counts.items():
        start = since + (minute * MINUTE_MS - since) // step_ms * step_ms
        if start in merged:
            merged[start].add(count)
        else:
            merged[start] = CallCount(count.calls, count.refused, count.errors, dict(count.durations))
    return [_bucket(start, merged.get(start)) for start in range(since, until, step_ms)]


def whole(counts: Mapping[int, CallCount], since: int) -> Bucket:
    """Return the counts of minutes as one bucket."""
    merged = CallCount(0, 0, 0, {})
    for count in counts.values():
        merged.add(count)
    return _bucket(since, merged)


def _bucket(start: int, count: CallCount | None) -> Bucket:
    if count is None:
        return Bucket(start)
    p50, p95 = (quantile(count.durations, share) for share in (0.5, 0.95))
    return Bucket(start, count.calls, count.refused, count.errors, p50, p95)
