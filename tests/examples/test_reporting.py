"""The report's copy is what there is, whatever happens between two runs and within one; its key only reads."""

import json
import os
import runpy
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from keyrack.client import Client
from tests.sdk.conftest import Demo
from tests.sdk.relay import CUT_BEFORE, PASS, Instead, Relay, relaying

REPORT = Path(__file__).parents[2] / "examples" / "reporting" / "report.py"
READS = {"customers": "read", "onboardings": "read"}
Report = Callable[..., str]


@pytest.fixture
def writer(demo: Demo) -> Iterator[Client]:
    """Whoever changes things meanwhile."""
    with Client(demo.live_key, base_url=demo.url) as one:
        yield one


@pytest.fixture
def relay(demo: Demo) -> Iterator[Relay]:
    """What stands between the report and the demo, and notes what it asks."""
    with relaying(demo.url) as one:
        yield one


@pytest.fixture
def report(admin: Client, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Report:
    """Runs the report, and returns what it said; `permissions` are those of its key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["report.py", "report.db", "chart.svg"])
    monkeypatch.setenv("API_URL", relay.url)
    monkeypatch.setenv("API_KEY", admin.keys.create(name="Reporting", permissions=READS).secret)

    def run(code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(REPORT), run_name="__main__")
        wrong = ended.value.code
        assert code == (0 if wrong is None else 1), wrong
        return capsys.readouterr().out + str(wrong or "")

    return run


def copied(folder: Path) -> dict[str, Any]:
    """The objects of the copy by their ids."""
    with closing(sqlite3.connect(folder / "report.db")) as db:
        return {one: json.loads(data) for one, data in db.execute("SELECT id, data FROM objects")}


def there(client: Client) -> dict[str, Any]:
    """What there really is."""
    return {one["id"]: one for path in ("/customers", "/onboardings") for one in client.list(path, limit=100)}


def listed(relay: Relay, noun: str) -> list[str]:
    """The calls for a list."""
    return [one.target for one in relay.passed if one.target.startswith(f"/api/v1/{noun}?")]


def test_copy_follows_what_is_made_changed_and_deleted(writer: Client, report: Report, tmp_path: Path) -> None:
    customers, onboardings = writer.resource("customers"), writer.resource("onboardings")
    made = [customers.create(name=f"Customer {number}") for number in range(3)]
    for one in made:
        onboardings.create(customer_id=one["id"], phase="building")
    assert " building" in report()
    assert there(writer) == copied(tmp_path)

    customers.update(made[0]["id"], name="Renamed")
    # With its onboarding, which has an event of its own.
    customers.delete(made[1]["id"])
    gone = customers.create(name="Came and went")
    customers.delete(gone["id"])
    report()
    assert there(writer) == copied(tmp_path)
    assert made[1]["id"] not in copied(tmp_path)


def test_run_that_changes_nothing_changes_nothing(writer: Client, report: Report, tmp_path: Path) -> None:
    report()
    first, chart = copied(tmp_path), (tmp_path / "chart.svg").read_text()
    report()
    assert (first, chart) == (copied(tmp_path), (tmp_path / "chart.svg").read_text())


def test_run_that_breaks_off_between_pages_is_gone_on_with(writer: Client, report: Report, relay: Relay, tmp_path: Path) -> None:
    for number in range(130):
        writer.resource("customers").create(name=f"Customer {number}")
    # The place in the events, then the first page of customers; the second one fails for good.
    relay.plan += [PASS, PASS, Instead(400)]
    assert "Not everything was read" in report(1)
    assert 100 == len(copied(tmp_path))
    # Deleted while nobody looked: one that was copied, and one that was not.
    kept = list(copied(tmp_path))
    writer.resource("customers").delete(kept[-1])
    newest = next(iter(writer.resource("customers").list()))
    writer.resource("customers").delete(newest["id"])
    before = len(listed(relay, "customers"))
    # A connection that is cut is no failure: the SDK sends the call again.
    relay.plan += [CUT_BEFORE]
    report()
    assert "cursor=" in listed(relay, "customers")[before]
    assert there(writer) == copied(tmp_path)
    # From now on, only what has changed.
    before = len(listed(relay, "customers"))
    report()
    assert all("updated_after=" in target for target in listed(relay, "customers")[before:])


def test_place_that_the_server_knows_no_more_is_left_behind(writer: Client, report: Report, tmp_path: Path) -> None:
    report()
    with closing(sqlite3.connect(tmp_path / "report.db")) as db, db:
        db.execute("INSERT INTO progress VALUES ('customer cursor', 'of another server')")
    report()
    assert there(writer) == copied(tmp_path)


def test_two_at_once_do_not_disturb_each_other(report: Report, tmp_path: Path) -> None:
    report()
    with closing(sqlite3.connect(tmp_path / "report.db", isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        assert "locked" in report(1)


def test_key_that_may_not_read_everything_is_told_so(admin: Client, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", admin.keys.create(name="Too little", permissions={"customers": "read"}).secret)
    assert "onboardings:read" in report(1)


def test_it_runs_by_itself(admin: Client, demo: Demo, tmp_path: Path) -> None:
    key = admin.keys.create(name="Reporting", permissions=READS).secret
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "API_URL": demo.url, "API_KEY": key}
    command = [sys.executable, str(REPORT), "report.db", "chart.svg"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    del environment["API_KEY"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (1, True) == (done.returncode, done.stderr.startswith("Usage: "))


def test_chart_shows_the_counts(writer: Client, report: Report, tmp_path: Path) -> None:
    customer = writer.resource("customers").create(name="<Aurora> & sons")
    writer.resource("onboardings").create(customer_id=customer["id"], phase="testing")
    told = report()
    drawn = ET.parse(tmp_path / "chart.svg").getroot()
    texts = [one.text for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    phases = ["before getting started", "getting started", "building", "testing", "launched"]
    assert ["Active onboardings by phase", *phases] == [text for text in texts if text and not text.isdigit()]
    for phase in phases:
        assert f"{texts[texts.index(phase) + 1]} {phase.replace(' ', '_')}" in told
