"""The workspace that the caller belongs to, and its API toggle."""

from typing import ClassVar, Literal

from fastapi import APIRouter
from pydantic import StrictBool

from keyrack.api.dependencies import ADMIN, PLAIN, Actor, Desk
from keyrack.api.examples import WORKSPACE
from keyrack.api.fields import Body, ObjectView, Time
from keyrack.manage import workspaces
from keyrack.model.refusals import saying
from keyrack.model.workspaces import Workspace

router = APIRouter(prefix="/workspace")


class WorkspaceChanges(Body):
    """The API toggle. Off, every credential of the workspace is refused, the caller's too; only a signed-in person turns it on again."""

    EXAMPLE: ClassVar = {"api_enabled": False}

    api_enabled: StrictBool


class WorkspaceView(ObjectView):
    """A workspace."""

    EXAMPLE: ClassVar = WORKSPACE

    object: Literal["workspace"] = "workspace"
    name: str
    slug: str
    plan: str
    api_enabled: bool
    revealing: bool
    created_at: Time
    updated_at: Time


@router.get("", dependencies=[ADMIN, PLAIN])
async def get_workspace(actor: Actor, desk: Desk) -> WorkspaceView:
    """Get the workspace."""
    return view(await workspaces.get(desk, actor))


@router.patch("", dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def update_workspace(body: WorkspaceChanges, actor: Actor, desk: Desk) -> WorkspaceView:
    """Switch the workspace's API off."""
    return view(await workspaces.switch_api(desk, actor, body.api_enabled))


def view(workspace: Workspace) -> WorkspaceView:
    """Return a workspace as it is on the wire."""
    return WorkspaceView(
        **workspaces.shown(workspace),
        created_at=workspace.created_at,
        updated_at=workspace.updated_at,
    )
