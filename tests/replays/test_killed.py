"""Whatever a process was doing when it was killed: the retry is answered right, and nothing happens twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.hosts import ADMIN_RIGHTS
from tests.replays.host import FLAG, add_table
from tests.serving import served as serving_module
from tests.serving.served import Installation, Served, installed, serving, until
from tests.serving.wire import Cut, Received, connected

JSON = "Content-Type: application/json"
NOTES, KEYS = "/api/v1/notes", "/api/v1/keys"
REPLAYED = {"begun": False, "written": False, "committed": True, "exit": True}
"""Whether the call had happened when its process was killed at a step, so that the retry gets the stored answer."""


@pytest.fixture
async def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Installation]:
    """An installation whose server is the host of these tests."""
    monkeypatch.setattr(serving_module, "HOST", "tests.replays.served:app")
    async with installed(tmp_path / "data") as one:
        await add_table(one.rack)
        yield one


async def send(served: Served, step: str, key: str, path: str, body: bytes) -> Received:
    async with connected(served.url, key) as wire:
        return await wire.send("POST", path, f"Idempotency-Key: {step}-8e03978e", JSON, body=body)


async def kill_at(installation: Installation, step: str, key: str, path: str, body: bytes) -> None:
    """Send a call to a server that is killed at a step."""
    (installation.data / FLAG).write_text(step)
    async with serving(installation, name=f"{step}-killed") as served:
        # Where it dies after the answer has left, whether that arrives is open.
        with suppress(Cut, ConnectionError):
            await send(served, step, key, path, body)
        await until(lambda: served.program.process.poll() is not None)
    assert not (installation.data / FLAG).exists(), "nobody came by this step"


async def retry(served: Served, step: str, key: str, path: str, body: bytes) -> Received:
    """Return the answer of another server to the retry of a call whose server was killed."""
    answer = await send(served, step, key, path, body)
    while answer.status == 409 and answer.json["code"] == "idempotency_key_in_use":
        # The dead process's claim holds until its lease is over.
        await asyncio.sleep(int(answer.headers["retry-after"]))
        answer = await send(served, step, key, path, body)
    again = await send(served, step, key, path, body)
    assert (answer.status, answer.body) == (again.status, again.body) or answer.status == 409
    return answer


@pytest.mark.timeout(240)
async def test_a_call_killed_at_any_step_happens_once(installation: Installation) -> None:
    key = (await installation.key()).secret.text
    bodies = {step: json.dumps({"text": step}).encode() for step in REPLAYED}
    for step, body in bodies.items():
        await kill_at(installation, step, key, NOTES, body)
    async with serving(installation, name="after") as served:
        answers = {step: await retry(served, step, key, NOTES, body) for step, body in bodies.items()}
    assert {201} == {answer.status for answer in answers.values()}
    assert REPLAYED == {step: "idempotent-replayed" in answer.headers for step, answer in answers.items()}
    engine = installation.rack.host_engine()
    async with engine.connect() as connection:
        assert sorted(REPLAYED) == sorted((await connection.exec_driver_sql("SELECT text FROM notes")).scalars())
    await engine.dispose()


@pytest.mark.timeout(240)
async def test_a_key_whose_answer_was_cut_off_is_made_once_and_named(installation: Installation) -> None:
    admin = (await installation.key(ADMIN_RIGHTS)).secret.text
    call = ("changed", admin, KEYS, b'{"name": "ci"}')
    await kill_at(installation, *call)
    async with serving(installation, name="after") as served, served.wire() as wire:
        answer = await retry(served, *call)
        assert (409, "answer_lost") == (answer.status, answer.json["code"])
        listed = (await wire.get(KEYS, key=admin)).json["data"]
    (made,) = [one for one in listed if one["name"] == "ci"]
    assert {"object": "key", "id": made["id"]} in answer.json["made"]
