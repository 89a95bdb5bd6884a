"""Who is calling: what a key says of itself."""

from typing import ClassVar, Literal

from fastapi import APIRouter

from keyrack.api.dependencies import ANYBODY, PLAIN, Actor
from keyrack.api.examples import IDENTITY
from keyrack.api.fields import ObjectView, SpaceRoleView
from keyrack.manage import rights
from keyrack.model.permissions import OrgAccess
from keyrack.model.principals import Mode

router = APIRouter()


class IdentityView(ObjectView):
    """The key of this call, the workspace that it belongs to, and what it may do."""

    EXAMPLE: ClassVar = IDENTITY

    object: Literal["api_key_identity"] = "api_key_identity"
    key_name: str
    key_prefix: str
    org_id: str
    org_slug: str
    mode: Mode
    integration_id: str | None
    org_access: OrgAccess
    permissions: dict[str, Literal["read", "write"]]
    spaces: list[SpaceRoleView]


@router.get("/me", dependencies=[ANYBODY, PLAIN])
async def get_me(actor: Actor) -> IdentityView:
    """Get the identity of the calling key. It has no side effects and costs one call."""
    return IdentityView(
        id=actor.credential_id,
        key_name=actor.credential_name,
        key_prefix=actor.prefix,
        org_id=actor.workspace.id,
        org_slug=actor.workspace.slug,
        mode=actor.mode,
        integration_id=actor.integration_id,
        **rights.shown(actor.rights),
    )
