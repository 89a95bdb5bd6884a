"""App tokens: what an app calls with for itself, in the workspace that it belongs to, and with no member behind it (RFC 6749 §4.4)."""

from dataclasses import dataclass, field

from keyrack.model.apps import App
from keyrack.model.workspaces import Workspace


@dataclass(frozen=True, slots=True)
class AppToken:
    """What an app calls with for itself, for an hour. Times are ms since the epoch.

    `proved_by` is the digest of the client secret that got it: with another secret the app needs another token.
    """

    id: str
    digest: bytes = field(repr=False)
    prefix: str
    workspace_id: str
    app_id: str
    proved_by: bytes = field(repr=False)
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class FoundAppToken:
    """An app token and all that decides what it may do, as one snapshot shows it; `revision` is the newest that the snapshot has."""

    token: AppToken
    app: App
    workspace: Workspace
    revision: int

    @property
    def ending(self) -> str:
        """Say in a sentence what ended the token, other than the clock; empty where nothing has."""
        if self.app.deleted_at is not None:
            return f"{self.app.name} was deleted."
        if self.app.secret_ended_at is not None or self.token.proved_by != self.app.secret_digest:
            return "The client secret that got this token has ended."
        return "The app gave this token back." if self.token.ended_at is not None else ""
