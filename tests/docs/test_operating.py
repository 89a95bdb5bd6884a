"""The operators' page says what is so: every setting with its default, every metric, every part of an answer."""

import json
import re
from pathlib import Path

import pytest

from keyrack.model.measures import Histogram, Standing, Tally
from keyrack.settings import Settings
from keyrack.work.measuring import Reading

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()
SETTING = re.compile(r"^\| `(\w+)` \| `?([^|`]+)`? \| .+ \|$", re.MULTILINE)


def _section(name: str) -> str:
    return PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_every_setting_is_there_with_its_default() -> None:
    told = {name: default.strip() for name, default in SETTING.findall(_section("Settings"))}
    known = {name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}
    assert {name: "none" if value is None or value == [] else str(value) for name, value in known.items()} == told


def test_every_metric_is_there_and_no_other() -> None:
    metrics = pytest.importorskip("keyrack.api.metrics")
    tally = Tally({"read 200 none": 1}, {"read": Histogram()}, 1, {"found": 1})
    reading = Reading(tally, [Standing(1, 1, True, 0.1, 0.1, False, 1)], 1, True)
    shown = {
        metric.name + ("_total" if metric.type == "counter" else "_info" if metric.type == "info" else "")
        for metric in metrics._Once(reading).collect()
    }
    told = set(re.findall(r"`(keyrack_\w+)`", _section("Metrics").partition("| metric |")[2].partition("\n\n")[0]))
    assert shown == told


def test_example_of_readiness_is_json() -> None:
    (example,) = re.findall(r"```json\n(.+?)```", _section("Health"), re.DOTALL)
    assert {"ready", "missing", "checks", "details"} == set(json.loads(example))


@pytest.mark.parametrize("name", ["compose.yaml", "Dockerfile"])
def test_variables_of_the_deployment_are_settings(name: str) -> None:
    known = {f"KEYRACK_{name.upper()}" for name in Settings.model_fields}
    found = set(re.findall(r"KEYRACK_\w+", (ROOT / name).read_text()))
    assert found
    assert set() == found - known


def test_trusted_proxies_of_the_deployment_are_its_network() -> None:
    text = (ROOT / "compose.yaml").read_text()
    (network,) = re.findall(r"subnet: (\S+)", text)
    assert f"KEYRACK_TRUSTED_PROXIES: '[\"{network}\"]'" in text


def test_image_is_made_of_what_is_locked() -> None:
    text = (ROOT / "Dockerfile").read_text()
    for lock in ("requirements.lock", "requirements-build.lock"):
        assert f"--require-hashes -r {lock}" in text
    kept = [line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert [] == [name for name in kept if not list(ROOT.glob(name))]
