"""Webhook endpoints, what was delivered to them, and the event types that they can be told of. How a delivery is verified: `webhooks`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET

from keyrack.client.objects import Object, Perhaps, Time, changed, deleted, got, listed, made
from keyrack.client.operations import Listing, Operation, Part, S
from keyrack.client.requests import Request


class SigningKey(msgspec.Struct, frozen=True):
    """What deliveries are signed with, until it ends. The public key is that of an ed25519 signature."""

    public_key: str | None
    ends_at: datetime | None


class EndpointHealth(msgspec.Struct, frozen=True):
    """How an endpoint fares."""

    failing_since: datetime | None
    failures_in_row: int
    succeeded_at: datetime | None
    failed_at: datetime | None


class Endpoint(Object, frozen=True, kw_only=True):
    """A webhook endpoint."""

    id: str
    url: str
    description: str
    events: list[str]
    mode: str
    state: str
    enabled: bool
    disabled_at: datetime | None
    disable_reason: str | None
    integration_id: str | None
    app_id: str | None
    api_version: str
    header_names: list[str]
    parallel: int
    in_order: bool
    signature: str
    signing_keys: list[SigningKey]
    health: EndpointHealth
    made_by: str
    made_by_name: str
    created_at: datetime
    updated_at: datetime


class IssuedEndpoint(Endpoint, frozen=True, kw_only=True):
    """An endpoint with its new secret: shown this once, and left out of the repr. With ed25519 there is none."""

    secret: str | None


class SentRequest(msgspec.Struct, frozen=True):
    """What was sent, to the byte; headers of yours without their values."""

    headers: dict[str, str]
    body: str


class GivenResponse(msgspec.Struct, frozen=True):
    """What came back: of the body the first 4 KiB."""

    status: int
    headers: dict[str, str]
    body: str
    truncated: bool


class AttemptMade(msgspec.Struct, frozen=True):
    """One attempt of a delivery. Without a response, `error` and `detail` say why none came."""

    id: str
    number: int
    trigger: str
    succeeded: bool
    started_at: datetime
    duration_ms: int
    address: str | None
    error: str | None
    detail: str | None
    request: SentRequest
    response: GivenResponse | None


class Attempt(Object, frozen=True, kw_only=True):
    """An attempt that was made to try an endpoint out."""

    id: str
    number: int
    trigger: str
    succeeded: bool
    started_at: datetime
    duration_ms: int
    address: str | None
    error: str | None
    detail: str | None
    request: SentRequest
    response: GivenResponse | None


class Delivery(Object, frozen=True, kw_only=True):
    """An event on its way to one endpoint."""

    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    mode: str
    state: str
    why: str | None
    attempt_count: int
    next_attempt_at: datetime | None
    created_at: datetime
    updated_at: datetime


class WholeDelivery(Delivery, frozen=True, kw_only=True):
    """A delivery with its attempts, newest first."""

    attempts: list[AttemptMade]


class Replay(Object, frozen=True, kw_only=True):
    """How much is sent again."""

    endpoint_id: str
    since: datetime
    deliveries: int


class EventKind(Object, frozen=True, kw_only=True):
    """An event type, with the JSON Schema of its data and an example."""

    id: str
    name: str
    description: str
    category: str | None
    needs: str
    data_schema: dict[str, Any]
    example: dict[str, Any]


class Endpoints(Part[S]):
    """Webhook endpoints. Their secret is in what `create` and `rotate` return, and nowhere else."""

    def list(self, **filters: Any) -> Listing[S, Endpoint]:
        """List endpoints: `integration_id`, `app_id`, `mode`, `enabled`, `search`, `sort`, `updated_after`, and those of each list."""
        return Listing(self._sender, listed(Endpoint, "endpoints", **filters))

    @Operation
    def get(self, endpoint_id: str) -> Request[Endpoint]:
        """Get an endpoint."""
        return got(Endpoint, "endpoints", endpoint_id)

    @Operation
    def create(
        self,
        *,
        url: str,
        events: Sequence[str],
        description: str = "",
        mode: Perhaps[str] = UNSET,
        integration_id: str | None = None,
        app_id: str | None = None,
        api_version: Perhaps[str] = UNSET,
        headers: Perhaps[Mapping[str, str]] = UNSET,
        signature: str = "v1",
        parallel: int = 5,
        in_order: bool = False,
        idempotency_key: str | None = None,
    ) -> Request[IssuedEndpoint]:
        """Create an endpoint for these event types: `customer.created`, `customer.*`, `*`."""
        return made(
            IssuedEndpoint,
            "endpoints",
            url=url,
            events=events,
            description=description,
            mode=mode,
            integration_id=integration_id,
            app_id=app_id,
            api_version=api_version,
            headers=headers,
            signature=signature,
            parallel=parallel,
            in_order=in_order,
            idempotency_key=idempotency_key,
        )

    @Operation
    def update(
        self,
        endpoint_id: str,
        *,
        url: Perhaps[str] = UNSET,
        events: Perhaps[Sequence[str]] = UNSET,
        description: Perhaps[str] = UNSET,
        api_version: Perhaps[str] = UNSET,
        headers: Perhaps[Mapping[str, str]] = UNSET,
        parallel: Perhaps[int] = UNSET,
        in_order: Perhaps[bool] = UNSET,
        enabled: Perhaps[bool] = UNSET,
    ) -> Request[Endpoint]:
        """Change fields of an endpoint, disable or enable it; what is not named stays as it is."""
        return changed(
            Endpoint,
            "endpoints",
            endpoint_id,
            url=url,
            events=events,
            description=description,
            api_version=api_version,
            headers=headers,
            parallel=parallel,
            in_order=in_order,
            enabled=enabled,
        )

    @Operation
    def delete(self, endpoint_id: str) -> Request[None]:
        """Delete an endpoint. When this returns, no attempt to deliver to it begins any more."""
        return deleted("endpoints", endpoint_id)

    @Operation
    def rotate(self, endpoint_id: str, *, overlap_seconds: int = 86_400, idempotency_key: str | None = None) -> Request[IssuedEndpoint]:
        """Give an endpoint a new secret. For the overlap, deliveries are signed with the one before, too."""
        return made(IssuedEndpoint, "endpoints", endpoint_id, "rotate", overlap_seconds=overlap_seconds, idempotency_key=idempotency_key)

    @Operation
    def test(self, endpoint_id: str, type: str) -> Request[Attempt]:
        """Send a sample of an event type to an endpoint, and return what was sent and answered."""
        return made(Attempt, "endpoints", endpoint_id, "test", type=type, idempotency_key=None)

    @Operation
    def replay(self, endpoint_id: str, since: Time) -> Request[Replay]:
        """Have sent again what an endpoint has missed since a moment."""
        return made(Replay, "endpoints", endpoint_id, "replay", since=since, idempotency_key=None)

    def deliveries(self, endpoint_id: str, **filters: Any) -> Listing[S, Delivery]:
        """List an endpoint's deliveries, by the filters of `client.deliveries.list`."""
        return Listing(self._sender, listed(Delivery, "endpoints", endpoint_id, "deliveries", **filters))


class Deliveries(Part[S]):
    """What was sent to endpoints, and what is to be."""

    def list(self, **filters: Any) -> Listing[S, Delivery]:
        """List deliveries: `endpoint_id`, `event_id`, `event_type`, `state`, `since`, `until`, `sort`, and where a page begins."""
        return Listing(self._sender, listed(Delivery, "deliveries", **filters))

    @Operation
    def get(self, delivery_id: str) -> Request[WholeDelivery]:
        """Get a delivery, with every attempt."""
        return got(WholeDelivery, "deliveries", delivery_id)

    @Operation
    def resend(self, delivery_id: str) -> Request[Delivery]:
        """Have a delivery sent again at once. Its `webhook-id` stays the same."""
        return made(Delivery, "deliveries", delivery_id, "resend", idempotency_key=None)


class EventTypes(Part[S]):
    """What can happen, and what endpoints are told of it."""

    def list(self, **filters: Any) -> Listing[S, EventKind]:
        """List the event types that the caller may be told of: `limit`, `cursor`, `starting_after`."""
        return Listing(self._sender, listed(EventKind, "event-types", **filters))

    @Operation
    def get(self, event_type: str) -> Request[EventKind]:
        """Get an event type, with the JSON Schema of its data and an example."""
        return got(EventKind, "event-types", event_type)
