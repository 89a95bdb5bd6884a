"""`/metrics` counts what calls did, over all processes of a machine and their lives, and shows it to nobody without the token."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from keyrack.model.measures import BOUNDS_SECONDS, Histogram, Standing, Tally
from keyrack.model.refusals import ALL
from keyrack.volatile.measures import Measures
from tests.backends import Backend
from tests.hosts import Host, running
from tests.operations.conftest import TOKEN
from tests.serving.served import until

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
# Whatever there is to tell apart: nothing that customers make more of.
LABELS = {"operation", "status", "code", "le", "result", "version"}


async def metrics(host: Host) -> Samples:
    """Read the page as Prometheus does."""
    answer = await host.get("/metrics", TOKEN)
    assert 200 == answer.status_code
    families = text_string_to_metric_families(answer.text)
    return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


async def test_page_is_there_for_the_token_alone(host: Host) -> None:
    key = await host.key()
    for answer in (await host.get("/metrics"), await host.get("/metrics", "wrong"), await host.get("/metrics", key)):
        assert (404, "Not Found") == (answer.status_code, answer.text)


async def test_without_a_token_there_is_no_page_and_nothing_is_measured(backend: Backend, tmp_path: Path) -> None:
    async with running(backend, tmp_path) as host:
        assert 404 == (await host.get("/metrics", "")).status_code
        assert not (tmp_path / "measures").exists()


async def test_calls_are_counted_by_what_they_end_with(host: Host) -> None:
    key = await host.key()
    for _ in range(3):
        assert 200 == (await host.get("/api/v1/me", key)).status_code
    assert 401 == (await host.get("/api/v1/me")).status_code
    assert 404 == (await host.get("/api/v1/nowhere", key)).status_code
    assert 201 == (await host.send("POST", "/api/v1/customers", key, json={"name": "x"})).status_code
    # As many strange methods as somebody likes are one.
    assert {405} == {(await host.send(f"M{number}", "/api/v1/me", key)).status_code for number in range(3)}
    found: Samples = {}

    async def are_counted() -> bool:
        found.update(await metrics(host))
        return value(found, "keyrack_calls_proved_total") == 8

    await until(are_counted, lambda: f"only {found}")
    calls = {labels: count for (name, labels), count in found.items() if name == "keyrack_calls_total"}
    expected = {
        ("read", "200", "none"): 3,
        ("read", "401", "missing_credential"): 1,
        ("unmatched", "404", "not_found"): 1,
        ("write", "201", "none"): 1,
        ("unmatched", "405", "method_not_allowed"): 3,
    }
    assert expected == {tuple(dict(labels)[name] for name in ("operation", "status", "code")): count for labels, count in calls.items()}
    assert 4 == value(found, "keyrack_call_duration_seconds_count", operation="read")
    assert 1 == value(found, "keyrack_look_ups_total", result="found")
    assert 1 == value(found, "keyrack_cache_entries")
    assert 1 == value(found, "keyrack_spool_has_room")
    assert value(found, "keyrack_spool_bytes") > 0


async def test_names_and_labels_follow_the_conventions_and_stay_few(host: Host) -> None:
    key = await host.key()
    await host.get("/api/v1/me", key)
    await asyncio.sleep(1.2)
    found = await metrics(host)
    assert {name for _, labels in found for name, _ in labels} <= LABELS
    assert all(name.startswith("keyrack_") for name, _ in found)
    for secret in (key.key.id, key.secret.text, host.workspace.id, "vml", key.integration.id):
        assert not [1 for _, labels in found for _, text in labels if secret in text]
    # Of every name at most: classes × codes × few statuses; buckets × classes.
    assert len(found) < 4 * len(ALL) * 3 + 4 * len(BOUNDS_SECONDS) + 50


async def test_leases_changes_and_applied_revision_are_told(host: Host, backend: Backend) -> None:
    admin = await host.key()
    other = await host.key(name="other")
    await host.get("/api/v1/me", other)
    await host.edit_rights(other, admin.integration.rights)
    found = await metrics(host)
    assert 1 == value(found, "keyrack_processes")
    assert 1 <= value(found, "keyrack_change_wait_seconds_count")
    leases = {name for name, _ in found if name.startswith("keyrack_lease")}
    assert leases == ({"keyrack_leases_held", "keyrack_lease_age_seconds"} if backend.dialect == "postgresql" else set())
    if backend.dialect == "postgresql":
        assert 1 == value(found, "keyrack_leases_held")


def _tally(calls: int) -> Tally:
    return Tally(calls={"read 200 none": calls}, proved=calls, durations={"read": Histogram(seconds=float(calls))})


def test_counts_of_all_processes_add_up_and_outlive_them(tmp_path: Path) -> None:
    one, two, three = (Measures(tmp_path) for _ in range(3))
    one.write(_tally(1), Standing(5, 10))
    two.write(_tally(2), Standing(4, 20))
    total, standings = one.read()
    assert (3, 3.0) == (total.calls["read 200 none"], total.durations["read"].seconds)
    assert {Standing(5, 10), Standing(4, 20)} == set(standings)
    two.close()
    assert (3, [Standing(5, 10)]) == (one.read()[0].proved, one.read()[1])
    third = _tally(4)
    three.write(third, Standing(6, 0))
    assert (7, 6) == (one.read()[0].proved, third.proved), "taken over, once"
    three.close()
    one.write(own := _tally(1), None)
    assert 7 == own.proved == one.read()[0].proved
    assert 1 == len(list(tmp_path.iterdir()))
    one.close()


def test_counts_of_a_killed_process_stay_and_its_standing_goes(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        Measures(tmp_path).write(_tally(5), Standing(1, 1))
        os.write(writing, b"x")
        signal.pause()
    os.read(reading, 1)
    os.close(reading)
    os.close(writing)
    own = Measures(tmp_path)
    own.write(_tally(1), Standing(2, 2))
    assert (6, 2) == (own.read()[0].proved, len(own.read()[1]))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert (6, 1) == (own.read()[0].proved, len(own.read()[1]))
    own.close()


def test_torn_file_spoils_nothing(tmp_path: Path) -> None:
    own = Measures(tmp_path)
    own.write(_tally(1), None)
    (tmp_path / "0000-torn.measures").write_bytes(b"\xff" * 100)
    (tmp_path / "0001-empty.measures").touch()
    assert 1 == own.read()[0].proved
    own.write(_tally(2), None)
    assert 2 == own.read()[0].proved
    own.close()


@pytest.mark.parametrize("seconds", [0.0, 0.0005, 0.01, 99.0])
def test_histogram_counts_each_once(seconds: float) -> None:
    histogram = Histogram()
    histogram.observe(seconds)
    assert 1 == sum(histogram.counts)
    place = histogram.counts.index(1)
    assert place == len(BOUNDS_SECONDS) or seconds <= BOUNDS_SECONDS[place]
    assert place == 0 or seconds > BOUNDS_SECONDS[place - 1]
