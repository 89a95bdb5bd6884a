"""How a command acts: as the operator, on the same functions as everybody else, so that what it changes is an event."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from keyrack.api.lists import ListQuery
from keyrack.cli import hosts
from keyrack.cli.failures import Failed
from keyrack.cli.printing import print_json, print_lines, print_table
from keyrack.manage import members
from keyrack.manage.cursors import Cursors
from keyrack.manage.desk import Desk
from keyrack.model.members import Role
from keyrack.model.orders import Place
from keyrack.model.principals import Principal
from keyrack.model.workspaces import Workspace
from keyrack.server import Keyrack

Result = TypeVar("Result")
Row = TypeVar("Row")


def in_rack(app: str | None, folder: Path | None, work: Callable[[Keyrack], Awaitable[Result]], *, makes: str | None = None) -> Result:
    """Open the store, do the work and close it. `makes` says what of the host's own the work needs; then the app must be named."""
    rack = hosts.rack_for(app, folder, makes=makes)
    hosts.require_database(rack)

    async def run() -> Result:
        try:
            return await work(rack)
        finally:
            await rack.assembly.store.close()

    return asyncio.run(run())


def in_workspace(
    app: str | None,
    folder: Path | None,
    name: str | None,
    work: Callable[[Desk, Principal], Awaitable[Result]],
    *,
    makes: str | None = None,
) -> Result:
    """Do the work as the operator in the workspace that has this id or slug, or in the only one there is."""

    async def act(rack: Keyrack) -> Result:
        workspace = await find_workspace(rack, name)
        return await work(rack.assembly.desk, await rack.workspaces.operator(workspace.id))

    return in_rack(app, folder, act, makes=makes)


async def find_workspace(rack: Keyrack, name: str | None) -> Workspace:
    """Return the workspace with this id or slug; without a name the only one there is, but for one of the host's own. Raises Failed."""
    if name is not None:
        found = await rack.workspaces.find(name)
        if found is None:
            raise Failed(f"There is no workspace {name!r}: keyrack workspaces list shows their ids and slugs.")
        return found
    some = await rack.workspaces.list(limit=3)
    if not some:
        raise Failed("There is no workspace yet: make one with keyrack workspaces create NAME")
    if len(some) == 2:
        # One that a host has made for itself (a community of all its customers' people) has no owner.
        some = [one for one in some if await _has_owner(rack, one)] or some
    if len(some) > 1:
        raise Failed("There are several workspaces: choose one with --workspace. keyrack workspaces list shows their ids and slugs.")
    return some[0]


async def _has_owner(rack: Keyrack, workspace: Workspace) -> bool:
    operator = await rack.workspaces.operator(workspace.id)
    return bool(await members.page(rack.assembly.desk, operator, limit=1, role=Role.OWNER))


class Listing:
    """A page of a list: where it begins, and where it goes on. A cursor holds for its list, its workspace and its filters alone."""

    def __init__(self, desk: Desk, query: ListQuery, of: str, workspace_id: str | None = None, **filters: object) -> None:
        self._cursors = Cursors(desk.cursors)
        self._filters = query.filters() | filters | {"list": f"cli:{of}", "workspace": workspace_id}
        self._limit = query.limit
        self.after = self._cursors.read(query.cursor, self._filters)

    def page(self, rows: Sequence[Row], view: Callable[[Row], BaseModel], place: Callable[[Row], Place]) -> dict[str, Any]:
        """Return the page of rows, of which one more than the query's limit was read, where there is one."""
        shown = rows[: self._limit]
        return self.continued([view(row) for row in shown], place(shown[-1]) if len(rows) > self._limit else None)

    def continued(self, views: Sequence[BaseModel], place: Place | None) -> dict[str, Any]:
        """Return a page that goes on at a place, or ends with None, as the API would answer it, but without addresses."""
        cursor = None if place is None else self._cursors.write(place, self._filters)
        data = [view.model_dump(mode="json") for view in views]
        return {"object": "list", "data": data, "has_more": cursor is not None, "next_cursor": cursor}


def tell(as_json: bool, view: BaseModel, *lines: str) -> None:
    """Print one object for programs, or the lines for people."""
    if as_json:
        print_json(view.model_dump(mode="json"))
    else:
        print_lines(*lines)


def tell_page(as_json: bool, page: dict[str, Any], columns: dict[str, str], empty: str) -> None:
    """Print a page for programs, or as a table for people: `columns` are the fields it shows, by their titles."""
    if as_json:
        print_json(page)
        return
    print_table(list(columns), [[item[field] for field in columns.values()] for item in page["data"]], empty)
    if page["next_cursor"]:
        print_lines("", f"There is more: repeat the command with --cursor {page['next_cursor']}")
