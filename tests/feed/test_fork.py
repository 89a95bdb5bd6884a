"""Cache and file handles belong to one process: a forked child begins with nothing, and takes nothing from its parent."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.feed.servers import ROOT

pytestmark = pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux lists the locks that are held")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process that forked has to tell. It runs apart from this one, which has threads of its own."""
    path = tmp_path_factory.mktemp("fork") / "keyrack.db"
    command = [sys.executable, "-m", "tests.feed.forking", str(path)]
    ran = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}/src"}, capture_output=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("child", ["child", "ending_child"])
def test_a_forked_child_believes_nothing(told: dict[str, Any], child: str) -> None:
    assert told["believed_before"]
    assert {"status": 0, "current": False, "entries": 0, "believed": False}.items() <= told[child].items()


@pytest.mark.parametrize("child", ["child", "ending_child"])
def test_the_parent_keeps_its_locks_and_its_cache(told: dict[str, Any], child: str) -> None:
    assert told["locks"] >= 2
    assert told[child]["parents_locks_kept"]
    assert told[child]["parent_still_believes"]


def test_what_the_parent_commits_after_its_child_has_ended_is_seen_by_others(told: dict[str, Any]) -> None:
    assert not told["replaced"]
    assert told["ended_to_others"] == 1


def test_a_child_forked_before_anything_was_open_is_a_process_like_any_other(told: dict[str, Any]) -> None:
    assert told["early_child"] == {"status": 0, "current": True}
