"""What the operators' pages tell people to type is there."""

import re
from pathlib import Path

import pytest
import typer.main

from keyrack.cli.commands import app

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["backup.md", "upgrading.md", "moving.md"]
COMMANDS = typer.main.get_command(app)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_the_page_exists(page: str) -> None:
    text = (DOCS / page).read_text()
    named = re.findall(r"`(keyrack [^`]+)`|^ *(keyrack .+)$", text, re.MULTILINE)
    assert named
    for line in ("".join(found) for found in named):
        words = line.split()[1:]
        command = COMMANDS
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
        assert command is not COMMANDS, line
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", (DOCS / page).read_text()):
        assert (DOCS / target).exists(), target
