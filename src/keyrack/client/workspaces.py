"""The workspace that the credential belongs to, who is calling, and what is left."""

from datetime import datetime

import msgspec

from keyrack.client.objects import Object, SpaceRole, Time, changed, got, listed, made
from keyrack.client.operations import Operation, Page, Part, S
from keyrack.client.requests import Request


class Identity(Object, frozen=True, kw_only=True):
    """The credential of the call, its workspace, and what it may do."""

    id: str
    key_name: str
    key_prefix: str
    org_id: str
    org_slug: str
    mode: str
    integration_id: str | None
    member_id: str | None
    member_name: str | None
    member_email: str | None
    org_access: str
    permissions: dict[str, str]
    spaces: list[SpaceRole]


class Membership(Object, frozen=True, kw_only=True):
    """A workspace that the person of a personal token is in."""

    id: str
    name: str
    slug: str
    is_current: bool
    member_id: str | None
    role: str | None
    may_use_api: bool | None


class Workspace(Object, frozen=True, kw_only=True):
    """A workspace."""

    id: str
    name: str
    slug: str
    plan: str
    api_enabled: bool
    revealing: bool
    created_at: datetime
    updated_at: datetime


class PortalLink(Object, frozen=True, kw_only=True):
    """A link that opens the console for a member, once; left out of the repr."""

    member_id: str
    origin: str | None
    url: str
    created_at: datetime
    expires_at: datetime


class Policy(msgspec.Struct, frozen=True):
    """A limit, and what is left of it."""

    name: str
    per: str
    quota: int
    window_seconds: int
    burst: int
    remaining: int
    burst_remaining: int
    reset_seconds: int


class RateLimit(Object, frozen=True, kw_only=True):
    """The limits from which the credential's calls are taken."""

    id: str
    mode: str
    policies: list[Policy]


class PlanName(msgspec.Struct, frozen=True):
    """The plan of a workspace."""

    name: str
    title: str


class LimitUsage(msgspec.Struct, frozen=True):
    """What was used of a limit."""

    name: str
    per: str
    window_seconds: int
    limit: int
    used: int
    remaining: int
    reset_at: datetime | None


class MeterUsage(msgspec.Struct, frozen=True):
    """What was counted by a meter in this day or month, or, without a `window`, how many there are."""

    name: str
    title: str
    unit: str
    window: str | None
    limit: int | None
    used: int
    remaining: int | None
    reset_at: datetime | None


class ModeUsage(msgspec.Struct, frozen=True):
    """What was used in one mode."""

    limits: list[LimitUsage]
    meters: list[MeterUsage]


class Usage(Object, frozen=True, kw_only=True):
    """What was used of the workspace's plan, live and test apart."""

    id: str
    plan: PlanName
    live: ModeUsage
    test: ModeUsage | None


class Own(Part[S]):
    """What a client has of its own workspace."""

    @Operation
    def me(self) -> Request[Identity]:
        """Get the identity of the credential."""
        return got(Identity, "me")

    @Operation
    def workspaces(self) -> Request[Page[Membership]]:
        """Get the workspaces that the person of a default token is in, all on one page; with another credential its own alone."""
        return listed(Membership, "me", "workspaces")

    @Operation
    def rate_limit(self) -> Request[RateLimit]:
        """Get what is left of the credential's limits. It is free."""
        return got(RateLimit, "rate_limit")

    @Operation
    def usage(self) -> Request[Usage]:
        """Get what was used of the workspace's plan. It is free."""
        return got(Usage, "usage")

    @Operation
    def workspace(self) -> Request[Workspace]:
        """Get the workspace."""
        return got(Workspace, "workspace")

    @Operation
    def switch_api_off(self) -> Request[Workspace]:
        """Switch the workspace's API off, for this client, too: only a person who signs in switches it on again."""
        return changed(Workspace, "workspace", api_enabled=False)

    @Operation
    def portal_link(
        self,
        member_id: str,
        *,
        auth_time: Time | None = None,
        origin: str | None = None,
        valid_seconds: int = 60,
        idempotency_key: str | None = None,
    ) -> Request[PortalLink]:
        """Make a link that opens the console for a member, once: send their browser to its `url` at once."""
        fields = {"member_id": member_id, "auth_time": auth_time, "origin": origin, "valid_seconds": valid_seconds}
        return made(PortalLink, "portal-links", idempotency_key=idempotency_key, **fields)
