"""Endpoints: addresses of customers, to which events are delivered as webhooks (Standard Webhooks 1.0.0)."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urlsplit

from keyrack.model.principals import Mode

ENDPOINTS_MAX = 200
"""How many a workspace has at most."""
ENDPOINTS_OF_INTEGRATION_MAX = 100
EVENTS_MAX = 100
HEADERS_MAX = 20
PARALLEL_MAX = 20
SIGNING_KEYS_MAX = 5
"""How many sign at a moment, while rotations overlap: each is a signature more in every delivery."""
OVERLAP_SECONDS_MAX = 7 * 24 * 3600
OVERLAP_SECONDS = 24 * 3600
EVERYTHING = "*"
"""The filter that every event passes."""


class Signature(StrEnum):
    """How an endpoint's deliveries are signed: with HMAC-SHA256 and a shared secret, or with ed25519, whose public key anybody may have."""

    HMAC = "v1"
    ED25519 = "v1a"


class DisableReason(StrEnum):
    """Why an endpoint is disabled: somebody chose to, or it answered 410, or it failed for days."""

    CHOSEN = "chosen"
    GONE = "gone"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What deliveries are signed with. `sealed` opens for this endpoint alone; `until` (ms) is the end of a rotation's overlap."""

    sealed: bytes = field(repr=False)
    until: int | None = None
    public: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint. Times are milliseconds since the epoch.

    `events` are the types that it wants, each one (`customer.created`), or all of a kind (`customer.*`), or `*`. One that belongs to an
    integration (`integration_id`) was made by its key: it gets what the integration may read at that moment, and ends with it. One of an
    app (`app_id`) hears of that app alone, and ends with it. Any other is the workspace's own. `keys` are the newest first. The custom
    headers are sealed, for people put secrets there; `header_names` may be shown. At most `parallel` deliveries run at once; with
    `in_order` one, and the next waits until it has succeeded or was given up.
    """

    id: str
    workspace_id: str
    url: str
    description: str
    events: tuple[str, ...]
    mode: Mode
    created_at: int
    updated_at: int
    made_by: str
    made_by_name: str
    keys: tuple[SigningKey, ...]
    signature: Signature = Signature.HMAC
    integration_id: str | None = None
    app_id: str | None = None
    api_version: str | None = None
    header_names: tuple[str, ...] = ()
    sealed_headers: bytes | None = field(default=None, repr=False)
    parallel: int = 5
    in_order: bool = False
    disabled_at: int | None = None
    disable_reason: DisableReason | None = None
    deleted_at: int | None = None
    deleted_by: str | None = None

    @property
    def state(self) -> str:
        """The one word the list shows: active, disabled or deleted."""
        if self.deleted_at is not None:
            return "deleted"
        return "active" if self.disabled_at is None else "disabled"

    @property
    def at_once(self) -> int:
        """How many deliveries to it may run at the same time."""
        return 1 if self.in_order else self.parallel

    def wants(self, event_type: str) -> bool:
        """Whether its filter lets events of a type pass."""
        return any(passes(one, event_type) for one in self.events)

    def signing(self, now: int) -> tuple[SigningKey, ...]:
        """The keys that sign at a moment: the newest, and those whose overlap goes on."""
        return tuple(key for key in self.keys if key.until is None or key.until > now)

    def rotated(self, successor: SigningKey, now: int, overlap_seconds: int) -> "Endpoint":
        """Return this endpoint with a new signing key; those that sign now go on for the overlap, and no longer than they would have."""
        ends_at = now + overlap_seconds * 1000
        kept = tuple(replace(key, until=min(key.until or ends_at, ends_at)) for key in self.signing(now) if overlap_seconds)
        return replace(self, keys=(successor, *kept), updated_at=now)


def passes(wanted: str, event_type: str) -> bool:
    """Whether a type passes one filter: itself, all of its kind (`customer.*`), or `*`."""
    if wanted.endswith(".*"):
        return event_type.startswith(wanted[:-1])
    return wanted in (EVERYTHING, event_type)


def shown_url(url: str) -> str:
    """Return an address for events and logs: of its query, in which receivers like to have tokens, is told only that there is one."""
    parts = urlsplit(url)
    return parts._replace(query="…" if parts.query else "").geturl()


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint fares: since when it only fails (ms), and what came of the last attempts. Bookkeeping, no part of the endpoint."""

    endpoint_id: str
    failing_since: int | None = None
    failures_in_row: int = 0
    succeeded_at: int | None = None
    failed_at: int | None = None
