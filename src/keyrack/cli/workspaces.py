"""`keyrack workspaces`: the tenants. They are made, renamed, deleted and given a plan here, and through `rack.workspaces`."""

from typing import Annotated

import typer

from keyrack.api.lists import ListQuery
from keyrack.api.workspaces import view
from keyrack.cli.acting import Listing, find_workspace, in_rack, tell, tell_page
from keyrack.cli.failures import Failed, checked
from keyrack.cli.options import PAGE_LENGTH, App, Count, Cursor, Data, Json
from keyrack.model.workspaces import Workspace
from keyrack.server import Keyrack

commands = typer.Typer(name="workspaces", no_args_is_help=True, help="List, create, rename, delete workspaces; set their plan.")

Named = Annotated[str, typer.Argument(metavar="ID|SLUG", help="The workspace, by its id or its slug.")]
COLUMNS = {"NAME": "name", "SLUG": "slug", "PLAN": "plan", "API": "api_enabled", "CREATED": "created_at", "ID": "id"}


@commands.command("list")
def list_workspaces(limit: Count = PAGE_LENGTH, cursor: Cursor = None, app: App = None, data: Data = None, as_json: Json = False) -> None:
    """List workspaces, newest first."""

    async def work(rack: Keyrack) -> dict[str, object]:
        listing = Listing(rack.assembly.desk, checked(ListQuery, limit=limit, cursor=cursor), "workspaces")
        found = await rack.workspaces.list(limit=limit + 1, after=listing.after)
        return listing.page(found, view, lambda one: (one.created_at, one.id))

    tell_page(as_json, in_rack(app, data, work), COLUMNS, "There is no workspace yet: make one with keyrack workspaces create NAME")


@commands.command("create")
def create_workspace(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    slug: Annotated[str | None, typer.Option("--slug", help="Its short name: a-z, 0-9 and -.  [default: made from the name]")] = None,
    plan: Annotated[str | None, typer.Option("--plan", help="The name of one of the app's plans.  [default: the first]")] = None,
    owner_email: Annotated[str | None, typer.Option("--owner-email", help="Whoever owns it, made a login where there is none.")] = None,
    owner_name: Annotated[str | None, typer.Option("--owner-name", help="What a new owner is called.")] = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create a workspace."""

    async def work(rack: Keyrack) -> Workspace:
        return await rack.workspaces.create(name, slug=slug, plan=plan, owner_email=owner_email, owner_name=owner_name)

    made = in_rack(app, data, work, makes="the plans that a workspace can have")
    tell(as_json, view(made), f"Created the workspace “{made.name}”: slug {made.slug}, id {made.id}.")


@commands.command("rename")
def rename_workspace(
    workspace: Named,
    name: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    slug: Annotated[str | None, typer.Option("--slug", help="Its new slug.")] = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give a workspace another name, another slug, or both."""
    if name is None and slug is None:
        raise Failed("Say what changes: --name, --slug, or both.")

    async def work(rack: Keyrack) -> Workspace:
        found = await find_workspace(rack, workspace)
        return await rack.workspaces.rename(found.id, name=name, slug=slug)

    renamed = in_rack(app, data, work, makes="the plans that a workspace can have")
    tell(as_json, view(renamed), f"The workspace is now “{renamed.name}”, with the slug {renamed.slug}.")


@commands.command("plan")
def set_plan(
    workspace: Named,
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="The name of one of the app's plans.")],
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put a workspace on a plan. One without API access refuses its keys at once."""

    async def work(rack: Keyrack) -> Workspace:
        found = await find_workspace(rack, workspace)
        return await rack.workspaces.set_plan(found.id, plan)

    changed = in_rack(app, data, work, makes="the plans that a workspace can have")
    tell(as_json, view(changed), f"The workspace “{changed.name}” is on the plan {changed.plan}.")


@commands.command("delete")
def delete_workspace(
    workspace: Named,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Delete a workspace: when this returns, nobody reaches anything in it. This cannot be undone."""

    async def work(rack: Keyrack) -> Workspace:
        found = await find_workspace(rack, workspace)
        if not yes:
            raise Failed(f"This ends every key of “{found.name}” and cannot be undone. If you mean it, repeat the command with --yes.")
        return await rack.workspaces.delete(found.id)

    deleted = in_rack(app, data, work)
    tell(as_json, view(deleted), f"Deleted the workspace “{deleted.name}”.")
