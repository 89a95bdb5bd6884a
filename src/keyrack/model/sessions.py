"""Sessions: a person's sign-in to the console, in one workspace at a time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. Times are milliseconds since the epoch."""

    id: str
    person_id: str
    workspace_id: str
    created_at: int
    expires_at: int
