"""`make bench-scale` works: it measures what grows. How fast anything is, no test asks."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_quick_run_measures_both_stores() -> None:
    command = [sys.executable, "-m", "bench.scale", "--quick", "--json"]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True, timeout=110)
    found = json.loads(said.stdout)
    assert ["sqlite", "postgresql"] == [one["store"] for one in found["grown"]]
    for grown in found["grown"]:
        assert grown["keys"] == grown["wanted"]
        for count, readings in grown["readings"].items():
            assert int(count) == len(readings)
            for one in readings:
                assert one["calls"] > 0
                assert one["look_ups"]
                assert one["cached_mib"] >= one["imported_mib"] > 0
    assert [0] == [one["nodes"] for one in found["revoke"]["sqlite"]]
    assert [0, 2] == [one["nodes"] for one in found["revoke"]["postgresql"]]
