"""Endpoints: the addresses that a workspace's events are delivered to. Find, make, edit, rotate, disable, enable and delete them.

An org-level Admin manages all of a workspace. A key without that manages those of its own integration, and knows of no other.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from keyrack.crypto.format import Secret
from keyrack.manage import endpoint_checks as checks
from keyrack.manage import events as event_places
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.model.endpoints import (
    ENDPOINTS_MAX,
    ENDPOINTS_OF_INTEGRATION_MAX,
    OVERLAP_SECONDS,
    OVERLAP_SECONDS_MAX,
    SIGNING_KEYS_MAX,
    DisableReason,
    Endpoint,
    Signature,
    shown_url,
)
from keyrack.model.events import EventType
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.permissions import OrgAccess, Rights
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, NOT_FOUND, TOO_MANY_ENDPOINTS, Refused
from keyrack.store import apps as app_rows
from keyrack.store import endpoint_health
from keyrack.store import endpoints as rows
from keyrack.store import integrations as integration_rows
from keyrack.store.ids import new_id

ENDPOINT_CREATED = EventType("endpoint.created", description="An endpoint was made.")
ENDPOINT_UPDATED = EventType("endpoint.updated", description="An endpoint's address, events, headers or pace were changed.")
ENDPOINT_ROTATED = EventType("endpoint.rotated", description="An endpoint got a new signing secret.")
ENDPOINT_DISABLED = EventType(
    "endpoint.disabled", description="An endpoint gets nothing any more: somebody chose so, or it failed for days."
)
ENDPOINT_ENABLED = EventType("endpoint.enabled", description="An endpoint gets deliveries again.")
ENDPOINT_DELETED = EventType("endpoint.deleted", description="An endpoint was deleted for good.")


@dataclass(frozen=True, slots=True)
class Issued:
    """An endpoint with its new secret, which leaves here once. With ed25519 there is none to share: the public key is the endpoint's."""

    endpoint: Endpoint
    secret: Secret | None


def managed_by(actor: Principal) -> str | None:
    """Whose endpoints the actor manages: those of this integration, or None: all of the workspace.

    Raises Refused 403 for whoever is neither an org-level Admin nor an integration's key.
    """
    if actor.is_admin:
        return None
    if not manages_any(actor):
        raise INSUFFICIENT_PERMISSION(f"Endpoints are managed by org-level Admins and by keys of integrations; {actor.describe()}.")
    return actor.integration_id


def manages_any(actor: Principal) -> bool:
    """Whether the actor manages endpoints at all: an org-level Admin does, and an integration's key."""
    return actor.is_admin or (actor.kind is Kind.KEY and actor.integration_id is not None)


async def get(desk: Desk, actor: Principal, endpoint_id: str) -> Endpoint:
    """Return an endpoint. Raises Refused 404, also for another integration's; 403 as `managed_by` does."""
    integration_id = managed_by(actor)
    async with desk.store.reading() as c:
        return await rows.get(c, actor.workspace.id, endpoint_id, integration_id)


async def page(
    desk: Desk,
    actor: Principal,
    *,
    limit: int,
    after: Place | None = None,
    integration_id: str | None = None,
    app_id: str | None = None,
    mode: Mode | None = None,
    enabled: bool | None = None,
    search: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[Endpoint]:
    """Return endpoints in an order, from beyond a place in it. `search` is part of an address or a description.

    Raises Refused 403 as `managed_by` does.
    """
    own = managed_by(actor)
    if own is not None and integration_id not in (None, own):
        return []
    async with desk.store.reading() as c:
        return await rows.page(
            c,
            actor.workspace.id,
            limit=limit,
            after=after,
            integration_id=own or integration_id,
            app_id=app_id,
            mode=mode,
            enabled=enabled,
            search=search,
            order=order,
            updated_after=updated_after,
        )


async def create(
    desk: Desk,
    actor: Principal,
    *,
    url: str,
    events: Sequence[str],
    description: str = "",
    mode: Mode | None = None,
    integration_id: str | None = None,
    app_id: str | None = None,
    api_version: str | None = None,
    headers: Mapping[str, str] | None = None,
    signature: Signature = Signature.HMAC,
    parallel: int = 5,
    in_order: bool = False,
) -> Issued:
    """Make an endpoint, of the actor's mode and version unless they are named. A key's belongs to its integration; an org-level Admin's
    to the workspace, or to the integration that is named, whose rights say what it is told, or to the app that is named.

    Raises Refused: 400 for an address, a header, an event type, a mode or a version that cannot be; 403 for events that it may not be told
    of, and for a live endpoint made with a test key; 404 for an unknown integration or app; 409 `too_many_endpoints`.
    """
    owner_id = _owner(actor, integration_id, app_id)
    checks.check_mode(desk, actor, mode or actor.mode)
    checks.check_url(desk, url)
    endpoint_id = new_id()
    key, secret = checks.mint(desk, endpoint_id, signature)
    async with change(desk, actor) as c:
        told = await _rights(c, actor, owner_id)
        await _require_app(c, app_id)
        await _refuse_more(c, owner_id)
        endpoint = Endpoint(
            id=endpoint_id,
            workspace_id=actor.workspace.id,
            integration_id=owner_id,
            app_id=app_id,
            url=url,
            description=description,
            events=checks.checked_events(desk, told, events, of_app=app_id is not None),
            mode=mode or actor.mode,
            api_version=checks.version(desk, actor, api_version, c.now),
            signature=signature,
            keys=(key,),
            parallel=parallel,
            in_order=in_order,
            made_by=actor.owner_id,
            made_by_name=actor.credential_name,
            created_at=c.now,
            updated_at=c.now,
            **checks.sealed_headers(desk, endpoint_id, headers or {}),
        )
        await rows.add(c.connection, endpoint)
        c.record(ENDPOINT_CREATED, endpoint.id, shown(endpoint))
    with suppress(Refused):
        # Its place is what later events are compared with: given before anybody can cause one, whatever their clocks say.
        await event_places.number(desk)
    return Issued(endpoint, secret)


async def edit(desk: Desk, actor: Principal, endpoint_id: str, **fields: Any) -> Endpoint:
    """Change an endpoint's `url`, `description`, `events`, `headers` (all of them), `api_version`, `parallel`, `in_order` or `enabled`, and
    nothing else; what is not named stays. When this returns, no attempt begins that goes by the old state. One that is enabled again fares
    as if it had never failed.

    Raises Refused: 404; 403 and 400 as `create` does.
    """
    if "url" in fields:
        checks.check_url(desk, fields["url"])
    if fields.get("enabled"):
        await _forget_failures(desk, actor, endpoint_id)
    async with change(desk, actor) as c:
        endpoint = await _to_change(c, actor, endpoint_id)
        edited = await _edited(desk, c, actor, endpoint, fields)
        if edited == endpoint:
            c.found_done()
            return endpoint
        return await _save(c, endpoint, edited)


async def disable(desk: Desk, actor: Principal, endpoint_id: str, reason: DisableReason = DisableReason.CHOSEN) -> Endpoint:
    """Have an endpoint get nothing any more. One that is disabled keeps its reason. Raises Refused 403, 404."""
    async with change(desk, actor) as c:
        endpoint = await _to_change(c, actor, endpoint_id)
        if endpoint.disabled_at is not None:
            c.found_done()
            return endpoint
        return await _save(c, endpoint, replace(endpoint, disabled_at=c.now, disable_reason=reason))


async def enable(desk: Desk, actor: Principal, endpoint_id: str) -> Endpoint:
    """Have an endpoint get deliveries again. Raises Refused 403, 404."""
    return await edit(desk, actor, endpoint_id, enabled=True)


async def rotate(desk: Desk, actor: Principal, endpoint_id: str, overlap_seconds: int = OVERLAP_SECONDS) -> Issued:
    """Give an endpoint a new signing secret. For the overlap, deliveries are signed with the ones before it, too.

    Raises Refused: 403, 404; 400 for an overlap outside 0 to 604,800 seconds; 409 where it signs with too many secrets already.
    """
    if not 0 <= overlap_seconds <= OVERLAP_SECONDS_MAX:
        raise INVALID_REQUEST(f"overlap_seconds is 0 to {OVERLAP_SECONDS_MAX} (7 days).", param="overlap_seconds")
    async with change(desk, actor) as c:
        endpoint = await _to_change(c, actor, endpoint_id)
        key, secret = checks.mint(desk, endpoint.id, endpoint.signature)
        rotated = endpoint.rotated(key, c.now, overlap_seconds)
        if len(rotated.keys) > SIGNING_KEYS_MAX:
            raise CONFLICT(f"{SIGNING_KEYS_MAX} secrets sign here already: rotate with overlap_seconds 0, or wait for one to end.")
        await rows.save(c.connection, rotated)
        c.touch(endpoint.id)
        c.record(ENDPOINT_ROTATED, endpoint.id, shown(rotated) | {"overlap_seconds": overlap_seconds})
    return Issued(rotated, secret)


async def delete(desk: Desk, actor: Principal, endpoint_id: str) -> None:
    """Delete an endpoint: when this returns, no attempt to deliver to it begins any more. Raises Refused 403, 404."""
    async with change(desk, actor) as c:
        endpoint = await _to_change(c, actor, endpoint_id)
        deleted = replace(endpoint, deleted_at=c.now, deleted_by=actor.credential_name, updated_at=c.now)
        await rows.save(c.connection, deleted)
        c.touch(endpoint.id)
        c.record(ENDPOINT_DELETED, endpoint.id, shown(endpoint))


def shown(endpoint: Endpoint) -> dict[str, Any]:
    """What events tell of an endpoint: no secret, no value of a header, and of its address nothing behind the question mark."""
    same = ("id", "description", "integration_id", "app_id", "api_version", "parallel", "in_order")
    return {
        **{name: getattr(endpoint, name) for name in same},
        "url": shown_url(endpoint.url),
        "events": list(endpoint.events),
        "mode": endpoint.mode.value,
        "signature": endpoint.signature.value,
        "header_names": list(endpoint.header_names),
        "enabled": endpoint.disabled_at is None,
        "disable_reason": endpoint.disable_reason.value if endpoint.disable_reason else None,
    }


def refuse_live(actor: Principal, endpoint: Endpoint) -> None:
    """Raise Refused 403 where a test key would have a live endpoint do anything."""
    if actor.mode is Mode.TEST and endpoint.mode is Mode.LIVE:
        raise INSUFFICIENT_PERMISSION(checks.TEST_ONLY)


async def _forget_failures(desk: Desk, actor: Principal, endpoint_id: str) -> None:
    """Let a disabled endpoint begin anew: before it is enabled, so that what fails from then on counts."""
    endpoint = await get(desk, actor, endpoint_id)
    refuse_live(actor, endpoint)
    if endpoint.disabled_at is not None:
        async with desk.store.writing_traffic() as c:
            await endpoint_health.forget_failures(c, actor.workspace.id, endpoint_id)


async def _to_change(c: Change, actor: Principal, endpoint_id: str) -> Endpoint:
    endpoint = await rows.get(c.connection, actor.workspace.id, endpoint_id, managed_by(actor))
    refuse_live(actor, endpoint)
    return endpoint


async def _save(c: Change, endpoint: Endpoint, edited: Endpoint) -> Endpoint:
    edited = replace(edited, updated_at=c.now)
    await rows.save(c.connection, edited)
    c.touch(edited.id)
    if replace(edited, **{name: getattr(endpoint, name) for name in ("disabled_at", "disable_reason", "updated_at")}) != endpoint:
        c.record(ENDPOINT_UPDATED, edited.id, shown(edited))
    if (edited.disabled_at is None) != (endpoint.disabled_at is None):
        c.record(ENDPOINT_ENABLED if edited.disabled_at is None else ENDPOINT_DISABLED, edited.id, shown(edited))
    return edited


async def _edited(desk: Desk, c: Change, actor: Principal, endpoint: Endpoint, fields: Mapping[str, Any]) -> Endpoint:
    fields = dict(fields)
    enabled = fields.pop("enabled", None)
    if "events" in fields:
        told = await _rights(c, actor, endpoint.integration_id)
        fields["events"] = checks.checked_events(desk, told, fields["events"], of_app=endpoint.app_id is not None)
    if "headers" in fields:
        fields |= checks.sealed_headers(desk, endpoint.id, fields.pop("headers"))
    if "api_version" in fields:
        fields["api_version"] = checks.version(desk, actor, fields["api_version"], c.now)
    if enabled is True:
        fields |= {"disabled_at": None, "disable_reason": None}
    elif enabled is False and endpoint.disabled_at is None:
        fields |= {"disabled_at": c.now, "disable_reason": DisableReason.CHOSEN}
    return replace(endpoint, **fields)


async def _rights(c: Change, actor: Principal, integration_id: str | None) -> Rights:
    """What an endpoint may be told of: what its integration may read, or what an org-level Admin may.

    Asked inside the change, also by the integration's own key: an integration that has just been deleted gets no endpoint.
    """
    if integration_id is None:
        return Rights(OrgAccess.ADMIN)
    try:
        return (await integration_rows.get(c.connection, actor.workspace.id, integration_id)).rights
    except Refused as refused:
        raise NOT_FOUND(refused.detail, param="integration_id") from None


def _owner(actor: Principal, integration_id: str | None, app_id: str | None) -> str | None:
    """The integration that a new endpoint belongs to, None for none. Raises Refused 403, 404, 400."""
    own = managed_by(actor)
    if own is not None and integration_id not in (None, own):
        raise NOT_FOUND("There is no such integration.", param="integration_id")
    if app_id is not None and (own or integration_id) is not None:
        raise INVALID_REQUEST("An endpoint belongs to an integration or to an app, and an integration's key makes none of an app.")
    return own or integration_id


async def _require_app(c: Change, app_id: str | None) -> None:
    try:
        if app_id is not None:
            await app_rows.get(c.connection, c.workspace_id, app_id)
    except Refused as refused:
        raise NOT_FOUND(refused.detail, param="app_id") from None


async def _refuse_more(c: Change, integration_id: str | None) -> None:
    if await rows.count(c.connection, c.workspace_id) >= ENDPOINTS_MAX:
        raise TOO_MANY_ENDPOINTS(f"A workspace has {ENDPOINTS_MAX} endpoints at most: delete one that is not needed.")
    if integration_id is not None and await rows.count(c.connection, c.workspace_id, integration_id) >= ENDPOINTS_OF_INTEGRATION_MAX:
        raise TOO_MANY_ENDPOINTS(f"An integration has {ENDPOINTS_OF_INTEGRATION_MAX} endpoints at most: delete one that is not needed.")
