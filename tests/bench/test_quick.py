"""`make bench` works: it measures everything that it promises. How fast anything is, no test asks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GATED = {"raw behind the gate", "FastAPI behind the gate"}


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs a core for each side")
def test_a_quick_run_measures_everything() -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--json"]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True, timeout=110)
    found = json.loads(said.stdout)
    assert {"machine", "in_process", "steps", "over_http", "memory"} == set(found)
    assert {"one_by_one_gate", "one_by_one_commits", "in_turns_gate", "in_turns_commits", "log_moving"} <= set(found["in_process"])
    assert "change check" in found["steps"]
    http: dict[str, Any] = found["over_http"]
    assert {"raw", "FastAPI"} | GATED | {f"{name} · with commits" for name in GATED} == set(http["served"])
    assert [(name, False) for name in sorted(GATED)] == sorted(
        (one["gated"], one["with_commits"]) for one in http["ratios"] if not one["with_commits"]
    )
    for figure in [served["per_second"] for served in http["served"].values()]:
        assert {"median", "low", "high", "rounds"} == set(figure)
    assert found["memory"]["keys_stored"] > found["memory"]["keys_cached"] > 0
