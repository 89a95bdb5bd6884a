"""`keyrack demo`: Atrium, the reference host, with a sample workspace, new keys and a link into the console."""

import os
import shlex
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from keyrack.cli import hosts, server_log, servers
from keyrack.cli.failures import Failed
from keyrack.cli.listening import listen, url_of
from keyrack.cli.options import DEFAULT_DATA, Data, Host, Json, Port
from keyrack.cli.printing import print_json, print_lines
from keyrack.console.addresses import sign_in_url
from keyrack.manage import keys, members, people, sessions, tokens
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights
from keyrack.model.principals import Mode, Principal
from keyrack.model.refusals import CONFLICT, Refused
from keyrack.model.workspaces import Workspace
from keyrack.server import Keyrack
from keyrack.store.migrations import migrate

APP = "atrium.app:app"
BRAND_NAMED = "atrium.brands:named"
SAMPLES = "atrium.samples:load"
DRAIN_SECONDS = 5
OUTGOING_NETWORKS = '["127.0.0.0/8", "::1/128"]'
OWNER_EMAIL, OWNER_NAME = "robin@atrium.example", "Robin Vale"
EVERYTHING = Rights(permissions={ALL: Level.WRITE})
MANAGEMENT = Rights(OrgAccess.ADMIN)


@dataclass(frozen=True)
class Demo:
    """What `--json` prints, field by field. The repr hides the secrets."""

    url: str
    console_url: str
    sign_in_url: str
    workspace: str
    live_key: str
    test_key: str | None
    admin_key: str

    def __repr__(self) -> str:
        return f"Demo({self.url!r}, …)"


def demo(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data: Data = None,
    brand: Annotated[
        str, typer.Option("--brand", help="Whose product it looks like: atrium, pivotal, pivot, pinpoint, pipedrive, pivra.")
    ] = "atrium",
    empty: Annotated[bool, typer.Option("--empty", help="Open an empty workspace instead of the one with samples.")] = False,
    as_json: Json = False,
) -> None:
    """Run a sample product, and print how to use it.

    Everything is kept in the data folder. Each start makes new keys and a new link into the console; older keys go on working. A brand
    without keys gets a new personal token of the owner's in their place, and the one before it ends.
    """
    second_plan = _configuration(brand).second_plan
    hosts.use_folder(data or DEFAULT_DATA, make=True)
    # Links must lead to this server, whatever an installation on this machine is set to.
    os.environ.pop("KEYRACK_BASE_URL", None)
    # Whoever tries webhooks out has a receiver beside it.
    os.environ.setdefault("KEYRACK_OUTGOING_NETWORKS", '["127.0.0.0/8", "::1/128"]')
    os.environ["ATRIUM_BRAND"] = brand
    # Whoever tries webhooks out has their receiver on this machine.
    os.environ.setdefault("KEYRACK_OUTGOING_NETWORKS", OUTGOING_NETWORKS)
    listener = listen(host, port)
    app = hosts.load(APP)
    rack = hosts.rack_in(app, APP)
    server_log.configure(rack.assembly.prefixes, form=rack.settings.log_format)

    async def prepare() -> servers.Announce:
        prepared = await _prepare(rack, url_of(listener), empty)
        second = await _second_workspace(rack, second_plan) if second_plan else None
        return lambda: print_json(asdict(prepared)) if as_json else print_lines(*_guide(rack, prepared, empty, second))

    servers.serve_here(app, listener, DRAIN_SECONDS, prepare)
    if not as_json:
        print_lines("", "Stopped.")


def _configuration(brand: str) -> Any:
    try:
        return hosts.attribute(BRAND_NAMED)(brand)
    except ValueError as error:
        raise Failed(str(error)) from None


async def _prepare(rack: Keyrack, url: str, empty: bool) -> Demo:
    await migrate(rack.settings.store_url, rack.settings.traffic_url)
    workspace = await _workspace(rack, empty)
    operator = await rack.workspaces.operator(workspace.id)
    owner = await _owner(rack, operator)
    link = await sessions.sign_in_link(rack.assembly.desk, owner.person_id, workspace.id, None)
    has_test, has_keys = Mode.TEST in rack.brand.modes, bool(rack.brand.lists)
    return Demo(
        url=url,
        console_url=f"{url}/console",
        sign_in_url=sign_in_url(url, link),
        workspace=workspace.id,
        live_key=await (_key(rack, operator, "Demo live key", Mode.LIVE, EVERYTHING) if has_keys else _token(rack, operator, owner)),
        test_key=await _key(rack, operator, "Demo test key", Mode.TEST, EVERYTHING) if has_test else None,
        admin_key=await _key(rack, operator, "Demo admin key", Mode.LIVE, MANAGEMENT),
    )


async def _workspace(rack: Keyrack, empty: bool) -> Workspace:
    """Return the workspace of the demo."""
    workspace, is_new = await _found_or_made(rack, "empty" if empty else "sample")
    # Only a new workspace is filled: what somebody has deleted since stays deleted.
    if is_new and not empty:
        await hosts.attribute(SAMPLES)(rack, workspace.id)
    return workspace


async def _second_workspace(rack: Keyrack, plan: str) -> Workspace:
    """Return the owner's workspace on another plan, where one sees what that plan lacks."""
    return (await _found_or_made(rack, plan, plan=plan))[0]


async def _found_or_made(rack: Keyrack, slug: str, plan: str | None = None) -> tuple[Workspace, bool]:
    """Return a workspace, and whether it is new. Of two demos that start at once on one folder, one makes it and the other finds it."""
    found = await rack.workspaces.find(slug)
    if found is not None:
        return found, False
    name = f"{slug.title()} {rack.brand.words.workspace}"
    try:
        return await rack.workspaces.create(name, slug=slug, plan=plan, owner_email=OWNER_EMAIL, owner_name=OWNER_NAME), True
    except Refused as refused:
        if refused.refusal is not CONFLICT:
            raise
        made_meanwhile = await rack.workspaces.find(slug)
        if made_meanwhile is None:
            raise Failed(f"The workspace {slug!r} of this folder was deleted: name another folder with --data.") from None
        return made_meanwhile, False


async def _owner(rack: Keyrack, operator: Principal) -> Member:
    owners = await members.page(rack.assembly.desk, operator, limit=1, role=Role.OWNER, status=MemberStatus.ACTIVE)
    if not owners:
        raise Failed(f"The workspace {operator.workspace.slug!r} has no owner who can act: name another folder with --data.")
    return owners[0]


async def _key(rack: Keyrack, operator: Principal, name: str, mode: Mode, rights: Rights) -> str:
    issued = await keys.create(rack.assembly.desk, operator, name=name, mode=mode, rights=rights)
    return issued.secret.text


async def _token(rack: Keyrack, operator: Principal, owner: Member) -> str:
    """Generate the owner's default token, as they would themselves."""
    acting = people.acting_as(rack.assembly.desk, operator.workspace, owner.id, owner.name)
    return (await tokens.generate(rack.assembly.desk, acting, end_named=False)).secret.text


def _guide(rack: Keyrack, demo: Demo, empty: bool, second: Workspace | None) -> list[str]:
    """Say to a newcomer what runs, and what to do with it."""
    kind, workspace, folder = "an empty" if empty else "a sample", rack.brand.words.workspace, rack.settings.data.absolute()
    test = ["", f"  Test key   {demo.test_key}", "             The same, without calls to the outside."] if demo.test_key else []
    live = ("Live key ", "with a key. These are new; those of earlier starts go on working")
    if not rack.brand.lists:
        live = ("Token    ", "with a personal token. It is new; that of an earlier start has ended")
    beside: list[str] = []
    if second is not None:
        plan = rack.plans[second.plan]
        lacks = "" if plan.api_access else ", which does not include the API"
        beside = ["", f"“{second.name}” is on the plan {plan.title}{lacks}: choose it at the top left of the console."]
    curl = shlex.join(["curl", f"{demo.url}/api/v1/me", "-H", f"Authorization: Bearer {demo.live_key}"])
    return [
        f"{rack.brand.name} is running, with {kind} {workspace}. Its data is in {folder}.",
        "",
        "Open the console (this link signs you in, once):",
        f"  {demo.sign_in_url}",
        *beside,
        "",
        f"Call the API {live[1]}:",
        f"  {live[0]}  {demo.live_key}",
        f"             Reads and writes everything in the {workspace}.",
        *test,
        "",
        f"  Admin key  {demo.admin_key}",
        "             Calls the management API: keys, members and the like.",
        "",
        "Ask who is calling:",
        f"  {curl}",
        "",
        "Stop with Ctrl-C.",
    ]
