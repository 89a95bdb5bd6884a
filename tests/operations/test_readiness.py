"""`/readyz` says whether a process can serve, and why not, soon enough for whoever asks; a call waits no longer than an operator allows."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.backends import Backend
from tests.hosts import ADMIN_RIGHTS, Host, running
from tests.operations.conftest import TOKEN
from tests.serving.served import until
from tests.walk.problems import problem

ANSWER_SECONDS = 2
# What waiting in several queues, one after the other, would not come below.
SECONDS_MAX = 12


@pytest.fixture(autouse=True)
def _waits_as_long_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests have more patience with a busy machine."""
    monkeypatch.setenv("KEYRACK_STORE_ANSWER_SECONDS", str(ANSWER_SECONDS))


@asynccontextmanager
async def held(path: Path) -> AsyncIterator[None]:
    """Hold a file as another program does that writes for long."""
    other = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
    # In a thread: a change of the host's own that has the file now can end.
    await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def test_ready_process_says_what_it_stands_on(host: Host, backend: Backend) -> None:
    answer = await host.get("/readyz")
    assert 200 == answer.status_code
    found = answer.json()
    assert (True, []) == (found["ready"], found["missing"])
    expected = {"process", "request_log", "store"} | ({"lease"} if backend.dialect == "postgresql" else set())
    assert dict.fromkeys(expected, True) == {name: check["ok"] for name, check in found["checks"].items()}
    assert all(check["detail"] for check in found["checks"].values())
    assert "limits" in found["details"]
    assert "no-store" == answer.headers["cache-control"]


async def test_process_that_stops_is_alive_but_not_ready(host: Host) -> None:
    host.rack.assembly.readiness.is_started = False
    answer = await host.get("/readyz")
    assert 503 == answer.status_code
    assert ["not started"] == answer.json()["missing"]
    assert 200 == (await host.get("/healthz")).status_code


@pytest.fixture
def only_files(backend: Backend) -> None:
    if backend.dialect != "sqlite":
        pytest.skip("only files can be held like this")


@pytest.mark.usefixtures("only_files")
async def test_held_file_is_told_soon_and_however_often_somebody_asks(host: Host, tmp_path: Path) -> None:
    async with held(tmp_path / "keyrack.db"), asyncio.timeout(SECONDS_MAX):
        answers = await asyncio.gather(*(host.get("/readyz") for _ in range(20)))
    assert {503} == {answer.status_code for answer in answers}
    assert all("the store" in reason.lower() for answer in answers for reason in answer.json()["missing"])

    async def is_ready() -> bool:
        return (await host.get("/readyz")).status_code == 200

    await until(is_ready)


@pytest.mark.usefixtures("only_files")
async def test_changes_that_meet_a_held_file_are_refused_soon_the_queuing_ones_too(host: Host, tmp_path: Path) -> None:
    admin = await host.key(ADMIN_RIGHTS)
    assert 200 == (await host.get("/api/v1/me", admin)).status_code
    async with held(tmp_path / "keyrack.db"), asyncio.timeout(SECONDS_MAX):
        made = (host.send("POST", "/api/v1/keys", admin, json={"name": f"key {number}"}) for number in range(10))
        for answer in await asyncio.gather(*made):
            problem(answer, 503, "store_unavailable")
    assert 201 == (await host.send("POST", "/api/v1/keys", admin, json={"name": "later"})).status_code


async def test_call_of_a_running_process_goes_on_while_the_file_is_held(host: Host, tmp_path: Path, backend: Backend) -> None:
    key = await host.key()
    assert 200 == (await host.get("/api/v1/me", key)).status_code
    if backend.dialect == "sqlite":
        async with held(tmp_path / "keyrack.db"):
            assert 200 == (await host.get("/api/v1/me", key)).status_code
    problem(await host.get("/api/v1/me"), 401, "missing_credential")


async def test_valkey_being_away_is_told_and_no_reason_not_to_be_ready(backend: Backend, tmp_path: Path) -> None:
    async with running(backend, tmp_path, valkey_url="valkey://127.0.0.1:9", metrics_token=TOKEN) as host:
        answer = await host.get("/readyz")
        metrics = await host.get("/metrics", TOKEN)
    assert 200 == answer.status_code
    assert {"ok": False, "detail": "Valkey is away: each process admits its share"} == answer.json()["details"]["limits"]
    assert "keyrack_valkey_away_processes 1.0" in metrics.text
