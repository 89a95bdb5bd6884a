"""Deliveries of events to endpoints, and their attempts: when one is tried again, and when it is given up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keyrack.model.principals import Mode

SCHEDULE_SECONDS = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
"""How long after the one before each attempt comes: 75 hours and 35 minutes in all (Standard Webhooks, "Deliverability")."""

JITTER = 0.2
"""A pause is up to so much shorter or longer, so that what failed together does not come back together."""

THROTTLED_SECONDS_MIN = 60
"""The shortest pause after a receiver that is too busy (429, 502, 504) or did not answer in time."""

FAILING_SECONDS_MAX = 5 * 24 * 3600
"""An endpoint that has only failed for so long is disabled."""

SHOWN_BYTES_MAX = 4 * 1024
"""How much of an answer's body an attempt keeps."""


class State(StrEnum):
    """Where a delivery stands. `held`: the workspace's API is switched off, and it goes on when that is on again."""

    PENDING = "pending"
    HELD = "held"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


class Why(StrEnum):
    """Why a delivery was skipped, or given up before its schedule ended."""

    TEST_MODE = "test_mode"
    NOT_PERMITTED = "not_permitted"
    ENDPOINT_DISABLED = "endpoint_disabled"
    ENDPOINT_DELETED = "endpoint_deleted"
    GONE = "gone"
    EXHAUSTED = "exhausted"


class Trigger(StrEnum):
    """What asked for an attempt: the schedule, or somebody who pressed "resend"."""

    SCHEDULE = "schedule"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to one endpoint: one per event and endpoint, whatever happens. Times are milliseconds since the epoch.

    `position` is the event's place in the order. `due_at` is when the next attempt comes, None when there is none. `failures` counts those
    of the schedule as it runs now: whoever has it sent again begins a new one.
    """

    id: str
    workspace_id: str
    endpoint_id: str
    event_id: str
    event_type: str
    position: int
    mode: Mode
    state: State
    created_at: int
    updated_at: int
    why: Why | None = None
    attempts: int = 0
    failures: int = 0
    due_at: int | None = None
    trigger: Trigger = Trigger.SCHEDULE


@dataclass(frozen=True, slots=True)
class DeliveryCount:
    """How many deliveries of an hour (its beginning in ms) stand in a state."""

    hour: int
    state: State
    deliveries: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a delivery. `status` is the answer's, or None with the `error` (a code of `work/send.py`) and its `detail`."""

    id: str
    workspace_id: str
    delivery_id: str
    endpoint_id: str
    number: int
    trigger: Trigger
    started_at: int
    duration_ms: int
    status: int | None = None
    error: str | None = None
    detail: str | None = None
    address: str | None = None
    request_headers: Mapping[str, str] = field(default_factory=dict)
    request_body: bytes = b""
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: bytes = b""
    truncated: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


def next_pause_seconds(attempts: int, spread: float, status: int | None = None, retry_after_seconds: int | None = None) -> float | None:
    """Return how long after the attempt with this number (1 is the first) the next one comes; None: there is none.

    `spread` lies between -1 and 1 and is drawn anew each time. A receiver's `Retry-After` moves the next attempt within once and twice the
    schedule's pause. One that is too busy, or gave no answer (`status` None), is left alone for a minute at least.
    """
    if attempts >= len(SCHEDULE_SECONDS):
        return None
    pause = float(SCHEDULE_SECONDS[attempts])
    if status in (None, 429, 502, 504):
        pause = max(pause, THROTTLED_SECONDS_MIN)
    if retry_after_seconds is not None:
        return min(max(pause, float(retry_after_seconds)), 2 * pause)
    return pause * (1 + JITTER * spread)
