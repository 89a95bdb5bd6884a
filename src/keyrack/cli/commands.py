"""The commands of `keyrack`, and what is told where one fails."""

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from keyrack.cli import (
    backups,
    copies,
    demo,
    docs,
    doctor,
    integrations,
    keys,
    listen,
    members,
    migrations,
    openapi,
    people,
    request_logs,
    serve,
    workspaces,
)
from keyrack.cli.failures import explain
from keyrack.cli.options import Json
from keyrack.cli.printing import print_failure, print_json, print_lines

app = typer.Typer(
    name="keyrack",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("migrate")(migrations.migrate)
app.command("openapi")(openapi.openapi)
app.command("doctor")(doctor.doctor)
app.command("listen")(listen.listen)
app.command("copy")(copies.copy)
app.command("backup")(backups.backup)
app.command("compare")(backups.compare)
for group in (
    members.commands,
    people.commands,
    workspaces.commands,
    integrations.commands,
    keys.commands,
    request_logs.commands,
    docs.commands,
):
    app.add_typer(group)


@app.callback(invoke_without_command=True)
def keyrack(
    shows_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    as_json: Json = False,
) -> None:
    """Keyrack: integrations, keys, permissions, request logs and limits for the API of a product."""
    if not shows_version:
        return
    if as_json:
        print_json({"version": version("keyrack")})
    else:
        print_lines(f"keyrack {version('keyrack')}")
    raise typer.Exit


def run() -> None:
    """Run the command that the arguments name; what an operator can mend ends it in one sentence and with 1."""
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output has gone. Nothing more may be written there, not even at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        print_failure(message)
        sys.exit(1)
