"""`keyrack migrate`: bring the database up to this version. A server does the same when it starts."""

import asyncio

from keyrack.cli import hosts
from keyrack.cli.options import DEFAULT_DATA, App, Data, Json
from keyrack.cli.printing import print_json, print_lines
from keyrack.store import migrations


def migrate(app: App = None, data: Data = None, as_json: Json = False) -> None:
    """Bring the database up to date, or make it.

    A server does this itself when it starts. Run it before, where the server may not change tables. Several
    at once are safe.
    """
    settings = hosts.settings_for(app, data if app else data or DEFAULT_DATA, make=True)
    ran = asyncio.run(migrations.migrate(settings.store_url, settings.traffic_url))
    if as_json:
        print_json({"ran": ran})
    else:
        print_lines(*(f"Ran {name}." for name in ran), "The database is up to date.")
