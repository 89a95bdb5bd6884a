"""Who is calling: what a credential says of itself, and of the workspaces that its person is in."""

from typing import ClassVar, Literal

from fastapi import APIRouter

from keyrack.api.dependencies import ANYBODY, PLAIN, Actor, Desk
from keyrack.api.examples import IDENTITY, MEMBERSHIP
from keyrack.api.fields import ObjectView, SpaceRoleView, View
from keyrack.manage import own_access, rights, tokens
from keyrack.model.members import Role
from keyrack.model.permissions import OrgAccess
from keyrack.model.principals import Kind, Mode

router = APIRouter()


class IdentityView(ObjectView):
    """The key, personal token or access token of this call, its workspace, and what it may do. Of a token, its member is named."""

    EXAMPLE: ClassVar = IDENTITY

    object: Literal["api_key_identity", "personal_token_identity", "access_token_identity"]
    key_name: str
    key_prefix: str
    org_id: str
    org_slug: str
    mode: Mode
    integration_id: str | None
    member_id: str | None
    member_name: str | None
    member_email: str | None
    org_access: OrgAccess
    permissions: dict[str, Literal["read", "write"]]
    spaces: list[SpaceRoleView]


class MembershipView(ObjectView):
    """A workspace; `id` is the workspace's. Who the caller's person is there is told of personal tokens."""

    EXAMPLE: ClassVar = MEMBERSHIP

    object: Literal["membership"] = "membership"
    name: str
    slug: str
    is_current: bool
    member_id: str | None
    role: Role | None
    may_use_api: bool | None


class MembershipPage(View):
    """The workspaces, all on one page."""

    object: Literal["list"] = "list"
    data: list[MembershipView]
    has_more: Literal[False] = False
    next_cursor: None = None
    next_url: None = None


@router.get("/me", dependencies=[ANYBODY, PLAIN])
async def get_me(actor: Actor, desk: Desk) -> IdentityView:
    """Get the identity of the calling key or token. It has no side effects and costs one call."""
    same = {
        "id": actor.credential_id,
        "key_prefix": actor.prefix,
        "org_id": actor.workspace.id,
        "org_slug": actor.workspace.slug,
        "mode": actor.mode,
        "integration_id": actor.integration_id,
        "member_id": actor.member_id,
        **rights.shown(actor.rights),
    }
    if actor.kind is not Kind.PERSONAL_TOKEN:
        named = {"key_name": actor.credential_name, "member_name": None, "member_email": None}
        kind: Literal["api_key_identity", "access_token_identity"] = "api_key_identity"
        if actor.kind is Kind.ACCESS_TOKEN:
            kind = "access_token_identity"
        return IdentityView(object=kind, **named, **same)
    held = (await tokens.get(desk, actor, actor.credential_id)).held
    named = {"key_name": held.token.name, "member_name": held.name, "member_email": held.email}
    return IdentityView(object="personal_token_identity", **named, **same)


@router.get("/me/workspaces", dependencies=[ANYBODY, PLAIN])
async def list_my_workspaces(actor: Actor, desk: Desk) -> MembershipPage:
    """List the workspaces of the caller's person, all at once: with a member's default token each that they are in, else this one alone."""
    return MembershipPage(data=[_membership(one) for one in await own_access.workspaces(desk, actor)])


def _membership(there: own_access.There) -> MembershipView:
    workspace, member = there.workspace, there.member
    return MembershipView(
        id=workspace.id,
        name=workspace.name,
        slug=workspace.slug,
        is_current=there.is_current,
        member_id=member.id if member else None,
        role=member.role if member else None,
        may_use_api=member.may_use_api if member else None,
    )
