"""`python -m bench.look_ups` works, and the statements that it counts stay few. How fast anything is, no test asks."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_key_takes_one_statement_and_no_credential_more_than_two() -> None:
    command = [sys.executable, "-m", "bench.look_ups", "--stores", "sqlite", "--rounds", "2", "--batch", "1", "--json"]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True, timeout=110)
    counted = {one["kind"]: one["statements"] for one in json.loads(said.stdout)["look_ups"]}
    # No transaction begins; who is unknown is told so after a look at the newest revision.
    assert {"key": 1, "personal token": 2, "access token": 2, "app token": 2, "embed key": 2, "unknown": 2} == counted
