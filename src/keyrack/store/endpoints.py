"""Endpoints as rows. Those of deleted ones stay: what was delivered to them is listed under their address."""

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, or_, select, update

from keyrack.model.endpoints import DisableReason, Endpoint, Signature, SigningKey
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Mode
from keyrack.model.refusals import NOT_FOUND
from keyrack.store.database import Connection
from keyrack.store.endpoint_tables import endpoints
from keyrack.store.paging import keyset


async def get(c: Connection, workspace_id: str, endpoint_id: str, integration_id: str | None = None) -> Endpoint:
    """Return an endpoint that was not deleted; with an integration one of its own. Raises Refused `not_found`."""
    row = await c.first(_of(workspace_id, integration_id).where(endpoints.c.id == endpoint_id))
    if row is None:
        raise NOT_FOUND("There is no such endpoint.")
    return read(row)


async def page(
    c: Connection,
    workspace_id: str,
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
    """Return endpoints in an order, from beyond a place in it. `search` is part of an address or a description."""
    found = _of(workspace_id, integration_id)
    if app_id is not None:
        found = found.where(endpoints.c.app_id == app_id)
    if mode is not None:
        found = found.where(endpoints.c.mode == mode.value)
    if enabled is not None:
        found = found.where(endpoints.c.disabled_at.is_(None) if enabled else endpoints.c.disabled_at.is_not(None))
    if search:
        found = found.where(or_(*(column.icontains(search, autoescape=True) for column in (endpoints.c.url, endpoints.c.description))))
    paged = keyset(found, endpoints.c, limit=limit, order=order, after=after, updated_after=updated_after)
    return [read(row) for row in await c.all(paged)]


async def of_workspace(c: Connection, workspace_id: str) -> list[Endpoint]:
    """Return all endpoints of a workspace, disabled ones too: there are a few hundred at most."""
    return [read(row) for row in await c.all(_of(workspace_id).order_by(endpoints.c.created_at, endpoints.c.id))]


async def named(c: Connection, workspace_id: str, endpoint_ids: Collection[str]) -> dict[str, Endpoint]:
    """Return these endpoints by their ids, also deleted ones: deliveries speak of those too."""
    found = select(endpoints).where(endpoints.c.workspace_id == workspace_id, endpoints.c.id.in_(endpoint_ids))
    return {endpoint.id: endpoint for endpoint in map(read, await c.all(found))}


async def count(c: Connection, workspace_id: str, integration_id: str | None = None) -> int:
    """Return how many endpoints a workspace has; with an integration how many of them are its own."""
    row = await c.first(select(func.count().label("endpoints")).select_from(_of(workspace_id, integration_id).subquery()))
    return int(row.endpoints) if row else 0


async def delete_of_integration(c: Connection, workspace_id: str, integration_id: str, *, at: int, by: str) -> list[str]:
    """Delete every endpoint of an integration, with what they were signed with, and return their ids."""
    return await _delete(c, and_(*_own(workspace_id, integration_id)), at, by)


async def delete_of_app(c: Connection, workspace_id: str, app_id: str, *, at: int, by: str) -> list[str]:
    """Delete every endpoint of an app, with what they were signed with, and return their ids."""
    return await _delete(c, and_(*_own(workspace_id, None), endpoints.c.app_id == app_id), at, by)


async def add(c: Connection, endpoint: Endpoint) -> None:
    """Add an endpoint."""
    await c.execute(insert(endpoints).values(id=endpoint.id, workspace_id=endpoint.workspace_id, **_columns(endpoint)))


async def save(c: Connection, endpoint: Endpoint) -> None:
    """Write an endpoint's new state; one that is deleted loses what it signed with, and its headers. Raises Refused `not_found`."""
    own = and_(endpoints.c.workspace_id == endpoint.workspace_id, endpoints.c.id == endpoint.id)
    destroyed: Mapping[str, Any] = {} if endpoint.deleted_at is None else _WITHOUT_SECRETS
    if not await c.execute(update(endpoints).where(own).values(**{**_columns(endpoint), **destroyed})):
        raise NOT_FOUND("There is no such endpoint.")


def read(row: Row[Any]) -> Endpoint:
    """Return the endpoint in a row that holds all columns of its table."""
    of = row._mapping
    reason, sealed = of[endpoints.c.disable_reason], of[endpoints.c.sealed_headers]
    same = (
        "id",
        "workspace_id",
        "integration_id",
        "app_id",
        "url",
        "description",
        "api_version",
        "parallel",
        "in_order",
        "made_by",
        "made_by_name",
        "created_at",
        "updated_at",
        "disabled_at",
        "deleted_at",
        "deleted_by",
    )
    return Endpoint(
        **{name: of[endpoints.c[name]] for name in same},
        events=tuple(of[endpoints.c.events]),
        mode=Mode(of[endpoints.c.mode]),
        signature=Signature(of[endpoints.c.signature]),
        keys=tuple(SigningKey(b64decode(key["sealed"]), key["until"], key["public"]) for key in of[endpoints.c["keys"]]),
        header_names=tuple(of[endpoints.c.header_names]),
        sealed_headers=None if sealed is None else bytes(sealed),
        disable_reason=DisableReason(reason) if reason else None,
    )


_WITHOUT_SECRETS: Mapping[str, Any] = {"keys": [], "sealed_headers": None}


async def _delete(c: Connection, own: ColumnElement[bool], at: int, by: str) -> list[str]:
    ids = [row.id for row in await c.all(select(endpoints.c.id).where(own))]
    if ids:
        await c.execute(update(endpoints).where(own).values(deleted_at=at, deleted_by=by, updated_at=at, **_WITHOUT_SECRETS))
    return ids


def _own(workspace_id: str, integration_id: str | None) -> list[Any]:
    own = [endpoints.c.workspace_id == workspace_id, endpoints.c.deleted_at.is_(None)]
    return own if integration_id is None else [*own, endpoints.c.integration_id == integration_id]


def _of(workspace_id: str, integration_id: str | None = None) -> Select[Any]:
    return select(endpoints).where(*_own(workspace_id, integration_id))


def _columns(endpoint: Endpoint) -> dict[str, Any]:
    keys = [{"sealed": b64encode(key.sealed).decode(), "until": key.until, "public": key.public} for key in endpoint.keys]
    return {
        "integration_id": endpoint.integration_id,
        "app_id": endpoint.app_id,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": list(endpoint.events),
        "mode": endpoint.mode.value,
        "api_version": endpoint.api_version,
        "signature": endpoint.signature.value,
        "keys": keys,
        "header_names": list(endpoint.header_names),
        "sealed_headers": endpoint.sealed_headers,
        "parallel": endpoint.parallel,
        "in_order": endpoint.in_order,
        "made_by": endpoint.made_by,
        "made_by_name": endpoint.made_by_name,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
        "disabled_at": endpoint.disabled_at,
        "disable_reason": endpoint.disable_reason.value if endpoint.disable_reason else None,
        "deleted_at": endpoint.deleted_at,
        "deleted_by": endpoint.deleted_by,
    }
