"""`python -m bench.request_logs` works: it fills a log and makes every search. How fast anything is, no test asks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_small_run_measures_everything(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "bench.request_logs",
        "--rows",
        "500",
        "--rounds",
        "1",
        "--stores",
        "sqlite",
        "--scratch",
        str(tmp_path),
    ]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True, timeout=110)
    assert "500 lines moved" in said.stdout
    for search in ("last 24 h, newest first", "path by one object", "substring that is nowhere", "chart of 24 h, one key"):
        assert search in said.stdout
