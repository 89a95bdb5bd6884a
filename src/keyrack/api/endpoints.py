"""Webhook endpoints over HTTP. Secrets are in the answers that create and rotate them, and nowhere else."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import MISSING, AfterValidator, Field, StrictBool, StrictInt, StringConstraints, WithJsonSchema

from keyrack.api.dependencies import ANYBODY, NEVER_STORED, PLAIN, Actor, Desk
from keyrack.api.endpoint_examples import ENDPOINT, ISSUED_ENDPOINT, NEW_ENDPOINT
from keyrack.api.fields import WHOLE, Body, Id, ObjectView, PathId, Search, Time, View
from keyrack.api.keys import ApiVersion
from keyrack.api.lists import Page, SortedQuery, TheLists
from keyrack.manage import deliveries, endpoints
from keyrack.manage.endpoints import Issued
from keyrack.model.addresses import URL_LENGTH_MAX
from keyrack.model.endpoints import (
    EVENTS_MAX,
    HEADERS_MAX,
    OVERLAP_SECONDS,
    OVERLAP_SECONDS_MAX,
    PARALLEL_MAX,
    DisableReason,
    Endpoint,
    Health,
    Signature,
)
from keyrack.model.outgoing_calls import HEADER_NAME_LENGTH_MAX, HEADER_VALUE_LENGTH_MAX
from keyrack.model.principals import Mode
from keyrack.model.refusals import CONFLICT, NOT_FOUND, SHOWN_ONCE, TOO_MANY_ENDPOINTS, saying

router = APIRouter(prefix="/endpoints")
_FILTER = r"^(\*|[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*(\.\*)?)$"


def _event_filter(value: str) -> str:
    if not re.fullmatch(_FILTER, value, re.ASCII):
        raise ValueError("write an event type like customer.created, customer.* for all of a kind, or * for all")
    return value


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("write it on one line, without control characters")
    return value.strip()


EventFilter = Annotated[
    str,
    StringConstraints(max_length=200),
    AfterValidator(_event_filter),
    WithJsonSchema({"type": "string", "maxLength": 200, "pattern": _FILTER}),
]
Events = Annotated[
    list[EventFilter],
    Field(
        min_length=1,
        max_length=EVENTS_MAX,
        description="What it is told of: `customer.created`, `customer.*`, `*`.",
    ),
]
Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=URL_LENGTH_MAX),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "minLength": 1,
            "maxLength": URL_LENGTH_MAX,
            "description": "Where deliveries go: a public https address. It is looked up anew for each attempt.",
        }
    ),
]
Description = Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_line), Field(description="What it is for, for people.")]
Headers = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=HEADER_NAME_LENGTH_MAX)],
        Annotated[str, StringConstraints(max_length=HEADER_VALUE_LENGTH_MAX)],
    ],
    Field(max_length=HEADERS_MAX, description="Headers that go with each delivery. Their values are never shown again."),
]
Parallel = Annotated[StrictInt, Field(ge=1, le=PARALLEL_MAX, description="How many deliveries to it run at once, at most."), WHOLE]
InOrder = Annotated[StrictBool, Field(description="Whether an event waits until the one before it was taken, or given up.")]
PinnedVersion = Annotated[ApiVersion, Field(description="The version of the API in whose shapes it gets data.")]


class NewEndpoint(Body):
    """An endpoint to create. A key's is its integration's; an org-level Admin's is the workspace's, or that of the integration named."""

    EXAMPLE: ClassVar = NEW_ENDPOINT

    url: Url
    events: Events
    description: Description = ""
    mode: Annotated[Mode, Field(description="Whether it gets live or test events; the caller's own mode unless named.")] | MISSING = MISSING
    integration_id: Annotated[Id | None, Field(description="Whose rights say what it is told, and with whom it ends.")] = None
    app_id: Annotated[Id | None, Field(description="The app that it hears of, and nothing else: `app.uninstalled`.")] = None
    api_version: PinnedVersion | MISSING = MISSING
    headers: Headers = Field(default_factory=dict)
    signature: Annotated[Signature, Field(description="`v1`: HMAC-SHA256 with a shared secret; `v1a`: ed25519.")] = Signature.HMAC
    parallel: Parallel = 5
    in_order: InOrder = False


class EndpointChanges(Body):
    """The fields of an endpoint that change, each as a whole."""

    EXAMPLE: ClassVar = {"events": ["*"], "enabled": True}

    url: Url | MISSING = MISSING
    events: Events | MISSING = MISSING
    description: Description | MISSING = MISSING
    api_version: PinnedVersion | MISSING = MISSING
    headers: Headers | MISSING = MISSING
    parallel: Parallel | MISSING = MISSING
    in_order: InOrder | MISSING = MISSING
    enabled: Annotated[StrictBool, Field(description="False: it gets nothing any more, until it is enabled again.")] | MISSING = MISSING


class SecretRotation(Body):
    """How a secret is rotated: for the overlap, in seconds, deliveries are signed with the old one and the new one."""

    EXAMPLE: ClassVar = {"overlap_seconds": OVERLAP_SECONDS}

    overlap_seconds: Annotated[
        StrictInt,
        Field(ge=0, le=OVERLAP_SECONDS_MAX, description="How long both secrets sign, in seconds; 0 ends the old one at once."),
        WHOLE,
    ] = OVERLAP_SECONDS


class EndpointQuery(SortedQuery):
    """The filters of the list of endpoints. `search` is part of the address or the description."""

    integration_id: Id | None = None
    app_id: Id | None = None
    mode: Mode | None = None
    enabled: Annotated[bool | None, Field(description="True for those that get deliveries, false for the disabled ones.")] = None
    search: Search | None = None


class SigningKeyView(View):
    """What deliveries are signed with. Of a rotation's overlap there are several, the newest first."""

    public_key: Annotated[str | None, Field(description="What proves an ed25519 signature; null for HMAC.")]
    ends_at: Annotated[Time | None, Field(description="Until when it signs; null: until it is rotated.")]


class EndpointHealthView(View):
    """How an endpoint fares."""

    failing_since: Annotated[Time | None, Field(description="Since when every attempt fails; null: the last one succeeded.")]
    failures_in_row: Annotated[int, Field(description="How many attempts have failed in a row.")]
    succeeded_at: Annotated[Time | None, Field(description="When one last succeeded; null: never.")]
    failed_at: Annotated[Time | None, Field(description="When one last failed; null: never.")]


class EndpointView(ObjectView):
    """A webhook endpoint."""

    EXAMPLE: ClassVar = ENDPOINT

    object: Literal["endpoint"] = "endpoint"
    url: Annotated[str, Field(description="Where deliveries go.")]
    description: Annotated[str, Field(description="What it is for, for people.")]
    events: Annotated[tuple[str, ...], Field(description="The event types that it wants.")]
    mode: Annotated[Mode, Field(description="Whether it gets live or test events.")]
    state: Literal["active", "disabled"]
    enabled: Annotated[bool, Field(description="Whether it gets deliveries.")]
    disabled_at: Annotated[Time | None, Field(description="When it was disabled.")]
    disable_reason: Annotated[
        DisableReason | None, Field(description="Why it was disabled: `chosen`, `gone` (it answered 410), `failing` (for five days).")
    ]
    integration_id: Annotated[str | None, Field(description="The integration that it belongs to; null: it is the workspace's own.")]
    app_id: Annotated[str | None, Field(description="The app that it belongs to, and hears of alone; null: none.")]
    api_version: Annotated[str, Field(description="The version of the API in whose shapes it gets data.")]
    header_names: Annotated[tuple[str, ...], Field(description="The headers of yours that go with each delivery.")]
    parallel: Annotated[int, Field(description="How many deliveries to it run at once, at most.")]
    in_order: Annotated[bool, Field(description="Whether an event waits until the one before it was taken, or given up.")]
    signature: Annotated[Signature, Field(description="`v1`: HMAC-SHA256 with a shared secret; `v1a`: ed25519.")]
    signing_keys: Annotated[list[SigningKeyView], Field(description="What deliveries are signed with at this moment, the newest first.")]
    health: Annotated[EndpointHealthView, Field(description="How it fares.")]
    made_by: str
    made_by_name: str
    created_at: Time
    updated_at: Time


class IssuedEndpointView(EndpointView):
    """An endpoint with its new secret: shown here, this once. With ed25519 there is none; `signing_keys` has the public key."""

    EXAMPLE: ClassVar = ISSUED_ENDPOINT

    secret: str | None


@router.get("", dependencies=[ANYBODY])
async def list_endpoints(query: Annotated[EndpointQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[EndpointView]:
    """List webhook endpoints, newest first unless `sort` says otherwise: those of the caller's integration; for an org-level Admin all."""
    after = await lists.after(query, partial(endpoints.get, desk, actor))
    asked = query.filters() | {"order": query.order, "updated_after": query.updated_after}
    found = await endpoints.page(desk, actor, limit=query.limit + 1, after=after, **asked)
    health, now = await deliveries.health(desk, actor, [one.id for one in found]), desk.now()
    return lists.page(query, found, lambda one: view(one, health, now))


@router.post(
    "", status_code=201, dependencies=[ANYBODY, PLAIN, NEVER_STORED], openapi_extra=saying(NOT_FOUND, TOO_MANY_ENDPOINTS, SHOWN_ONCE)
)
async def create_endpoint(body: NewEndpoint, actor: Actor, desk: Desk) -> IssuedEndpointView:
    """Create a webhook endpoint. Reading what its events tell of is enough to make one.

    `secret` is shown in this answer alone.
    """
    return _issued(await endpoints.create(desk, actor, **body.values()), {}, desk.now())


@router.get("/{endpoint_id}", dependencies=[ANYBODY, PLAIN])
async def get_endpoint(endpoint_id: PathId, actor: Actor, desk: Desk) -> EndpointView:
    """Get a webhook endpoint."""
    return await _shown(desk, actor, await endpoints.get(desk, actor, endpoint_id))


@router.patch("/{endpoint_id}", dependencies=[ANYBODY, PLAIN], openapi_extra=saying())
async def update_endpoint(endpoint_id: PathId, body: EndpointChanges, actor: Actor, desk: Desk) -> EndpointView:
    """Change fields of a webhook endpoint. With `enabled` it is disabled, or enabled again.

    When this is answered, no attempt begins any more that goes by what was before.
    """
    return await _shown(desk, actor, await endpoints.edit(desk, actor, endpoint_id, **body.values()))


@router.delete("/{endpoint_id}", status_code=204, dependencies=[ANYBODY, PLAIN], openapi_extra=saying())
async def delete_endpoint(endpoint_id: PathId, actor: Actor, desk: Desk) -> None:
    """Delete a webhook endpoint: no attempt to deliver to it begins after this is answered."""
    await endpoints.delete(desk, actor, endpoint_id)


@router.post(
    "/{endpoint_id}/rotate", status_code=201, dependencies=[ANYBODY, PLAIN, NEVER_STORED], openapi_extra=saying(CONFLICT, SHOWN_ONCE)
)
async def rotate_endpoint(endpoint_id: PathId, actor: Actor, desk: Desk, body: SecretRotation | None = None) -> IssuedEndpointView:
    """Rotate an endpoint's signing secret. For the overlap, deliveries are signed with both, so that none is lost.

    `secret` is shown in this answer alone.
    """
    issued = await endpoints.rotate(desk, actor, endpoint_id, (body or SecretRotation()).overlap_seconds)
    return _issued(issued, await deliveries.health(desk, actor, [issued.endpoint.id]), desk.now())


async def _shown(desk: Desk, actor: Actor, endpoint: Endpoint) -> EndpointView:
    return view(endpoint, await deliveries.health(desk, actor, [endpoint.id]), desk.now())


def view(endpoint: Endpoint, health: Mapping[str, Health], now: int) -> EndpointView:
    """Return an endpoint as it is on the wire."""
    return EndpointView(**_fields(endpoint, health, now))


def _issued(issued: Issued, health: Mapping[str, Health], now: int) -> IssuedEndpointView:
    secret = issued.secret.text if issued.secret is not None else None
    return IssuedEndpointView(**_fields(issued.endpoint, health, now), secret=secret)


def _fields(endpoint: Endpoint, health: Mapping[str, Health], now: int) -> dict[str, object]:
    own = ("object", "enabled", "signing_keys", "health", "secret")
    fares = health.get(endpoint.id) or Health(endpoint.id)
    return {
        **{name: getattr(endpoint, name) for name in EndpointView.model_fields if name not in own},
        "enabled": endpoint.disabled_at is None,
        "signing_keys": [SigningKeyView(public_key=key.public, ends_at=key.until) for key in endpoint.signing(now)],
        "health": EndpointHealthView(**{name: getattr(fares, name) for name in EndpointHealthView.model_fields}),
    }
