"""Portal links: how a host hands its own signed-in user over to the console, once and within the minute."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PortalLink:
    """A link for one member, which the host asked for with a key. Times are milliseconds since the epoch.

    `auth_time` is when the host last saw the user prove who they are, None where it does not say. `origin` is the page that will frame the
    console, None where the link opens it by itself.
    """

    workspace_id: str
    member_id: str
    key_id: str
    created_at: int
    expires_at: int
    auth_time: int | None = None
    origin: str | None = None
