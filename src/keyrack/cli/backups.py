"""`keyrack backup` and `keyrack compare`: keep what an installation holds, and learn what a restored backup has lost."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from keyrack.cli import hosts
from keyrack.cli.failures import Failed
from keyrack.cli.options import App, Data, Json
from keyrack.cli.printing import print_json, print_lines, print_table
from keyrack.model.times import iso
from keyrack.store import backups
from keyrack.store.copying.lost import lost_events
from keyrack.store.copying.places import TRAFFIC_NAME, Place


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to: a folder that holds no backup yet.", file_okay=False)],
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write a backup of an installation on SQLite, while servers run.

    It holds all but the signing key, which belongs in another place, and log lines of the last second or two.
    PostgreSQL has its own: pg_dump, pg_basebackup.
    """
    settings = hosts.settings_for(app, data)
    if settings.store_path is None:
        raise Failed("This installation is on PostgreSQL: back it up with pg_dump or pg_basebackup. docs/backup.md says how.")
    made = backups.back_up((settings.store_path, settings.data / TRAFFIC_NAME), folder)
    sizes = {path.name: path.stat().st_size for path in made.files}
    if as_json:
        print_json({"folder": str(folder), "bytes": sizes, "revision": made.revision, "event_position": made.event_position})
        return
    print_lines(
        *(f"Wrote {folder / name} ({size:,} bytes), and checked it." for name, size in sizes.items()),
        f"It holds everything up to revision {made.revision:,} and event {made.event_position:,}.",
        f"Keep the signing key apart from it: {settings.data / 'secret.key'}, unless KEYRACK_SECRETS names others.",
    )


def compare(
    source: Annotated[str, typer.Option("--from", metavar="URL|FOLDER", help="The database that was replaced.")],
    target: Annotated[str, typer.Option("--to", metavar="URL|FOLDER", help="The one that was restored, or a backup.")],
    as_json: Json = False,
) -> None:
    """List what happened that a backup does not know.

    After a restore: keys that were revoked since work again. This lists every such event, so that it can be
    done again. Servers may run on either.
    """
    lost = asyncio.run(lost_events(Place.named(source), Place.named(target)))
    shown = ("workspace_id", "type", "object_type", "object_id", "actor_name")
    rows = [{"created_at": iso(row.created_at), **{name: getattr(row, name) for name in shown}} for row in lost]
    if as_json:
        print_json({"object": "list", "data": rows})
        return
    columns = {"WHEN": "created_at", "WORKSPACE": "workspace_id", "EVENT": "type", "OBJECT": "object_id", "BY": "actor_name"}
    print_table(list(columns), [[row[field] for field in columns.values()] for row in rows], "Nothing: every event is in both.")
