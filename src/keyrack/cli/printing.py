"""What commands print: tables and sentences for people, or one JSON object for programs. Standard output holds nothing else."""

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keyrack.model.request_logs import Mask

# Control characters move the cursor and set colours, and the others turn the direction of writing or break lines: names that customers
# choose must not be able to forge what a terminal shows.
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WORDS = {None: "–", True: "yes", False: "no"}
PIPED_WIDTH = 100_000
LINE_LENGTH_MAX = 10_000
# Of any host: a command that fails may not know whose secrets it was given.
_mask = Mask(())


def clean(text: str) -> str:
    """Return the text without what a terminal would obey instead of showing it."""
    return "".join(place for place in text if unicodedata.category(place) not in _UNSEEN and place not in _DIRECTIONS)


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object as one line, in ASCII."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def print_lines(*lines: str) -> None:
    """Print lines for people, never wrapped: a line that is to be copied stays one line."""
    sys.stdout.write("".join(f"{clean(line)}\n" for line in lines))
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """Print rows under their columns, or, where there are none, the sentence `empty`."""
    if not rows:
        print_lines(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_WORDS[cell] if cell is None or isinstance(cell, bool) else clean(str(cell))) for cell in row))
    # Where nobody looks, nothing is folded: a line stays a row.
    console = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    with console.capture() as captured:
        console.print(table)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
    sys.stdout.flush()


def print_failure(message: str) -> None:
    """Print on standard error why a command ends. A secret given in place of an id is not repeated: job logs keep what is printed."""
    typer.echo("keyrack: " + "\n".join(clean(_mask(line, LINE_LENGTH_MAX)) for line in message.splitlines()), err=True)
