"""`keyrack openapi`: an app's OpenAPI document, for programs that generate clients from it. Nothing is started, and no data is read."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from keyrack.cli import hosts
from keyrack.cli.printing import print_json


def openapi(
    app: Annotated[str, typer.Argument(help="The app, as module:app.", show_default=False)],
    base_url: Annotated[str | None, typer.Option("--base-url", help="The address of the API, without a path.", show_default=False)] = None,
) -> None:
    """Print the OpenAPI 3.1 document of an app: its own operations, and those of the management API.

    Write it into a file: keyrack openapi atrium.app:app > openapi.json
    """
    with TemporaryDirectory(prefix="keyrack-openapi-") as folder:
        hosts.use_folder(Path(folder))
        rack = hosts.rack_in(hosts.load(app), app)
        described = rack.openapi(base_url or rack.settings.base_url or "http://127.0.0.1:8000")
    print_json(described)
