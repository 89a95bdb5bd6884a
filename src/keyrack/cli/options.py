"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

PAGE_LENGTH = 25
DEFAULT_DATA = Path("keyrack-data")

App = Annotated[
    str | None,
    typer.Option(
        "--app",
        envvar="KEYRACK_APP",
        metavar="MODULE:APP",
        help="The app that Keyrack is installed in. It knows key formats, categories and plans: commands that make or edit need it.",
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="KEYRACK_DATA",
        metavar="FOLDER",
        file_okay=False,
        help="The folder that holds the data.  [default: keyrack-data]",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else, on standard output.")]
InWorkspace = Annotated[
    str | None, typer.Option("--workspace", "-w", metavar="ID|SLUG", help="The workspace, by its id or its slug.  [default: the only one]")
]
Host = Annotated[str, typer.Option("--host", help="The address to listen on: 0.0.0.0 for all networks of this machine.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 takes a free one.")]
Count = Annotated[int, typer.Option("--limit", min=1, max=100, help="How many to show at once.")]
Cursor = Annotated[str | None, typer.Option("--cursor", help="Where to go on: the next_cursor of the page before.")]
