"""The TypeScript SDK's types: `python -m tests.sdk.schema` writes them anew from Atrium's OpenAPI document."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from atrium.factory import create_app
from keyrack import Keyrack, Settings
from tests.npm import NODE, install

SDK = Path(__file__).parents[2] / "sdks" / "typescript"
SCHEMA = SDK / "src" / "schema.ts"
BASE_URL = "https://my.atrium.example"
SECONDS_MAX = 110


def generated(folder: Path) -> str:
    """Return what the generator makes of the present document, by the package's own script."""
    install(SDK)
    rack: Keyrack = create_app(Settings(data=folder / "data")).state.rack
    document, made = folder / "openapi.json", folder / "schema.ts"
    document.write_text(json.dumps(without_examples(rack.openapi(BASE_URL))))
    program, *options = json.loads((SDK / "package.json").read_text())["scripts"]["generate"].split()
    node(f"node_modules/{program}/bin/cli.js", *options, str(document), "--output", str(made))
    return made.read_text()


def without_examples(value: Any, *, named: bool = False) -> Any:
    """Return a document without its examples, which are no part of the types. `named`: the keys of an object are names of the API's own."""
    if isinstance(value, list):
        return [without_examples(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {name: one for name, one in value.items() if named or name not in ("example", "examples")}
    return {name: without_examples(one, named=not named and name == "properties") for name, one in kept.items()}


def node(*command: str, **variables: str) -> str:
    """Run a program on Node to its end, and return what it printed."""
    environment = {"PATH": str(NODE.parent), "NO_COLOR": "1", **variables}
    done = subprocess.run([str(NODE), *command], cwd=SDK, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert 0 == done.returncode, f"{done.stdout}{done.stderr}"
    return done.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        SCHEMA.write_text(generated(Path(name)))
