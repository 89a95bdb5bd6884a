"""Calls to vendors: what an event becomes at a connector, tried until the vendor has taken it or has said a no that lasts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from keyrack.model.deliveries import State, Trigger
from keyrack.model.principals import Mode

SCHEDULE_SECONDS = (0, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 16 * 3600)
"""How long after the one before each attempt comes: a day and 36 minutes in all. Stripe repeats what it answered to an idempotency key for
a day, also where that was a fault of its own: the last attempt comes when it has forgotten it."""

JITTER = 0.2
"""A pause is up to so much shorter or longer, so that what failed together does not come back together."""

AGE_SECONDS_MAX = 3 * 24 * 3600
"""Being told to come back later uses up no attempt; what is older than this is given up all the same."""

DETAIL_LENGTH_MAX = 500


class Verdict(StrEnum):
    """What a vendor made of a call.

    `again`: not now (an outage, a fault there); `later`: too many calls, all calls of the connector wait; `refused`: never this call;
    `reconnect`: no call at all, until somebody connects the account again.
    """

    SENT = "sent"
    AGAIN = "again"
    LATER = "later"
    REFUSED = "refused"
    RECONNECT = "reconnect"


class Why(StrEnum):
    """Why a call was skipped, or given up."""

    TEST_MODE = "test_mode"
    CONNECTOR_DISABLED = "connector_disabled"
    CONNECTOR_DELETED = "connector_deleted"
    NOTHING_TO_SEND = "nothing_to_send"
    REFUSED = "refused"
    RECONNECT = "reconnect"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class Answer:
    """A vendor's answer, in our words. `code` is the vendor's own; `object_id` what it calls the thing that it made or changed."""

    verdict: Verdict
    status: int | None = None
    code: str | None = None
    detail: str = ""
    object_id: str | None = None
    retry_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class ConnectorCall:
    """What one event becomes at one connector: one per event and connector, whatever happens. Times are milliseconds since the epoch.

    `request` is what is sent, made once, before the first attempt: so every attempt sends the same. `object_id` is the host's id of what
    the event tells of: its calls go one after another. Of `attempts`, `failures` used up the schedule. `round` counts how often the
    request was made anew, after a vendor's lasting no; a new one goes under a new idempotency key. `status`, `code`, `detail` and
    `duration_ms` are the last attempt's.
    """

    id: str
    workspace_id: str
    connector_id: str
    vendor: str
    event_id: str
    event_type: str
    object_id: str
    position: int
    mode: Mode
    state: State
    created_at: int
    updated_at: int
    why: Why | None = None
    trigger: Trigger = Trigger.SCHEDULE
    round: int = 1
    attempts: int = 0
    failures: int = 0
    due_at: int | None = None
    request: Mapping[str, Any] | None = field(default=None, repr=False)
    status: int | None = None
    code: str | None = None
    detail: str | None = None
    vendor_object_id: str | None = None
    duration_ms: int | None = None

    @property
    def lane(self) -> str:
        """What goes one after another: the calls of one connector about one object."""
        return lane_of(self.connector_id, self.object_id)

    @property
    def idempotency_key(self) -> str:
        """What the vendor knows a repetition by: the same for every attempt to send the same."""
        return f"{self.event_id}-{self.connector_id}-{self.round}"

    @property
    def may_be_retried(self) -> bool:
        """Whether somebody may have it sent again: it was given up, or skipped for its connector. What test keys did goes nowhere."""
        skipped = self.state is State.SKIPPED and self.why in (Why.CONNECTOR_DISABLED, Why.NOTHING_TO_SEND)
        return self.mode is Mode.LIVE and (self.state is State.FAILED or skipped)

    @property
    def was_refused(self) -> bool:
        """Whether the vendor has said a no that lasts: the call certainly did not happen."""
        return self.why in (Why.REFUSED, Why.RECONNECT)


def lane_of(connector_id: str, object_id: str) -> str:
    """Return what the calls of one connector about one object have in common."""
    return f"{connector_id}:{object_id}"


def next_pause_seconds(failures: int, spread: float, retry_after_seconds: int | None = None) -> float | None:
    """Return how long after the attempt that failed as the `failures`-th the next one comes; None: there is none.

    `spread` lies between -1 and 1 and is drawn anew each time. A vendor's `Retry-After` makes the pause longer, never shorter.
    """
    if failures >= len(SCHEDULE_SECONDS):
        return None
    pause = SCHEDULE_SECONDS[failures] * (1 + JITTER * spread)
    return max(pause, float(retry_after_seconds or 0))
