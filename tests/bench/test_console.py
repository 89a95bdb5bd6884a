"""`make bench-console` works: it asks for every page. How fast anything is, no test asks."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_quick_run_asks_for_every_page_that_has_no_dialog_of_its_own() -> None:
    command = [sys.executable, "-m", "bench.console", "--quick", "--json"]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True, timeout=110)
    found = json.loads(said.stdout)
    assert {"", "/keys", "/integrations", "/logs", "/logs?range=30d", "/spaces", "/members"} <= set(found)
    assert all(one["p95"] >= one["median"] > 0 for one in found.values())
