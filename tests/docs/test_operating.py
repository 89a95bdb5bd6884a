"""The operators' page says what is so: every setting with its default, every metric, every part of an answer."""

import json
import re
from contextlib import redirect_stdout
from io import StringIO
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from pydantic import SecretStr

from keyrack.cli.serve import DRAIN_SECONDS
from keyrack.model.measures import Histogram, Standing, Tally
from keyrack.settings import Settings
from keyrack.work.measuring import Reading

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
NODES = ("node1", "node2")
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
    # What programs take by themselves, beside the settings.
    known = {f"KEYRACK_{name.upper()}" for name in Settings.model_fields} | {"KEYRACK_APP"}
    found = set(re.findall(r"KEYRACK_\w+", (ROOT / name).read_text()))
    assert found
    assert set() == found - known


def test_deployment_believes_its_proxy_and_nothing_else() -> None:
    nodes, nginx = [COMPOSE["services"][name] for name in NODES], COMPOSE["services"]["nginx"]
    for node in nodes:
        assert [f"{_address_of(nginx)}/32"] == json.loads(node["environment"]["KEYRACK_TRUSTED_PROXIES"])
    assert ["127.0.0.1:8080:80"] == nginx["ports"]
    assert ["nginx"] == [name for name, service in COMPOSE["services"].items() if "ports" in service]


def test_addresses_of_the_deployment_are_given_to_nobody_else() -> None:
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    fixed = [_address_of(COMPOSE["services"][name]) for name in (*NODES, "nginx")]
    assert len(set(fixed)) == len(fixed)
    for address in fixed:
        assert ip_address(address) in ip_network(network["subnet"])
        assert ip_address(address) not in ip_network(network["ip_range"])


def test_deployment_starts_nodes_that_its_proxy_and_checks_ask() -> None:
    image = (ROOT / "Dockerfile").read_text()
    (port,) = re.findall(r"^EXPOSE (\d+)$", image, re.MULTILINE)
    assert f'"--port", "{port}"' in image
    assert [f"{name}:{port}" for name in NODES] == re.findall(
        r"^ +server (\S+) ", (ROOT / "deploy" / "nginx.conf").read_text(), re.MULTILINE
    )
    for name in NODES:
        node = COMPOSE["services"][name]
        assert f"http://127.0.0.1:{port}/readyz" in node["healthcheck"]["test"][-1]
        assert int(node["stop_grace_period"].removesuffix("s")) >= DRAIN_SECONDS + 15
        assert [f"{name}:/data"] == node["volumes"]
        assert node["read_only"]


def test_page_says_how_to_write_what_the_deployment_needs() -> None:
    needed = set(re.findall(r"\$\{(\w+):\?\}", (ROOT / "compose.yaml").read_text()))
    program = _section("Containers").partition("<<'END'\n")[2].partition("\nEND\n")[0]
    written = StringIO()
    with redirect_stdout(written):
        exec(program, {})
    values = dict(line.split("=", 1) for line in written.getvalue().splitlines())
    assert needed == set(values)
    settings = Settings(secrets=json.loads(values["KEYRACK_SECRETS"]), metrics_token=SecretStr(values["METRICS_TOKEN"]))
    assert len(settings.secrets) == 1
    assert re.fullmatch(r"[\w-]+", values["POSTGRES_PASSWORD"])


def _address_of(service: dict[str, Any]) -> str:
    return str(service["networks"]["default"]["ipv4_address"])


def test_image_is_made_of_what_is_locked() -> None:
    text = (ROOT / "Dockerfile").read_text()
    for lock in ("requirements.lock", "requirements-build.lock"):
        assert f"--require-hashes -r {lock}" in text
    kept = [line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert [] == [name for name in kept if not list(ROOT.glob(name))]
