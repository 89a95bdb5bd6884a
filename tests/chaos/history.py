"""What happened, on one monotonic clock, and what must not have: each call is judged when its answer is here.

A key's changes are made one after another, so at each moment of a call only few rights can have held: what the last change that had
returned when the call began left, and what the changes that ran beside the call make of it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

ANSWERED = {"GET": 200, "POST": 201}
UNAVAILABLE = 503
NO_LEASE = "holds no lease"
# A node that takes longer for a question that asks nobody else is given too little time by its machine.
BREATH_SECONDS_MAX = 0.05
BREATHS_SEEN = 2000
# A change that takes longer, while a node is faulty that it was not sent to, has waited for that one.
WAITED_SECONDS_MIN = 0.25
SLACK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Right:
    """What a key may do."""

    level: str = "write"
    is_enabled: bool = True
    is_ended: bool = False
    is_api_on: bool = True

    def expected(self, method: str) -> tuple[int, str | None]:
        """The status and code that a call gets."""
        if self.is_ended:
            return 401, "key_revoked"
        if not self.is_enabled:
            return 401, "key_disabled"
        if not self.is_api_on:
            return 401, "api_disabled"
        allowed = self.level == "write" or (self.level == "read" and method == "GET")
        return (ANSWERED[method], None) if allowed else (403, "insufficient_permission")


@dataclass(slots=True)
class Change:
    """A change of a key. `rights` are those that can hold when it is over: several, where nobody can tell whether it happened."""

    kind: str
    node: int
    began: float
    rights: frozenset[Right]
    ended: float = inf
    outcome: str = "running"


@dataclass(slots=True)
class Key:
    """A key, its changes so far, and when each node was last asked about it. `started` are the rights that it may have begun with."""

    id: str
    secret: str
    integration_id: str
    started: frozenset[Right] = frozenset({Right()})
    changes: list[Change] = field(default_factory=list)
    _asked: dict[int, float] = field(default_factory=dict)

    @property
    def rights(self) -> frozenset[Right]:
        """The rights that can hold now, where no change is under way."""
        return self.changes[-1].rights if self.changes else self.started

    def begin(self, kind: str, node: int, now: float, **fields: Any) -> Change:
        """Begin a change that sets fields of the key's right."""
        change = Change(kind, node, now, frozenset(replace(right, **fields) for right in self.rights))
        self.changes.append(change)
        return change

    def finish(self, change: Change, now: float, outcome: str) -> None:
        """End the change that is under way: it is done, or nothing has changed, or the outcome is unknown."""
        before = self.changes[-2].rights if len(self.changes) > 1 else self.started
        if outcome == "nothing":
            change.rights = before
        elif outcome == "unknown":
            change.rights |= before
        change.ended, change.outcome = now, outcome

    def possible(self, began: float, ended: float) -> frozenset[Right]:
        """The rights that a call of that time may be decided on."""
        possible = self.started
        for change in self.changes:
            if change.ended < began:
                possible = change.rights
            elif change.began < ended:
                possible |= change.rights
        return possible

    def ask(self, node: int, now: float) -> bool:
        """Note that a node is asked or has answered. Returns whether it cannot know the key: nobody asked it since the last change."""
        asked = self._asked.get(node, -inf)
        self._asked[node] = max(asked, now)
        return asked <= max((change.ended for change in self.changes if change.outcome == "done"), default=-inf)

    def is_changing(self, began: float, ended: float) -> bool:
        """Whether a change ran beside a call of that time."""
        return any(change.ended > began and change.began < ended for change in self.changes)


@dataclass(frozen=True, slots=True)
class Call:
    """A call with a key, and its answer. `is_cold`: the node had to look the key up."""

    node: int
    method: str
    began: float
    ended: float
    status: int
    code: str | None
    said: str
    is_cold: bool = False


@dataclass(slots=True)
class Fault:
    """Something that is done to nodes or to the store (`nodes` is empty), until everything is well again."""

    kind: str
    nodes: frozenset[int]
    began: float
    ended: float = inf

    def overlaps(self, began: float, ended: float) -> bool:
        """Whether it was there in this time."""
        return self.began <= ended and began <= self.ended


@dataclass(slots=True)
class History:
    """All that counts of what happened. `lease_seconds` is the longest lease of any node.

    `stale` are the violations by calls that were decided on a right that no longer held, or did not hold yet.
    """

    lease_seconds: float
    faults: list[Fault] = field(default_factory=list)
    calm_since: float | None = None
    violations: list[str] = field(default_factory=list)
    stale: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    unavailable: int = 0
    unexcused: int = 0
    calm_calls: int = 0
    calm_unavailable: int = 0
    under_faults: int = 0
    waited: int = 0
    races: int = 0
    seconds: list[float] = field(default_factory=list)
    calm_seconds: list[float] = field(default_factory=list)
    bound_seconds: float = 0.0
    judged: int = 0
    breathless: list[tuple[float, float]] = field(default_factory=list)
    asking: dict[int, float] = field(default_factory=dict)

    def judge_call(self, key: Key, call: Call) -> None:
        """Judge a call that got an answer."""
        calm = self.is_calm(call.began)
        self.calls += 1
        self.calm_calls += calm
        self.races += call.is_cold and key.is_changing(call.began, call.ended)
        if call.status == UNAVAILABLE:
            self.unavailable += 1
            self.reasons[call.said] += 1
            self.calm_unavailable += calm
            excused = self.excuses(call.node, call.began, call.ended)
            self.unexcused += not excused
            # A process that was given no time to renew, as on a busy machine, is right to decide nothing.
            if not (excused or NO_LEASE in call.said or self.is_breathless(call.began, call.ended)):
                self.violations.append(f"{_shown(call)}, though neither the node nor the store was faulty; {_told(key)}")
            return
        expected = {right.expected(call.method) for right in key.possible(call.began, call.ended)}
        if (call.status, call.code) not in expected:
            self.stale += 1
            beside = [f"{fault.kind} of {sorted(fault.nodes)} since {fault.began:.4f}" for fault in self._recent(call.began)]
            self.violations.append(f"{_shown(call)}, expected {sorted(expected, key=str)}; {_told(key)}; beside {beside}")

    def judge_change(self, change: Change, said: str) -> None:
        """Judge a change that is over. `said` is what was answered where it is not done."""
        self.outcomes[change.outcome] += 1
        if said:
            self.reasons[said] += 1
        seconds = change.ended - change.began
        around = [fault for fault in self._recent(change.began) if fault.overlaps(change.began, change.ended)]
        is_well = all(fault.nodes and change.node not in fault.nodes for fault in around)
        told = f"{change.kind} at node {change.node} was {change.outcome} after {seconds:.2f} s, beside {[fault.kind for fault in around]}"
        if change.outcome == "refused":
            self.violations.append(f"{told}: {said}")
        if is_well and not self.is_breathless(change.began, change.ended):
            self.judged += 1
            self.bound_seconds = max(self.bound_seconds, seconds)
            if seconds > self.bound:
                self.violations.append(f"{told}: too late; {said}")
        if change.outcome != "done":
            return
        self.kinds[change.kind] += 1
        self.seconds.append(seconds)
        self.under_faults += bool(around)
        if self.is_calm(change.began):
            self.calm_seconds.append(seconds)
        if is_well:
            self.waited += bool(around) and seconds >= WAITED_SECONDS_MIN

    @property
    def bound(self) -> float:
        """Within how many seconds a change returns at a node that is well."""
        return self.lease_seconds + SLACK_SECONDS

    def excuses(self, node: int, began: float, ended: float) -> bool:
        """Whether a node may have had no lease in this time."""
        return any((not fault.nodes or node in fault.nodes) and fault.overlaps(began, ended) for fault in self._recent(began))

    def breathe(self, began: float, ended: float) -> None:
        """Note how long a node took to say that it is alive."""
        if ended - began > BREATH_SECONDS_MAX:
            self.breathless.append((began, ended))

    def is_breathless(self, began: float, ended: float) -> bool:
        """Whether the machine was too busy in this time to judge what depends on it alone."""
        if any(asked <= ended - BREATH_SECONDS_MAX for asked in self.asking.values()):
            return True
        return any(start <= ended and began <= end for start, end in self.breathless[-BREATHS_SEEN:])

    def is_calm(self, began: float) -> bool:
        """Whether all has been well since then."""
        return self.calm_since is not None and began >= self.calm_since

    def _recent(self, began: float) -> Iterable[Fault]:
        return (fault for fault in reversed(self.faults) if fault.ended >= began)


def _shown(call: Call) -> str:
    what = f"{call.method} at node {call.node} from {call.began:.4f} to {call.ended:.4f}"
    return f"{what} got {call.status} {call.said}"


def _told(key: Key) -> str:
    last = [f"{change.kind} at {change.node} {change.outcome} ({change.began:.4f} to {change.ended:.4f})" for change in key.changes[-4:]]
    return f"key {key.id}, changes: {', '.join(last) or 'none'}"
