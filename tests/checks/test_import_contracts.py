"""Each import contract of pyproject.toml finds the import that is planted against it, in a small house of the same shape."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

HOUSE = [
    *(
        "keyrack.cli",
        "keyrack.client",
        "keyrack.testing",
        "keyrack.server",
        "keyrack.embed",
        "keyrack.api",
        "keyrack.console",
        "keyrack.oauth",
    ),
    *("keyrack.docs", "keyrack.assemble", "keyrack.work", "keyrack.gate", "keyrack.gate.authorize", "keyrack.gate.walk", "keyrack.manage"),
    *("keyrack.feed", "keyrack.feed.look_ups", "keyrack.store", "keyrack.store.lookup", "keyrack.store.tables", "keyrack.volatile"),
    *("keyrack.crypto", "keyrack.settings", "keyrack.model", "keyrack.model.keys", "keyrack.model.events", "atrium", "atrium.customers"),
]

LAYERS = "Imports go one way, and siblings never import each other"
FACES = "Faces never import store, volatile or feed"
LOOKUP = "Only the modules it names ask the finders without a workspace"
TABLES = "Only the store knows its tables"
DECISION = "The decision whether a call is allowed does no I/O"
MODEL = "The model knows no I/O, clock or randomness"
CLIENT = "The client imports nothing of ours"
HOSTS = "Only hosts import the public names"
PUBLIC = "Atrium imports only the public names"
KEYRACK = "Keyrack does not know Atrium"
CYCLES = "No cycles"

PLANTED = [
    ("keyrack.crypto", "import keyrack.store", {LAYERS}),
    ("keyrack.gate.walk", "import keyrack.manage", {LAYERS}),
    ("keyrack.api", "import keyrack.console", {LAYERS}),
    ("keyrack.model.keys", "import keyrack.store", {LAYERS}),
    ("keyrack.novelty", "", {LAYERS}),
    ("keyrack.console", "from keyrack.store import keys", {FACES}),
    ("keyrack.api", "import keyrack.feed.look_ups", {FACES}),
    ("keyrack.work", "from keyrack.store import lookup", {LOOKUP}),
    ("keyrack.work", "from keyrack.store.tables import keys", {TABLES}),
    ("keyrack.gate.authorize", "import keyrack.volatile", {DECISION}),
    ("keyrack.gate.authorize", "from asyncio import sleep", {DECISION}),
    ("keyrack.model.keys", "import time", {MODEL}),
    ("keyrack.client", "import keyrack.model.keys", {CLIENT}),
    ("keyrack.server", "from keyrack import Keyrack", {HOSTS}),
    ("atrium.customers", "from keyrack.model import keys", {PUBLIC}),
    ("keyrack.cli", "import atrium", {KEYRACK}),
    ("keyrack.model.keys", "import keyrack.model.events", {CYCLES}),
]


@pytest.mark.parametrize(("module", "line", "broken"), PLANTED)
def test_planted_import_breaks_its_contract_alone(tmp_path: Path, module: str, line: str, broken: set[str]) -> None:
    _build(tmp_path, {"keyrack.model.events": "import keyrack.model.keys" if CYCLES in broken else "", module: line})

    assert broken == _broken(tmp_path)


def test_house_as_designed_keeps_every_contract(tmp_path: Path) -> None:
    planned = {
        "keyrack": "import keyrack.server",
        "keyrack.server": "import keyrack.api, keyrack.assemble",
        "keyrack.api": "import keyrack.manage",
        "keyrack.manage": "import keyrack.store, keyrack.feed",
        "keyrack.feed.look_ups": "import keyrack.store.lookup",
        "keyrack.store.lookup": "import keyrack.store.tables",
        "atrium.customers": "from keyrack import Keyrack",
    }
    _build(tmp_path, planned)

    assert set() == _broken(tmp_path)


def _build(root: Path, lines: dict[str, str]) -> None:
    for module in {*HOUSE, *lines}:
        folder = root.joinpath(*module.split("."))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text(lines.get(module, "") + "\n")
    (root / "keyrack" / "__init__.py").touch()
    shutil.copy(PYPROJECT, root)


def _broken(root: Path) -> set[str]:
    command = [str(LINT_IMPORTS), "--no-logo", "--no-cache"]
    result = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root), "COLUMNS": "200"}, capture_output=True, text=True)
    assert "Contracts:" in result.stdout, result.stdout + result.stderr
    return {line.removesuffix(" BROKEN") for line in result.stdout.splitlines() if line.endswith(" BROKEN")}
