"""Members over HTTP. People come in by the console; here their rights are read and edited, and they are let go."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import MISSING, StrictBool

from keyrack.api.dependencies import ADMIN, PLAIN, Actor, Desk
from keyrack.api.examples import MEMBER
from keyrack.api.fields import Body, Partner, PathId, Permissions, RightsView, Search, SpaceRoles, Time, TimeGiven
from keyrack.api.lists import NamedQuery, Page, TheLists
from keyrack.manage import members, rights
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.permissions import OrgAccess
from keyrack.model.refusals import CONFLICT, saying

router = APIRouter(prefix="/members")


class MemberChanges(Body):
    """The fields of a member that change, each as a whole. A role is changed by a signed-in person only."""

    EXAMPLE: ClassVar = {"org_access": "reader"}

    role: Role | MISSING = MISSING
    status: MemberStatus | MISSING = MISSING
    may_use_api: StrictBool | MISSING = MISSING
    partner: Partner | MISSING | None = MISSING
    access_until: TimeGiven | MISSING | None = MISSING
    org_access: OrgAccess | MISSING = MISSING
    permissions: Permissions | MISSING = MISSING
    spaces: SpaceRoles | MISSING = MISSING


class MemberQuery(NamedQuery):
    """The filters of the list of members. `search` is part of a name or an email."""

    role: Role | None = None
    status: MemberStatus | None = None
    search: Search | None = None


class MemberView(RightsView):
    """A member."""

    EXAMPLE: ClassVar = MEMBER

    object: Literal["member"] = "member"
    person_id: str
    email: str
    role: Role
    status: MemberStatus
    may_use_api: bool
    partner: str | None
    access_until: Time | None
    created_at: Time
    updated_at: Time


@router.get("", dependencies=[ADMIN])
async def list_members(query: Annotated[MemberQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[MemberView]:
    """List members, newest first unless `sort` says otherwise."""
    after = await lists.after(query, partial(members.get, desk, actor))
    asked = query.filters() | {"order": query.order, "updated_after": query.updated_after}
    return lists.page(query, await members.page(desk, actor, limit=query.limit + 1, after=after, **asked), view)


@router.get("/{member_id}", dependencies=[ADMIN, PLAIN])
async def get_member(member_id: PathId, actor: Actor, desk: Desk) -> MemberView:
    """Get a member."""
    return view(await members.get(desk, actor, member_id))


@router.patch("/{member_id}", dependencies=[ADMIN, PLAIN], openapi_extra=saying(CONFLICT))
async def update_member(member_id: PathId, body: MemberChanges, actor: Actor, desk: Desk) -> MemberView:
    """Change what a member may do."""
    return view(await members.edit(desk, actor, member_id, **body.values()))


@router.delete("/{member_id}", status_code=204, dependencies=[ADMIN, PLAIN], openapi_extra=saying(CONFLICT))
async def remove_member(member_id: PathId, actor: Actor, desk: Desk) -> None:
    """Let a member go."""
    await members.remove(desk, actor, member_id)


def view(member: Member) -> MemberView:
    """Return a member as they are on the wire."""
    same = ("id", "person_id", "name", "email", "role", "status", "may_use_api", "partner", "access_until", "created_at", "updated_at")
    return MemberView(**{name: getattr(member, name) for name in same}, **rights.shown(member.rights))
