"""Spaces over HTTP, and who is in them. What lies in them is the host's."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Query

from keyrack.api.dependencies import ADMIN, ANYBODY, PLAIN, Actor, Desk
from keyrack.api.examples import HOLDER, SPACE
from keyrack.api.fields import Body, Name, ObjectView, PathId, RoleChosen, Search, Time
from keyrack.api.lists import ListQuery, NamedQuery, Page, TheLists
from keyrack.manage import spaces
from keyrack.model.permissions import SpaceRole
from keyrack.model.principals import Principal
from keyrack.model.refusals import saying
from keyrack.model.spaces import Holder, Space

router = APIRouter(prefix="/spaces")


class SpaceNamed(Body):
    """A space's name."""

    EXAMPLE: ClassVar = {"name": "Launch"}

    name: Name


class SpaceQuery(NamedQuery):
    """The filters of the list of spaces. `search` is part of a name."""

    search: Search | None = None


class SpaceView(ObjectView):
    """A space. `role` is the caller's in it, null for an org-level Admin without one."""

    EXAMPLE: ClassVar = SPACE

    object: Literal["space"] = "space"
    name: str
    role: SpaceRole | None
    created_at: Time
    updated_at: Time


class HolderView(ObjectView):
    """Somebody who has a role in a space: a member or an integration. `id` is theirs."""

    EXAMPLE: ClassVar = HOLDER

    object: Literal["space_member"] = "space_member"
    kind: Literal["member", "integration"]
    name: str
    space_id: str
    role: SpaceRole


@router.get("", dependencies=[ANYBODY])
async def list_spaces(query: Annotated[SpaceQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[SpaceView]:
    """List the spaces that the caller can see, newest first unless `sort` says otherwise: its own; for an org-level Admin all."""
    after = await lists.after(query, partial(spaces.get, desk, actor))
    asked = query.filters() | {"order": query.order, "updated_after": query.updated_after}
    found = await spaces.page(desk, actor, limit=query.limit + 1, after=after, **asked)
    return lists.page(query, found, lambda one: _view(actor, one))


@router.post("", status_code=201, dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def create_space(body: SpaceNamed, actor: Actor, desk: Desk) -> SpaceView:
    """Create a space. The caller is its manager."""
    space = await spaces.create(desk, actor, body.name)
    return _view(actor, space, SpaceRole.MANAGER)


@router.get("/{space_id}", dependencies=[ANYBODY, PLAIN])
async def get_space(space_id: PathId, actor: Actor, desk: Desk) -> SpaceView:
    """Get a space that the caller can see."""
    return _view(actor, await spaces.get(desk, actor, space_id))


@router.patch("/{space_id}", dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def rename_space(space_id: PathId, body: SpaceNamed, actor: Actor, desk: Desk) -> SpaceView:
    """Rename a space."""
    return _view(actor, await spaces.rename(desk, actor, space_id, body.name))


@router.delete("/{space_id}", status_code=204, dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def delete_space(space_id: PathId, actor: Actor, desk: Desk) -> None:
    """Delete a space: nobody reaches what lies in it any more."""
    await spaces.delete(desk, actor, space_id)


@router.get("/{space_id}/members", dependencies=[ANYBODY])
async def list_space_members(
    space_id: PathId, query: Annotated[ListQuery, Query()], actor: Actor, desk: Desk, lists: TheLists
) -> Page[HolderView]:
    """List who has a role in a space that the caller can see: members and integrations, by their ids."""
    place = await lists.after(query, _itself, lambda holder_id: (0, holder_id))
    found = await spaces.holders(desk, actor, space_id, limit=query.limit + 1, after=place and place[1])
    return lists.page(query, found, _holder, lambda one: (0, one.id))


@router.put("/{space_id}/members/{holder_id}", dependencies=[ANYBODY, PLAIN], openapi_extra=saying())
async def set_space_role(space_id: PathId, holder_id: PathId, body: RoleChosen, actor: Actor, desk: Desk) -> HolderView:
    """Give a member or an integration a role in a space. The caller is its manager, or an org-level Admin."""
    return _holder(await spaces.set_role(desk, actor, space_id, holder_id, body.role))


@router.delete("/{space_id}/members/{holder_id}", status_code=204, dependencies=[ANYBODY, PLAIN], openapi_extra=saying())
async def remove_space_role(space_id: PathId, holder_id: PathId, actor: Actor, desk: Desk) -> None:
    """Take somebody's role in a space away. The caller is its manager, or an org-level Admin."""
    await spaces.remove_role(desk, actor, space_id, holder_id)


async def _itself(holder_id: str) -> str:
    # The list is in the order of ids: each is its own place, whether anybody has it or not.
    return holder_id


def _view(actor: Principal, space: Space, role: SpaceRole | None = None) -> SpaceView:
    held = role or actor.masks.spaces.get(space.id)
    return SpaceView(id=space.id, name=space.name, role=held, created_at=space.created_at, updated_at=space.updated_at)


def _holder(holder: Holder) -> HolderView:
    return HolderView(id=holder.id, kind=holder.kind, name=holder.name, space_id=holder.space_id, role=holder.role)
