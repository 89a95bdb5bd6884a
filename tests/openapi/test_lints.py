"""Strangers' linters find nothing in the document, under any brand."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.npm import NODE, install
from tests.openapi.documents import write_all

HERE = Path(__file__).parent
SECONDS_MAX = 280
pytestmark = pytest.mark.timeout(SECONDS_MAX + 60)
# Neither tells anybody that it runs, nor asks whether there is a newer one.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1", "CI": "true"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The document of each brand, and behind them one with a fault of each kind: what finds none in it looks at nothing."""
    install(HERE)
    folder = tmp_path_factory.mktemp("documents")
    written = write_all(folder)
    planted = json.loads(written[0].read_text())
    listing, creation = (planted["paths"]["/api/v1/customers"][method] for method in ("get", "post"))
    del listing["x-permission"], listing["x-cost"], listing["responses"]["200"]["content"]["application/json"]["example"]
    del creation["responses"]["429"]
    creation["requestBody"]["content"]["application/json"]["example"] = {"status": "unheard of"}
    planted["components"]["responses"]["Conflict"]["content"]["text/plain"] = planted["components"]["responses"]["Conflict"]["content"].pop(
        "application/problem+json"
    )
    (folder / "planted.json").write_text(json.dumps(planted))
    return [*written, folder / "planted.json"]


def _run(script: str, *arguments: str) -> str:
    command = [str(NODE), str(HERE / "node_modules" / script), *arguments]
    environment = {**os.environ, **QUIET}
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_spectral_finds_what_was_planted_and_nothing_else(files: list[Path]) -> None:
    # It takes long: here it reads the brand that has all nouns. Redocly reads the others as well.
    found = _spectral(files[0], files[-1])
    planted = [one for one in found if one["source"].endswith("planted.json")]
    assert [] == [f"{one['code']} at {'/'.join(map(str, one['path']))}: {one['message']}" for one in found if one not in planted]
    assert {
        "operation-says-what-it-needs",
        "operation-tells-its-cost",
        "json-has-an-example",
        "proven-operation-may-refuse",
        "refusal-is-a-problem",
        "oas3-valid-media-example",
    } == {one["code"] for one in planted}


@pytest.mark.fuzz
def test_spectral_finds_nothing_in_any_brand(files: list[Path]) -> None:
    assert [] == _spectral(*files[:-1])


def _spectral(*files: Path) -> list[dict[str, Any]]:
    out = _run("@stoplight/spectral-cli/dist/index.js", "lint", "--ruleset", "spectral.yaml", "--format", "json", *map(str, files))
    found: list[dict[str, Any]] = json.JSONDecoder().raw_decode(out)[0]
    return found


def test_redocly_finds_what_was_planted_and_nothing_else(files: list[Path]) -> None:
    out = _run("@redocly/cli/bin/cli.js", "lint", "--config", "redocly.yaml", "--format", "json", *map(str, files))
    found = [problem for report in _reports(out) for problem in report["problems"]]
    planted = [one for one in found if one["location"][0]["source"]["ref"].endswith("planted.json")]
    assert [] == [f"{one['ruleId']} at {one['location'][0].get('pointer')}: {one['message']}" for one in found if one not in planted]
    assert "no-invalid-media-type-examples" in {one["ruleId"] for one in planted}


def _reports(out: str) -> Iterator[dict[str, Any]]:
    """What Redocly says: one object for each file, and words between them."""
    at = out.find("{")
    while at >= 0:
        report, end = json.JSONDecoder().raw_decode(out, at)
        yield report
        at = out.find("{", end)
