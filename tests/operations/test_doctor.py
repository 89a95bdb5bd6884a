"""`keyrack doctor` warns of what operators forget."""

from pathlib import Path

import pytest

from keyrack.cli import doctor
from keyrack.settings import Settings

TOKEN = "the-token-of-the-metrics-page"


@pytest.mark.parametrize(
    ("base_url", "proxies", "state"),
    [
        (None, [], doctor.OK),
        ("http://localhost:8000", [], doctor.OK),
        ("https://api.acme.test", ["10.0.0.0/8"], doctor.OK),
        ("https://api.acme.test", [], doctor.WARNING),
    ],
)
def test_proxy_that_nobody_named_is_warned_about(tmp_path: Path, base_url: str | None, proxies: list[str], state: str) -> None:
    found = doctor._addresses(Settings(data=tmp_path, base_url=base_url, trusted_proxies=proxies))
    assert state == found.state
    assert ("KEYRACK_TRUSTED_PROXIES" in found.detail) == (state == doctor.WARNING)


def test_telemetry_is_told_without_its_token(tmp_path: Path) -> None:
    found = doctor._telemetry(Settings(data=tmp_path, metrics_token=TOKEN, traces_url="http://127.0.0.1:4318/v1/traces", traces_ratio=0.25))
    assert "25% of the traces to http://127.0.0.1:4318/v1/traces" in found.detail
    assert TOKEN not in found.detail
