"""`keyrack members`: who is in a workspace. The way back in where nobody is left who could mend it in the console; each use an event."""

from typing import Annotated, Any

import typer

from keyrack.api.members import MemberChanges, MemberQuery, view
from keyrack.cli.acting import Listing, in_workspace, tell, tell_page
from keyrack.cli.failures import Failed, checked
from keyrack.cli.options import PAGE_LENGTH, App, Count, Cursor, Data, InWorkspace, Json
from keyrack.cli.rights import AllPermissions, OrgAccessGiven, PermissionsGiven, SpacesGiven, read_rights
from keyrack.manage import members
from keyrack.manage.desk import Desk
from keyrack.manage.rights import changed
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.principals import Principal

commands = typer.Typer(name="members", no_args_is_help=True, help="List, add, activate, deactivate and remove members; set their role.")

MAKES = "the categories that permissions speak of"
Named = Annotated[str, typer.Argument(metavar="EMAIL|ID", help="The member, by their email or their id.")]
COLUMNS = {"NAME": "name", "EMAIL": "email", "ROLE": "role", "STATUS": "status", "ORG ACCESS": "org_access", "ID": "id"}


@commands.command("list")
def list_members(
    workspace: InWorkspace = None,
    role: Annotated[Role | None, typer.Option("--role", help="Only members of this role.")] = None,
    status: Annotated[MemberStatus | None, typer.Option("--status", help="Only members of this status.")] = None,
    search: Annotated[str | None, typer.Option("--search", help="Part of a name or an email.")] = None,
    limit: Count = PAGE_LENGTH,
    cursor: Cursor = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List members, newest first."""
    query = checked(MemberQuery, limit=limit, cursor=cursor, role=role, status=status, search=search)

    async def work(desk: Desk, actor: Principal) -> dict[str, Any]:
        listing = Listing(desk, query, "members", actor.workspace.id)
        found = await members.page(desk, actor, limit=limit + 1, after=listing.after, **query.filters())
        return listing.page(found, view, lambda one: (one.created_at, one.id))

    tell_page(as_json, in_workspace(app, data, workspace, work), COLUMNS, "No member matches.")


@commands.command("add")
def add_member(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whose login it is; made where there is none.")],
    workspace: InWorkspace = None,
    name: Annotated[str, typer.Option("--name", help="What a new login is called.")] = "",
    role: Annotated[Role, typer.Option("--role", help="Their role.")] = Role.MEMBER,
    org_access: OrgAccessGiven = None,
    permission: PermissionsGiven = None,
    all_permissions: AllPermissions = False,
    space: SpacesGiven = None,
    may_use_api: Annotated[bool, typer.Option("--may-use-api", help="They may hold personal tokens.")] = False,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make somebody a member, with the role's rights, but for those that are named.

    keyrack people reset-password gives them a link to choose a password.
    """
    given = checked(MemberChanges, **read_rights(org_access, permission, all_permissions, space)).values()
    rights = changed(role.default_rights, given)

    async def work(desk: Desk, actor: Principal) -> Member:
        return await members.add(desk, actor, email=email, name=name, role=role, rights=rights, may_use_api=may_use_api)

    made = in_workspace(app, data, workspace, work, makes=MAKES if permission else None)
    tell(as_json, view(made), f"{made.name} ({made.email}) is {made.role.value} now.")


@commands.command("role")
def set_role(
    member: Named,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help="owner, admin or member.")],
    workspace: InWorkspace = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give a member another role: an owner, where no owner is left who can act."""
    _edit(member, workspace, app, data, as_json, role=role)


@commands.command("activate")
def activate_member(member: Named, workspace: InWorkspace = None, app: App = None, data: Data = None, as_json: Json = False) -> None:
    """Let an inactive member act again."""
    _edit(member, workspace, app, data, as_json, status=MemberStatus.ACTIVE)


@commands.command("deactivate")
def deactivate_member(member: Named, workspace: InWorkspace = None, app: App = None, data: Data = None, as_json: Json = False) -> None:
    """Refuse a member everywhere, until they are activated again."""
    _edit(member, workspace, app, data, as_json, status=MemberStatus.INACTIVE)


@commands.command("remove")
def remove_member(member: Named, workspace: InWorkspace = None, app: App = None, data: Data = None, as_json: Json = False) -> None:
    """Let a member go: when this returns, they reach nothing in the workspace."""

    async def work(desk: Desk, actor: Principal) -> Member:
        return await members.remove(desk, actor, (await _named(desk, actor, member)).id)

    gone = in_workspace(app, data, workspace, work)
    tell(as_json, view(gone), f"{gone.name} ({gone.email}) is no longer a member.")


def _edit(member: str, workspace: str | None, app: str | None, data: Any, as_json: bool, **fields: Any) -> None:
    async def work(desk: Desk, actor: Principal) -> Member:
        return await members.edit(desk, actor, (await _named(desk, actor, member)).id, **fields)

    edited = in_workspace(app, data, workspace, work)
    tell(as_json, view(edited), f"{edited.name} ({edited.email}) is {edited.role.value} now, and {edited.status.value}.")


async def _named(desk: Desk, actor: Principal, name: str) -> Member:
    if "@" not in name:
        return await members.get(desk, actor, name)
    found = await members.page(desk, actor, limit=100, search=name)
    exact = [one for one in found if one.email == name.strip().lower()]
    if not exact:
        raise Failed(f"Nobody with the email {name!r} is a member here: keyrack members list shows who is.")
    return exact[0]
