"""Integrations over HTTP, with the spaces that each reaches."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import MISSING

from keyrack.api.dependencies import ADMIN, NEVER_STORED, PLAIN, Actor, Desk
from keyrack.api.examples import INTEGRATION, NEW_INTEGRATION
from keyrack.api.fields import (
    Body,
    Name,
    ObjectView,
    Partner,
    PathId,
    Permissions,
    RightsView,
    RoleChosen,
    Search,
    SpaceRoles,
    Time,
    View,
    rights_of,
)
from keyrack.api.keys import IssuedKeyView, view_issued
from keyrack.api.lists import NamedQuery, Page, TheLists
from keyrack.manage import integrations, keys, rights
from keyrack.model.integrations import Integration
from keyrack.model.permissions import OrgAccess, SpaceRole
from keyrack.model.principals import Mode
from keyrack.model.refusals import CONFLICT, NOT_FOUND, SHOWN_ONCE, saying

router = APIRouter(prefix="/integrations")


class NewIntegration(Body):
    """An integration to create. It gets the rights that are named here, and no other."""

    EXAMPLE: ClassVar = NEW_INTEGRATION

    name: Name
    partner: Partner | None = None
    org_access: OrgAccess | MISSING = MISSING
    permissions: Permissions | MISSING = MISSING
    spaces: SpaceRoles | MISSING = MISSING


class IntegrationChanges(Body):
    """The fields of an integration that change, each as a whole: permissions that are not named are none then."""

    EXAMPLE: ClassVar = {"permissions": {"customers": "read"}}

    name: Name | MISSING = MISSING
    partner: Partner | MISSING | None = MISSING
    org_access: OrgAccess | MISSING = MISSING
    permissions: Permissions | MISSING = MISSING
    spaces: SpaceRoles | MISSING = MISSING


class SpacesChosen(Body):
    """All spaces that an integration has a role in; it loses every other."""

    spaces: SpaceRoles


class RotationOfMode(Body):
    """Whose keys are ended: those of one mode."""

    mode: Mode = Mode.LIVE


class IntegrationQuery(NamedQuery):
    """The filters of the list of integrations. `search` is part of a name."""

    search: Search | None = None


class IntegrationView(RightsView):
    """An integration."""

    EXAMPLE: ClassVar = INTEGRATION

    object: Literal["integration"] = "integration"
    partner: str | None
    made_by: str
    made_by_name: str
    created_at: Time
    updated_at: Time


class ReachedView(ObjectView):
    """A space that an integration has a role in; `id` is the space's."""

    object: Literal["space_role"] = "space_role"
    space_id: str
    role: SpaceRole


class ReachedPage(View):
    """The spaces that an integration has a role in, all on one page."""

    object: Literal["list"] = "list"
    data: list[ReachedView]
    has_more: Literal[False] = False
    next_cursor: None = None
    next_url: None = None


@router.get("", dependencies=[ADMIN])
async def list_integrations(
    query: Annotated[IntegrationQuery, Query()], actor: Actor, desk: Desk, lists: TheLists
) -> Page[IntegrationView]:
    """List integrations, newest first unless `sort` says otherwise."""
    after = await lists.after(query, partial(integrations.get, desk, actor))
    asked = query.filters() | {"order": query.order, "updated_after": query.updated_after}
    return lists.page(query, await integrations.page(desk, actor, limit=query.limit + 1, after=after, **asked), view)


@router.post("", status_code=201, dependencies=[ADMIN, PLAIN], openapi_extra=saying(NOT_FOUND))
async def create_integration(body: NewIntegration, actor: Actor, desk: Desk) -> IntegrationView:
    """Create an integration. It has no key yet."""
    return view(await integrations.create(desk, actor, name=body.name, rights=rights_of(body.values()), partner=body.partner))


@router.get("/{integration_id}", dependencies=[ADMIN, PLAIN])
async def get_integration(integration_id: PathId, actor: Actor, desk: Desk) -> IntegrationView:
    """Get an integration."""
    return view(await integrations.get(desk, actor, integration_id))


@router.patch("/{integration_id}", dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def update_integration(integration_id: PathId, body: IntegrationChanges, actor: Actor, desk: Desk) -> IntegrationView:
    """Change an integration's name or rights."""
    return view(await integrations.edit(desk, actor, integration_id, **body.values()))


@router.delete("/{integration_id}", status_code=204, dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def delete_integration(integration_id: PathId, actor: Actor, desk: Desk) -> None:
    """Delete an integration: its keys and its webhook endpoints end with it."""
    await integrations.delete(desk, actor, integration_id)


@router.post(
    "/{integration_id}/rotate", status_code=201, dependencies=[ADMIN, PLAIN, NEVER_STORED], openapi_extra=saying(CONFLICT, SHOWN_ONCE)
)
async def rotate_integration(integration_id: PathId, actor: Actor, desk: Desk, body: RotationOfMode | None = None) -> IssuedKeyView:
    """End all keys of an integration in one mode at once. The one that takes their place is answered."""
    issued = await keys.rotate_all(desk, actor, integration_id, (body or RotationOfMode()).mode)
    return view_issued(issued, desk.now())


@router.get("/{integration_id}/spaces", dependencies=[ADMIN, PLAIN])
async def list_integration_spaces(integration_id: PathId, actor: Actor, desk: Desk) -> ReachedPage:
    """List the spaces that an integration has a role in, all at once."""
    return _spaces(await integrations.get(desk, actor, integration_id))


@router.put("/{integration_id}/spaces", dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def set_integration_spaces(integration_id: PathId, body: SpacesChosen, actor: Actor, desk: Desk) -> ReachedPage:
    """Say which spaces an integration has a role in: these and no others."""
    return _spaces(await integrations.edit(desk, actor, integration_id, **body.values()))


@router.put("/{integration_id}/spaces/{space_id}", dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def set_integration_space(integration_id: PathId, space_id: PathId, body: RoleChosen, actor: Actor, desk: Desk) -> ReachedView:
    """Give an integration a role in a space."""
    await integrations.set_space_role(desk, actor, integration_id, space_id, body.role)
    return ReachedView(id=space_id, space_id=space_id, role=body.role)


@router.delete("/{integration_id}/spaces/{space_id}", status_code=204, dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def remove_integration_space(integration_id: PathId, space_id: PathId, actor: Actor, desk: Desk) -> None:
    """Take an integration's role in a space away."""
    await integrations.set_space_role(desk, actor, integration_id, space_id, None)


def view(integration: Integration) -> IntegrationView:
    """Return an integration as it is on the wire."""
    same = ("id", "name", "partner", "made_by", "made_by_name", "created_at", "updated_at")
    return IntegrationView(**{name: getattr(integration, name) for name in same}, **rights.shown(integration.rights))


def _spaces(integration: Integration) -> ReachedPage:
    roles = sorted(integration.rights.spaces.items())
    return ReachedPage(data=[ReachedView(id=space_id, space_id=space_id, role=role) for space_id, role in roles])
