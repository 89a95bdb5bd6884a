"""What the pages of docs/ show is so: programs have names that exist, commands their options, objects are JSON.

Pages whose programs are run as they stand have tests of their own; here is what holds for every page.
"""

import ast
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import typer.main

from keyrack.cli.commands import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
COMMANDS = typer.main.get_command(app)
# What is no program of ours: its own readers look at it.
OTHERS = {"html", "http", "jinja", "text", "ts", "yaml"}


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """The blocks of a page: language and text, as if they stood at the margin."""
    for indent, language, text in BLOCK.findall(page.read_text()):
        yield language, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_of_a_kind_that_is_looked_at(page: Path) -> None:
    assert set() == {language for language, _ in blocks(page)} - OTHERS - {"python", "json", "sh", "bash"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_objects_are_json(page: Path) -> None:
    for language, text in blocks(page):
        if language == "json":
            json.loads(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_programs_are_python_and_import_what_there_is(page: Path) -> None:
    for language, text in blocks(page):
        if language != "python":
            continue
        # A decorator may stand alone, where its function says nothing new.
        whole = text if not text.rstrip().splitlines()[-1].startswith("@") else f"{text}def shown(): ..."
        tree = compile(whole, page.name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("keyrack", "atrium"):
                module = import_module(str(node.module))
                assert [] == [name.name for name in node.names if not hasattr(module, name.name)], page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist_with_their_options(page: Path) -> None:
    lines = [
        line.partition("#")[0]
        for language, text in blocks(page)
        if language in ("sh", "bash")
        for line in text.replace("\\\n", " ").splitlines()
    ]
    for line in lines:
        words = line.split()
        if not words or words[0] != "keyrack":
            continue
        command = COMMANDS
        words.pop(0)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
        assert command is not COMMANDS, line
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options, line
