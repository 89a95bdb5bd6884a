"""`keyrack migrate`: bring the database up to this version. A server does the same when it starts."""

import asyncio
from typing import Annotated

import typer

from keyrack.cli import hosts
from keyrack.cli.options import DEFAULT_DATA, App, Data, Json
from keyrack.cli.printing import print_json, print_lines
from keyrack.settings import Settings
from keyrack.store import migrations


def migrate(
    app: App = None,
    data: Data = None,
    post: Annotated[
        bool, typer.Option("--post", help="Also take away what older versions need: once no process runs one of them any more.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the database up to date, or make it.

    A server does this itself when it starts, beside older ones, all but --post. Run it before, where the server may
    not change tables. Several at once are safe.
    """
    settings = hosts.settings_for(app, data if app else data or DEFAULT_DATA, make=True)
    ran, waiting = asyncio.run(_migrate(settings, post))
    if as_json:
        print_json({"ran": ran, "waiting": waiting})
        return
    print_lines(*(f"Ran {name}." for name in ran), "The database is up to date.")
    if waiting:
        print_lines(f"When every process runs this version: keyrack migrate --post (it runs {', '.join(waiting)}).")


async def _migrate(settings: Settings, post: bool) -> tuple[list[str], list[str]]:
    ran = await migrations.migrate(settings.store_url, settings.traffic_url, post=post)
    return ran, await migrations.pending(settings.store_url, settings.traffic_url)
