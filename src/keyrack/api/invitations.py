"""Invitations over HTTP: made, listed, sent again and revoked. They are accepted in the console, by whoever they are for."""

from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Query, Request
from pydantic import MISSING, StrictBool, StringConstraints

from keyrack.api.dependencies import ADMIN, NEVER_STORED, PLAIN, Actor, Desk, TheAssembly
from keyrack.api.examples import INVITATION, INVITED, NEW_INVITATION
from keyrack.api.fields import Body, ObjectView, PathId, Permissions, SpaceRoles, SpaceRoleView, Time
from keyrack.api.lists import ListQuery, Page, TheLists
from keyrack.assemble import Assembly
from keyrack.manage import invitations, mail
from keyrack.manage.invitations import Invited
from keyrack.model.invitations import Invitation
from keyrack.model.members import Role
from keyrack.model.permissions import OrgAccess
from keyrack.model.refusals import CONFLICT, NOT_FOUND, SHOWN_ONCE, saying

router = APIRouter(prefix="/invitations")


class NewInvitation(Body):
    """Somebody to invite, with what they will have: a role, and in place of that role's own rights those that are named here."""

    EXAMPLE: ClassVar = NEW_INVITATION

    email: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    role: Role = Role.MEMBER
    org_access: OrgAccess | MISSING = MISSING
    permissions: Permissions | MISSING = MISSING
    spaces: SpaceRoles | MISSING = MISSING
    may_use_api: StrictBool = False


class InvitationQuery(ListQuery):
    """The filters of the list of invitations: those that wait with `open`, all without it."""

    open: bool | None = None
    sort: Literal["created_at", "-created_at"] = "-created_at"


class InvitationView(ObjectView):
    """An invitation."""

    EXAMPLE: ClassVar = INVITATION

    object: Literal["invitation"] = "invitation"
    email: str
    role: Role
    org_access: OrgAccess
    permissions: dict[str, Literal["read", "write"]]
    spaces: list[SpaceRoleView]
    may_use_api: bool
    state: Literal["open", "accepted", "revoked", "expired"]
    made_by: str
    made_by_name: str
    created_at: Time
    expires_at: Time


class InvitedView(InvitationView):
    """An invitation with its link, to be handed on, shown here this once; null where it went by mail."""

    EXAMPLE: ClassVar = INVITED

    url: str | None


@router.get("", dependencies=[ADMIN])
async def list_invitations(query: Annotated[InvitationQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[InvitationView]:
    """List invitations, newest first unless `sort` says otherwise."""
    after = await lists.after(query, partial(invitations.get, desk, actor))
    found = await invitations.page(desk, actor, limit=query.limit + 1, after=after, is_open=query.open, order=query.order)
    now = desk.now()
    return lists.page(query, found, lambda one: InvitationView(**_shown(one, now)))


@router.post("", status_code=201, dependencies=[ADMIN, PLAIN, NEVER_STORED], openapi_extra=saying(NOT_FOUND, CONFLICT, SHOWN_ONCE))
async def create_invitation(body: NewInvitation, request: Request, actor: Actor, desk: Desk, assembly: TheAssembly) -> InvitedView:
    """Invite somebody."""
    return _invited(await invitations.create(desk, actor, **body.values()), request, assembly)


@router.get("/{invitation_id}", dependencies=[ADMIN, PLAIN])
async def get_invitation(invitation_id: PathId, actor: Actor, desk: Desk) -> InvitationView:
    """Get an invitation."""
    return InvitationView(**_shown(await invitations.get(desk, actor, invitation_id), desk.now()))


@router.post(
    "/{invitation_id}/renew", status_code=201, dependencies=[ADMIN, PLAIN, NEVER_STORED], openapi_extra=saying(CONFLICT, SHOWN_ONCE)
)
async def renew_invitation(invitation_id: PathId, request: Request, actor: Actor, desk: Desk, assembly: TheAssembly) -> InvitedView:
    """Give an invitation a new link."""
    return _invited(await invitations.renew(desk, actor, invitation_id), request, assembly)


@router.delete("/{invitation_id}", status_code=204, dependencies=[ADMIN, PLAIN], openapi_extra=saying(CONFLICT))
async def revoke_invitation(invitation_id: PathId, actor: Actor, desk: Desk) -> None:
    """Take an invitation back."""
    await invitations.revoke(desk, actor, invitation_id)


def _invited(made: Invited, request: Request, assembly: Assembly) -> InvitedView:
    base_url = assembly.problems.base_url(request.scope)
    url = None if made.secret is None else mail.link_url(base_url, mail.INVITATION_PATH, made.secret)
    return InvitedView(**_shown(made.invitation, assembly.now()), url=url)


def _shown(invitation: Invitation, now: int) -> dict[str, Any]:
    same = ("made_by", "made_by_name", "created_at", "expires_at")
    return {**invitations.shown(invitation), "state": invitation.state(now), **{name: getattr(invitation, name) for name in same}}
