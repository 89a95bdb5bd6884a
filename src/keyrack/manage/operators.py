"""The operator: whoever runs the program. The command line and the host's own code act as one, unless they name another actor."""

from dataclasses import replace

from keyrack.manage.desk import Desk
from keyrack.model.principals import Principal
from keyrack.model.principals import operator as principal_of
from keyrack.model.refusals import NOT_FOUND
from keyrack.model.workspaces import Workspace
from keyrack.store import workspaces


async def operator(desk: Desk, workspace_id: str) -> Principal:
    """Return the operator as an actor in a workspace. Raises Refused `not_found`."""
    async with desk.store.reading() as c:
        workspace = await workspaces.get(c, workspace_id)
    return principal_of(workspace, dict(desk.categories))


def itself(desk: Desk, workspace: Workspace) -> Principal:
    """Return the product itself as an actor in a workspace: what happens there by itself stands under the brand's name."""
    return replace(principal_of(workspace, dict(desk.categories)), credential_id="keyrack", credential_name=desk.brand.name)


async def acting(desk: Desk, workspace_id: str, actor: Principal | None) -> Principal:
    """Return who acts: the actor where one is named, else the operator. Raises Refused `not_found` for an actor of another workspace."""
    if actor is None:
        return await operator(desk, workspace_id)
    if actor.workspace.id != workspace_id:
        raise NOT_FOUND("There is no such workspace.")
    return actor
