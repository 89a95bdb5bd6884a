"""Strangers' linters find nothing in the document, under any brand."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.npm import NODE, install
from tests.openapi.documents import write_all

HERE = Path(__file__).parent
SECONDS_MAX = 110
# Neither tells anybody that it runs, nor asks whether there is a newer one.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1", "CI": "true"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The document of each brand."""
    install(HERE)
    return write_all(tmp_path_factory.mktemp("documents"))


def _run(script: str, *arguments: str) -> str:
    command = [str(NODE), str(HERE / "node_modules" / script), *arguments]
    environment = {**os.environ, **QUIET}
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_spectral_finds_nothing(files: list[Path]) -> None:
    out = _run("@stoplight/spectral-cli/dist/index.js", "lint", "--ruleset", "spectral.yaml", "--format", "json", *map(str, files))
    assert [] == [f"{one['code']} at {'/'.join(map(str, one['path']))}: {one['message']}" for one in json.JSONDecoder().raw_decode(out)[0]]


def test_redocly_finds_nothing(files: list[Path]) -> None:
    out = _run("@redocly/cli/bin/cli.js", "lint", "--config", "redocly.yaml", "--format", "json", *map(str, files))
    found, _ = json.JSONDecoder().raw_decode(out)
    assert [] == [f"{one['ruleId']} at {one['location'][0].get('pointer')}: {one['message']}" for one in found["problems"]]
