"""The command line: `keyrack`. It acts as the operator, through the same functions as everyone else, so what it changes is an event."""

import gc


def main() -> None:
    """Run the command that the arguments name."""
    # What importing makes stays: to look for cycles in it again and again took a fifth of the time in which a command starts.
    gc.disable()
    from keyrack.cli.commands import run  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    run()
