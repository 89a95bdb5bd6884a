"""`keyrack logs`: what was called, by whom and with what result; a workspace's log, or the operator's own."""

import re
from typing import Annotated, Any

import typer

from keyrack.api.request_logs import LogQuery, LogView, view
from keyrack.cli.acting import Listing, find_workspace, in_rack, in_workspace, tell, tell_page
from keyrack.cli.failures import Failed, checked
from keyrack.cli.options import PAGE_LENGTH, App, Count, Cursor, Data, InWorkspace, Json
from keyrack.cli.printing import print_lines
from keyrack.manage import request_logs
from keyrack.manage.desk import Desk
from keyrack.model.principals import Mode, Principal
from keyrack.model.request_logs import Filter, Found, status_range
from keyrack.model.times import iso
from keyrack.server import Keyrack
from keyrack.store import request_logs as rows

commands = typer.Typer(name="logs", no_args_is_help=True, help="Search the request log.")

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
COLUMNS = {
    "TIME": "created_at",
    "STATUS": "status",
    "METHOD": "method",
    "PATH": "path",
    "CODE": "code",
    "CALLER": "credential_name",
    "ADDRESS": "ip_address",
    "MS": "duration_ms",
    "REQUEST ID": "request_id",
}
Moment = Annotated[str | None, typer.Option(metavar="TIME", help="Like 2026-11-21T09:00:00Z, or 90m, 24h or 7d ago.")]


@commands.command("list")
def list_logs(
    workspace: InWorkspace = None,
    operator: Annotated[bool, typer.Option("--operator", help="Calls of no workspace: with an unknown key, or with none.")] = False,
    path: Annotated[str | None, typer.Option("--path", help="/whole/segments, or any part of a path or route.")] = None,
    method: Annotated[str | None, typer.Option("--method", help="GET, POST, …")] = None,
    status: Annotated[str | None, typer.Option("--status", help="A status like 404, or a class like 4xx.")] = None,
    credential: Annotated[str | None, typer.Option("--credential", metavar="ID", help="The id of a key or another credential.")] = None,
    mode: Annotated[Mode | None, typer.Option("--mode", help="Live or test.")] = None,
    since: Moment = "24h",
    until: Moment = None,
    limit: Count = PAGE_LENGTH,
    cursor: Cursor = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List calls, newest first. A running server adds a call within 2 seconds of its answer."""
    if operator and workspace is not None:
        raise Failed("The operator's log belongs to no workspace: leave out --operator or --workspace.")
    given: dict[str, Any] = {"path": path, "method": method, "status": status, "credential_id": credential, "mode": mode}
    given |= {"limit": limit, "cursor": cursor}

    async def search(desk: Desk, actor: Principal | None) -> dict[str, Any]:
        times = {"since": _moment(desk, since), "until": _moment(desk, until)}
        query = checked(LogQuery, **{name: value for name, value in (given | times).items() if value is not None})
        # A cursor goes on with the words that were given: 24h is another moment at each command.
        listing = Listing(desk, query, "logs", actor.workspace.id if actor else None, since=since, until=until)
        return await _search(desk, actor, query, listing)

    async def of_operator(rack: Keyrack) -> dict[str, Any]:
        return await search(rack.assembly.desk, None)

    page = in_rack(app, data, of_operator) if operator else in_workspace(app, data, workspace, search)
    tell_page(as_json, page, COLUMNS, "No such call.")
    if page["searched_back_to"] and not as_json:
        print_lines(f"Searched back to {page['searched_back_to']}.")


@commands.command("show")
def show_log(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="The X-Request-Id of the answer: req_…")],
    workspace: InWorkspace = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show everything that is known of one call."""

    async def work(rack: Keyrack) -> LogView:
        found = await find_workspace(rack, workspace)
        actor = await rack.workspaces.operator(found.id)
        return view(await request_logs.get(rack.assembly.desk, rack.assembly.spool, actor, request_id))

    line = in_rack(app, data, work)
    tell(as_json, line, *(f"{name:16} {value}" for name, value in line.model_dump(mode="json").items() if value is not None))


async def _search(desk: Desk, actor: Principal | None, query: LogQuery, listing: Listing) -> dict[str, Any]:
    wanted = query.filters()
    wanted["status"] = status_range(query.status) if query.status else None
    found = await _found(desk, actor, Filter(**wanted), query.limit, listing.after)
    page = listing.continued([view(line) for line in found.lines], found.after)
    return page | {"searched_back_to": None if found.searched_to is None else iso(found.searched_to)}


async def _found(desk: Desk, actor: Principal | None, wanted: Filter, limit: int, after: tuple[int, str] | None) -> Found:
    if actor is not None:
        return await request_logs.page(desk, actor, wanted, limit=limit, after=after)
    async with desk.store.reading_traffic() as c:
        return await rows.search_operators_log(c, wanted, now=desk.now(), limit=limit, after=after)


def _moment(desk: Desk, text: str | None) -> str | None:
    """Return a time as the API takes it: one so long ago, or the text itself."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", text or "")
    return iso(desk.now() - int(match[1]) * UNIT_SECONDS[match[2]] * 1000) if match else text
