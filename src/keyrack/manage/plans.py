"""What the plan of a workspace lets it make."""

from keyrack.manage.change import Change
from keyrack.manage.desk import Desk
from keyrack.model.plans import missing_api
from keyrack.model.refusals import PLAN_UPGRADE_REQUIRED
from keyrack.model.workspaces import Workspace
from keyrack.store import workspaces as rows


async def require_api(desk: Desk, c: Change) -> None:
    """Refuse to make a credential in a workspace whose plan does not include the API: it would be refused wherever it is used.

    Asked inside the change that makes it, whoever acts, the operator too. Raises Refused 403 as `require_api_in` does.
    """
    require_api_in(desk, await rows.get(c.connection, c.workspace_id))


def require_api_in(desk: Desk, workspace: Workspace) -> None:
    """Raise Refused 403 `plan_upgrade_required` where a workspace's plan does not include the API. It names the plans that do."""
    missing = missing_api(desk.plans, workspace.plan)
    if missing:
        offering = [plan.name for plan in desk.plans.values() if plan.api_access]
        raise PLAN_UPGRADE_REQUIRED(missing, extra={"plan": workspace.plan, "plans": offering})
