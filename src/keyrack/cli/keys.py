"""`keyrack keys`: list, create, edit, rotate and revoke keys, and say how leaked ones are found.

A secret is printed where it is created, and nowhere else.
"""

from typing import Annotated, Any

import typer

from keyrack.api.fields import rights_of
from keyrack.api.keys import IssuedKeyView, KeyChanges, KeyQuery, KeyView, NewKey, Rotation, view, view_issued
from keyrack.cli import hosts
from keyrack.cli.acting import Listing, in_workspace, tell, tell_page
from keyrack.cli.failures import Failed, checked
from keyrack.cli.options import PAGE_LENGTH, App, Count, Cursor, Data, InWorkspace, Json
from keyrack.cli.printing import print_json, print_lines
from keyrack.cli.rights import AllPermissions, PermissionsGiven, read_permissions
from keyrack.manage import keys
from keyrack.manage.desk import Desk
from keyrack.manage.key_patterns import Format, pattern
from keyrack.model.ip_ranges import warnings
from keyrack.model.principals import Mode, Principal

commands = typer.Typer(name="keys", no_args_is_help=True, help="List, create, edit, rotate and revoke keys.")

KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="The key's id, as keyrack keys list shows it.")]
Expiry = Annotated[str | None, typer.Option("--expires-at", metavar="TIME", help="When it expires: 2027-01-31T00:00:00Z.")]
Ranges = Annotated[
    list[str] | None, typer.Option("--ip-range", metavar="RANGE", help="From where it works, like 203.0.113.0/24; repeatable.")
]
MAKES = "how its secrets begin"
COLUMNS = {
    "NAME": "name",
    "KEY": "prefix",
    "MODE": "mode",
    "STATE": "state",
    "VERSION": "api_version",
    "INTEGRATION": "integration_name",
    "LAST USED": "last_used_at",
    "ID": "id",
}


@commands.command("list")
def list_keys(
    workspace: InWorkspace = None,
    integration: Annotated[str | None, typer.Option("--integration", metavar="ID", help="Only the keys of this integration.")] = None,
    mode: Annotated[Mode | None, typer.Option("--mode", help="Only keys of this mode.")] = None,
    ended: Annotated[bool, typer.Option("--ended", help="The keys that somebody ended, instead of the others.")] = False,
    limit: Count = PAGE_LENGTH,
    cursor: Cursor = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List keys, newest first."""
    query = checked(KeyQuery, limit=limit, cursor=cursor, integration_id=integration, mode=mode, ended=ended)

    async def work(desk: Desk, actor: Principal) -> dict[str, Any]:
        listing = Listing(desk, query, "keys", actor.workspace.id)
        found = await keys.page(desk, actor, limit=limit + 1, after=listing.after, **query.filters())
        return listing.page(found, lambda one: view(one, desk.now()), lambda one: (one.key.created_at, one.key.id))

    tell_page(as_json, in_workspace(app, data, workspace, work), COLUMNS, "No key matches.")


@commands.command("create")
def create_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called, like prod-server.")],
    workspace: InWorkspace = None,
    mode: Annotated[Mode, typer.Option("--mode", help="Live or test.")] = Mode.LIVE,
    integration: Annotated[
        str | None, typer.Option("--integration", metavar="ID", help="Whose key it is.  [default: a new integration of the same name]")
    ] = None,
    permission: PermissionsGiven = None,
    all_permissions: AllPermissions = False,
    expires_at: Expiry = None,
    ip_range: Ranges = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create a key, and print its secret: this once."""
    given: dict[str, Any] = {"name": name, "mode": mode, "integration_id": integration, "ip_ranges": ip_range or []}
    given |= {"expires_at": expires_at} if expires_at else {}
    body = checked(NewKey, **given | read_permissions(permission, all_permissions))

    async def work(desk: Desk, actor: Principal) -> IssuedKeyView:
        values = body.values()
        rights = rights_of(values) if "permissions" in values else None
        issued = await keys.create(
            desk,
            actor,
            name=body.name,
            mode=body.mode,
            integration_id=body.integration_id,
            rights=rights,
            expires_at=body.expires_at,
            ip_ranges=body.ip_ranges,
        )
        return view_issued(issued, desk.now())

    tell_issued(as_json, in_workspace(app, data, workspace, work, makes=MAKES))


@commands.command("edit")
def edit_key(
    key_id: KeyId,
    workspace: InWorkspace = None,
    name: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    expires_at: Expiry = None,
    ip_range: Ranges = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Let it work again, or refuse it until then.")] = None,
    api_version: Annotated[str | None, typer.Option("--api-version", metavar="DATE", help="The API's version that it calls.")] = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Rename, bound, disable or enable a key, or pin it to a version. It takes effect everywhere before this returns."""
    given = {"name": name, "expires_at": expires_at, "ip_ranges": ip_range, "enabled": enabled, "api_version": api_version}
    body = checked(KeyChanges, **{field: value for field, value in given.items() if value is not None})
    if not body.values():
        raise Failed("Say what changes: --name, --expires-at, --ip-range, --enable, --disable or --api-version.")

    async def work(desk: Desk, actor: Principal) -> KeyView:
        await keys.edit(desk, actor, key_id, **body.values())
        return view(await keys.get(desk, actor, key_id), desk.now())

    edited = in_workspace(app, data, workspace, work)
    tell(as_json, edited, f"The key “{edited.name}” ({edited.prefix}…) is {edited.state}.", *warnings(edited.ip_ranges))


@commands.command("rotate")
def rotate_key(
    key_id: KeyId,
    workspace: InWorkspace = None,
    overlap_seconds: Annotated[int, typer.Option("--overlap-seconds", help="How long the old key still works, up to 7 days.")] = 0,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Replace a key by a new one of the same name, and print its secret: this once."""
    body = checked(Rotation, overlap_seconds=overlap_seconds)

    async def work(desk: Desk, actor: Principal) -> IssuedKeyView:
        return view_issued(await keys.rotate(desk, actor, key_id, body.overlap_seconds), desk.now())

    tell_issued(as_json, in_workspace(app, data, workspace, work, makes=MAKES))


@commands.command("revoke")
def revoke_key(key_id: KeyId, workspace: InWorkspace = None, app: App = None, data: Data = None, as_json: Json = False) -> None:
    """End a key for good: when this returns, it is refused everywhere."""

    async def work(desk: Desk, actor: Principal) -> KeyView:
        await keys.revoke(desk, actor, key_id)
        return view(await keys.get(desk, actor, key_id), desk.now())

    revoked = in_workspace(app, data, workspace, work)
    tell(as_json, revoked, f"The key “{revoked.name}” ({revoked.prefix}…) is revoked, and refused everywhere.")


@commands.command("pattern")
def tell_pattern(
    wanted: Annotated[Format, typer.Option("--format", help="For which scanner.")] = Format.REGEX,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Print what scanners look for to find leaked keys: as a regular expression, or as a rule of theirs."""
    rack = hosts.rack_for(app, data, makes=MAKES)
    text = pattern(rack.brand, wanted, rack.settings.base_url)
    if as_json:
        print_json({"object": "key_pattern", "format": wanted.value, "pattern": text})
    else:
        print_lines(*text.split("\n"))


def tell_issued(as_json: bool, issued: IssuedKeyView) -> None:
    """Print a new key with its secret."""
    tell(
        as_json,
        issued,
        f"Created the {issued.mode.value} key “{issued.name}” of the integration “{issued.integration_name}”:",
        "",
        f"  {issued.secret}",
        "",
        "Keep it like a password: it is shown this once.",
        *warnings(issued.ip_ranges),
    )
