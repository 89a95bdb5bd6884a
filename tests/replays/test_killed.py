"""Whatever a process was doing when it was killed: the retry is answered right, and nothing happens twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.hosts import ADMIN_RIGHTS
from tests.replays.host import FLAG, add_table
from tests.serving import served as serving_module
from tests.serving.served import Installation, Served, installed, serving, until
from tests.serving.wire import Cut, Received, connected

NAME = "Idempotency-Key: 8e03978e"
JSON = "Content-Type: application/json"


@pytest.fixture
async def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Installation]:
    """An installation whose server is the host of these tests."""
    monkeypatch.setattr(serving_module, "HOST", "tests.replays.served:app")
    async with installed(tmp_path / "data") as one:
        await add_table(one.rack)
        yield one


async def send(served: Served, key: str, path: str, body: bytes) -> Received:
    async with connected(served.url, key) as wire:
        return await wire.send("POST", path, NAME, JSON, body=body)


async def killed_at(installation: Installation, step: str, key: str, path: str, body: bytes) -> Received:
    """Send a call to a server that is killed at a step; return the answer of another one to the retry."""
    (installation.data / FLAG).write_text(step)
    async with serving(installation, name=f"{step}-killed") as served:
        # Where it dies after the answer has left, whether that arrives is open.
        with suppress(Cut, ConnectionError):
            await send(served, key, path, body)
        await until(lambda: served.program.process.poll() is not None)
    assert not (installation.data / FLAG).exists(), "nobody came by this step"
    async with serving(installation, name=f"{step}-after") as served:
        answer = await send(served, key, path, body)
        while answer.status == 409 and answer.json["code"] == "idempotency_key_in_use":
            # The dead process's claim holds until its lease is over.
            await asyncio.sleep(int(answer.headers["retry-after"]))
            answer = await send(served, key, path, body)
        again = await send(served, key, path, body)
        assert (answer.status, answer.body) == (again.status, again.body) or answer.status == 409
    return answer


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("step", "replayed"), [("begun", False), ("written", False), ("committed", True), ("exit", True)])
async def test_a_call_killed_at_any_step_happens_once(installation: Installation, step: str, replayed: bool) -> None:
    key = (await installation.key()).secret.text
    answer = await killed_at(installation, step, key, "/api/v1/notes", b'{"text": "a"}')
    assert 201 == answer.status
    assert replayed is ("idempotent-replayed" in answer.headers)
    engine = installation.rack.host_engine()
    async with engine.connect() as connection:
        assert [("a",)] == [tuple(row) for row in await connection.exec_driver_sql("SELECT text FROM notes")]
    await engine.dispose()


@pytest.mark.timeout(240)
async def test_a_key_whose_answer_was_cut_off_is_made_once_and_named(installation: Installation) -> None:
    admin = (await installation.key(ADMIN_RIGHTS)).secret.text
    answer = await killed_at(installation, "changed", admin, "/api/v1/keys", b'{"name": "ci"}')
    assert (409, "answer_lost") == (answer.status, answer.json["code"])
    async with serving(installation, name="reading") as served, served.wire() as wire:
        listed = (await wire.get("/api/v1/keys", key=admin)).json["data"]
    (made,) = [one for one in listed if one["name"] == "ci"]
    assert {"object": "key", "id": made["id"]} in answer.json["made"]
