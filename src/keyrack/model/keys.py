"""Keys: an integration's long-lived credentials. Rights live on the integration; a key only proves it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from keyrack.model.principals import Mode
from keyrack.model.refusals import KEY_DISABLED, KEY_REVOKED, Refusal

OVERLAP_SECONDS_MAX = 7 * 24 * 3600


class EndReason(StrEnum):
    """Why a key ended."""

    REVOKED = "revoked"
    ROTATED = "rotated"
    INTEGRATION_DELETED = "integration_deleted"
    LEAKED = "leaked"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. Times are milliseconds since the epoch.

    `prefix` is the head of the secret that may be shown (`pivotal_abc1`); `digest` is the SHA-256 of the whole secret, the only trace of
    it, but for the sealed copy of a key that is `revealable`. `ends_at` is in the future while a rotated key overlaps its successor.
    `api_version` is the version of the API that its calls are served at, None for one that was made before there were versions.
    `made_by` is the owner id of whoever made it (see `Principal.owner_id`), so that what somebody made can be found and revoked with them.
    """

    id: str
    workspace_id: str
    integration_id: str
    name: str
    mode: Mode
    prefix: str
    digest: bytes
    created_at: int
    updated_at: int
    made_by: str
    made_by_name: str
    expires_at: int | None = None
    ip_ranges: tuple[str, ...] = ()
    disabled_at: int | None = None
    ends_at: int | None = None
    ended_by: str | None = None
    end_reason: EndReason | None = None
    successor_id: str | None = None
    revealable: bool = False
    api_version: str | None = None

    def ended(self, now: int) -> bool:
        """Whether the key has been ended for good (expiry is another thing: nobody decided it).

        What was over when it was written stays so: also where a clock was set back, or runs behind that of whoever revoked.
        """
        return self.ends_at is not None and self.ends_at <= max(now, self.updated_at)

    def lasts(self, now: int) -> bool:
        """Whether the key goes on working, or can be enabled again: it has neither ended, nor is it ending, nor has it expired."""
        return self.ends_at is None and (self.expires_at is None or self.expires_at > now)

    def state(self, now: int) -> str:
        """The one word the list shows: active, disabled, ending, expired or ended."""
        if self.ended(now):
            return "ended"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        if self.disabled_at is not None:
            return "disabled"
        return "ending" if self.ends_at is not None else "active"

    def end(self, *, by: str, at: int, reason: EndReason, successor_id: str | None = None) -> "Key":
        """Return this key ended at a time (now, or at the end of an overlap)."""
        return replace(self, ends_at=at, ended_by=by, end_reason=reason, successor_id=successor_id)

    def why(self) -> str:
        """Say why the key has ended, as a sentence for whoever still calls with it; empty where somebody just ended it."""
        return "It has leaked, and was revoked for that." if self.end_reason is EndReason.LEAKED else ""

    def refusal(self, now: int) -> Refusal | None:
        """Why a call with this key is refused whatever it asks, or None. Expiry and overlap are compared per call, by the gate."""
        if self.ended(now):
            return KEY_REVOKED
        return KEY_DISABLED if self.disabled_at is not None else None
