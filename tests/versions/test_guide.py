"""The guide for hosts is true: its code runs, and its change holds to the contract."""

import re
from pathlib import Path
from typing import Any

import pytest

GUIDE = Path(__file__).parent.parent.parent / "docs" / "versions.md"


def test_code_of_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYRACK_DATA", str(tmp_path))
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    for block in blocks:
        exec(block, names)
    assert 2 == len(blocks)
    assert ("2026-01-01", "2026-10-01") == names["rack"].versions.dates
