"""Sessions: a person's sign-in to the console, in one workspace at a time."""

from dataclasses import dataclass
from enum import StrEnum

PROOF_SECONDS_MAX = 600


class LinkPurpose(StrEnum):
    """What a link to a person's login does: sign in, or choose a new password, after a mail proved their address or without."""

    SIGN_IN = "sign_in"
    RESET = "reset"
    MAILED_RESET = "mailed_reset"


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. Times are milliseconds since the epoch.

    `proved_at` is when the person last proved who they are, 0 where a link let them in. A session that a portal link began was asked for
    with the key `through_key_id`, whose rights bound it, and may stand in a frame of `origin`. `address` and `device` are where it began.
    """

    id: str
    person_id: str
    workspace_id: str
    created_at: int
    expires_at: int
    proved_at: int = 0
    through_key_id: str | None = None
    origin: str | None = None
    address: str | None = None
    device: str | None = None


def is_fresh(proved_at: int, now: int) -> bool:
    """Whether a proof of this time is fresh enough for what matters most: at most ten minutes old, and none of the future."""
    return 0 <= now - proved_at <= PROOF_SECONDS_MAX * 1000
