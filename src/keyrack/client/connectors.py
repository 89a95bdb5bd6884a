"""Connectors: accounts at vendors, and the calls that events became there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET

from keyrack.client.objects import Object, Perhaps, changed, deleted, got, listed, made
from keyrack.client.operations import Listing, Operation, Part, S
from keyrack.client.requests import Request


class Connector(Object, frozen=True, kw_only=True):
    """An account at a vendor that the workspace has connected. Of its secrets, `tails` has the last letters."""

    id: str
    vendor: str
    name: str
    events: list[str]
    settings: dict[str, str]
    tails: dict[str, str]
    state: str
    enabled: bool
    disable_reason: str | None
    problem: str | None
    made_by: str
    made_by_name: str
    created_at: datetime
    updated_at: datetime


class ConnectorCheck(Object, frozen=True, kw_only=True):
    """Whether a vendor takes a connector's credentials; `id` is the connector's."""

    id: str
    ok: bool
    detail: str


class ConnectorCall(Object, frozen=True, kw_only=True):
    """What an event became at a connector. `status`, `code` and `detail` are of the vendor's last answer."""

    id: str
    connector_id: str
    event_id: str
    event_type: str
    object_id: str
    mode: str
    state: str
    why: str | None
    trigger: str
    attempts: int
    due_at: datetime | None
    request: dict[str, Any] | None
    status: int | None
    code: str | None
    detail: str | None
    vendor_object_id: str | None
    duration_ms: int | None
    created_at: datetime
    updated_at: datetime


class Connectors(Part[S]):
    """Connectors. Only an org-level Admin reads and changes them, and no test key changes any."""

    def list(self, **filters: Any) -> Listing[S, Connector]:
        """List connectors: `vendor`, `sort`, `updated_after`, and those of each list."""
        return Listing(self._sender, listed(Connector, "connectors", **filters))

    @Operation
    def get(self, connector_id: str) -> Request[Connector]:
        """Get a connector, without its secrets."""
        return got(Connector, "connectors", connector_id)

    @Operation
    def create(
        self,
        *,
        vendor: str,
        settings: Mapping[str, str],
        name: Perhaps[str] = UNSET,
        events: Perhaps[Sequence[str]] = UNSET,
        idempotency_key: str | None = None,
    ) -> Request[Connector]:
        """Connect an account: `vendor="slack", settings={"token": …, "channel": …}`. Without events, all go there that can."""
        fields = {"vendor": vendor, "settings": settings, "name": name, "events": events}
        return made(Connector, "connectors", idempotency_key=idempotency_key, **fields)

    @Operation
    def update(
        self,
        connector_id: str,
        *,
        name: Perhaps[str] = UNSET,
        events: Perhaps[Sequence[str]] = UNSET,
        settings: Perhaps[Mapping[str, str]] = UNSET,
        enabled: Perhaps[bool] = UNSET,
    ) -> Request[Connector]:
        """Change fields of a connector. Of `settings` those that are named; an empty text takes one away."""
        return changed(Connector, "connectors", connector_id, name=name, events=events, settings=settings, enabled=enabled)

    @Operation
    def delete(self, connector_id: str) -> Request[None]:
        """Delete a connector, and destroy its credentials. When this returns, no call to its vendor begins any more."""
        return deleted("connectors", connector_id)

    @Operation
    def check(self, connector_id: str) -> Request[ConnectorCheck]:
        """Ask the vendor whether it takes a connector's credentials. Nothing changes there."""
        return made(ConnectorCheck, "connectors", connector_id, "check", idempotency_key=None)

    def calls(self, connector_id: str, **filters: Any) -> Listing[S, ConnectorCall]:
        """List what events became at a connector: `event_id`, `state`, and those of each list."""
        return Listing(self._sender, listed(ConnectorCall, "connectors", connector_id, "calls", **filters))

    @Operation
    def call(self, connector_id: str, call_id: str) -> Request[ConnectorCall]:
        """Get one call, with what was sent."""
        return got(ConnectorCall, "connectors", connector_id, "calls", call_id)

    @Operation
    def retry(self, connector_id: str, call_id: str) -> Request[ConnectorCall]:
        """Have a call sent again that was given up, or skipped while its connector was off."""
        return made(ConnectorCall, "connectors", connector_id, "calls", call_id, "retry", idempotency_key=None)
