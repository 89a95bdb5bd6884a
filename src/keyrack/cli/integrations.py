"""`keyrack integrations`: the outside programs that workspaces let in, with their rights."""

from typing import Annotated, Any

import typer

from keyrack.api.fields import rights_of
from keyrack.api.integrations import IntegrationChanges, IntegrationQuery, IntegrationView, NewIntegration, view
from keyrack.api.keys import IssuedKeyView, view_issued
from keyrack.cli.acting import Listing, in_workspace, tell, tell_page
from keyrack.cli.failures import Failed, checked
from keyrack.cli.keys import tell_issued
from keyrack.cli.options import PAGE_LENGTH, App, Count, Cursor, Data, InWorkspace, Json
from keyrack.cli.rights import AllPermissions, OrgAccessGiven, PermissionsGiven, SpacesGiven, read_rights
from keyrack.manage import integrations, keys
from keyrack.manage.desk import Desk
from keyrack.model.principals import Mode, Principal

commands = typer.Typer(name="integrations", no_args_is_help=True, help="List, create, edit, rotate and delete integrations.")

IntegrationId = Annotated[str, typer.Argument(metavar="INTEGRATION_ID", help="Its id, as keyrack integrations list shows it.")]
MAKES = "the categories that rights speak of"
COLUMNS = {"NAME": "name", "ORG ACCESS": "org_access", "PERMISSIONS": "permissions", "MADE BY": "made_by_name", "ID": "id"}


@commands.command("list")
def list_integrations(
    workspace: InWorkspace = None,
    search: Annotated[str | None, typer.Option("--search", help="Part of a name.")] = None,
    limit: Count = PAGE_LENGTH,
    cursor: Cursor = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List integrations, newest first."""
    query = checked(IntegrationQuery, limit=limit, cursor=cursor, search=search)

    async def work(desk: Desk, actor: Principal) -> dict[str, Any]:
        listing = Listing(desk, query, "integrations", actor.workspace.id)
        found = await integrations.page(desk, actor, limit=limit + 1, after=listing.after, search=query.search)
        return listing.page(found, view, lambda one: (one.created_at, one.id))

    page = in_workspace(app, data, workspace, work)
    if not as_json:
        page["data"] = [one | {"permissions": _in_words(one["permissions"])} for one in page["data"]]
    tell_page(as_json, page, COLUMNS, "No integration matches.")


@commands.command("create")
def create_integration(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called, like Zapier.")],
    workspace: InWorkspace = None,
    org_access: OrgAccessGiven = None,
    permission: PermissionsGiven = None,
    all_permissions: AllPermissions = False,
    space: SpacesGiven = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create an integration, with the rights that are named and no others. It has no key yet."""
    body = checked(NewIntegration, **{"name": name} | read_rights(org_access, permission, all_permissions, space))

    async def work(desk: Desk, actor: Principal) -> IntegrationView:
        return view(await integrations.create(desk, actor, name=body.name, rights=rights_of(body.values())))

    made = in_workspace(app, data, workspace, work, makes=MAKES)
    tell(
        as_json,
        made,
        f"Created the integration “{made.name}”, id {made.id}.",
        f"Give it a key: keyrack keys create KEY_NAME --integration {made.id}",
    )


@commands.command("edit")
def edit_integration(
    integration_id: IntegrationId,
    workspace: InWorkspace = None,
    name: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    org_access: OrgAccessGiven = None,
    permission: PermissionsGiven = None,
    all_permissions: AllPermissions = False,
    space: SpacesGiven = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change an integration's name or rights. Permissions that are not named are none then; so are roles in spaces."""
    given = ({} if name is None else {"name": name}) | read_rights(org_access, permission, all_permissions, space)
    if not given:
        raise Failed("Say what changes: --name, --org-access, --permission, --all or --space.")
    body = checked(IntegrationChanges, **given)

    async def work(desk: Desk, actor: Principal) -> IntegrationView:
        return view(await integrations.edit(desk, actor, integration_id, **body.values()))

    edited = in_workspace(app, data, workspace, work, makes=MAKES)
    tell(as_json, edited, f"The integration “{edited.name}” has {_held(edited)}.")


@commands.command("rotate")
def rotate_integration(
    integration_id: IntegrationId,
    workspace: InWorkspace = None,
    mode: Annotated[Mode, typer.Option("--mode", help="Whose keys are ended: the live or the test ones.")] = Mode.LIVE,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """End all keys of an integration in one mode at once, and print the one that takes their place."""

    async def work(desk: Desk, actor: Principal) -> IssuedKeyView:
        return view_issued(await keys.rotate_all(desk, actor, integration_id, mode), desk.now())

    tell_issued(as_json, in_workspace(app, data, workspace, work, makes="how its secrets begin"))


@commands.command("delete")
def delete_integration(
    integration_id: IntegrationId, workspace: InWorkspace = None, app: App = None, data: Data = None, as_json: Json = False
) -> None:
    """Delete an integration and end its keys: when this returns, they are refused everywhere."""

    async def work(desk: Desk, actor: Principal) -> IntegrationView:
        return view(await integrations.delete(desk, actor, integration_id))

    deleted = in_workspace(app, data, workspace, work)
    tell(as_json, deleted, f"Deleted the integration “{deleted.name}”; its keys are refused everywhere.")


def _held(integration: IntegrationView) -> str:
    roles = f"{len(integration.spaces)} roles in spaces"
    return f"org-level access {integration.org_access.value}, permissions {_in_words(integration.permissions)}, {roles}"


def _in_words(permissions: dict[str, Any]) -> str:
    if "*" in permissions:
        return "all"
    return ", ".join(f"{name}:{level}" for name, level in permissions.items()) or "none"
