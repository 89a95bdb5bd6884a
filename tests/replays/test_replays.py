"""A call with an idempotency key happens once; a repeated one gets the first answer (draft-ietf-httpapi-idempotency-key-header)."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message

from keyrack.gate import replay
from keyrack.manage import keys
from keyrack.model.principals import Mode
from keyrack.model.replays import KEPT_SECONDS, LEASE_SECONDS
from keyrack.store import replays
from keyrack.store.replay_tables import replays as replay_rows
from tests.hosts import ADMIN_RIGHTS, Host
from tests.replays.host import Notes
from tests.walk.problems import problem

Noted = tuple[Host, Notes]
NAME = "8e03978e-40d5-43e8-bc93-6894a57f9324"


async def post(host: Host, key: Any, name: str | bytes = NAME, path: str = "/api/v1/notes", **body: Any) -> httpx.Response:
    return await host.send("POST", path, key, headers={"Idempotency-Key": name}, json={"text": "a", **body})


async def test_a_repeated_call_gets_the_stored_answer_and_does_nothing(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    first, second = await post(host, key), await post(host, key)
    assert (201, 201) == (first.status_code, second.status_code)
    assert first.content == second.content
    assert ["a"] == await notes.texts()
    assert "idempotent-replayed" not in first.headers
    assert ("true", first.headers["x-request-id"]) == (
        second.headers["idempotent-replayed"],
        second.headers["idempotency-original-request"],
    )
    assert NAME == first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.headers["location"] == second.headers["location"]
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    # What sets state or tells of one transfer belongs to the first answer alone.
    assert "set-cookie" in first.headers
    assert "set-cookie" not in second.headers
    assert {"ratelimit", "ratelimit-policy"} <= set(second.headers)


async def test_bare_and_quoted_names_are_the_same_and_json_counts_by_its_content(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    await post(host, key)
    headers = {"Idempotency-Key": f'"{NAME}"', "Content-Type": "application/json"}
    again = await host.send("POST", "/api/v1/notes", key, headers=headers, content=b'{ "text" :\n"\\u0061" }')
    assert "true" == again.headers["idempotent-replayed"]
    assert ["a"] == await notes.texts()


@pytest.mark.parametrize("name", [b"", b" ", b"x" * 256, b'"', b'""', b'"a', b"a b", b"\xc3\xa9", b'"\xc3\xa9"', b"a\tb", b'"a"b"'])
async def test_a_name_that_is_none_is_told_and_does_nothing(noted: Noted, name: bytes) -> None:
    host, notes = noted
    problem(await post(host, await host.key(), name), 400, "idempotency_key_invalid")
    assert [] == await notes.texts()


@pytest.mark.parametrize("name", ["x" * 255, f'"{"x" * 255}"', '"a b"', r'"a\"b\\"', "1", "key/with:signs_-.~"])
async def test_any_visible_name_will_do(noted: Noted, name: str) -> None:
    host, notes = noted
    key = await host.key()
    assert [201, 201] == [(await post(host, key, name)).status_code for _ in range(2)]
    assert ["a"] == await notes.texts()


async def test_another_body_or_query_under_the_name_is_refused(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    await post(host, key)
    problem(await post(host, key, text="b"), 422, "idempotency_key_reused")
    problem(await post(host, key, path="/api/v1/notes?more=1"), 422, "idempotency_key_reused")
    assert ["a"] == await notes.texts()


async def test_of_many_at_once_one_is_carried_out(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    answers = await asyncio.gather(*[post(host, key) for _ in range(12)])
    assert ["a"] == await notes.texts()
    for refused in [answer for answer in answers if answer.status_code != 201]:
        assert 1 <= int(refused.headers["retry-after"]) <= LEASE_SECONDS
        problem(refused, 409, "idempotency_key_in_use")
    assert 1 == sum(answer.status_code == 201 and "idempotent-replayed" not in answer.headers for answer in answers)
    assert "true" == (await post(host, key)).headers["idempotent-replayed"]


async def test_while_the_first_runs_the_second_waits_and_another_call_is_told_apart(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    running = asyncio.create_task(post(host, key, then="wait"))
    await notes.begun.wait()
    problem(await post(host, key, then="wait"), 409, "idempotency_key_in_use")
    problem(await post(host, key, text="other"), 422, "idempotency_key_reused")
    assert 201 == (await post(host, key, "another-name")).status_code
    notes.gate.set()
    assert 201 == (await running).status_code
    assert "true" == (await post(host, key, then="wait")).headers["idempotent-replayed"]
    assert ["a", "a"] == await notes.texts()


async def test_a_slow_call_keeps_its_claim(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "RENEW_SECONDS", 0.05)
    host, notes = noted
    key = await host.key()
    running = asyncio.create_task(post(host, key, then="wait"))
    await notes.begun.wait()
    host.rack.assembly.now = host.clock.now
    await asyncio.sleep(0.3)
    problem(await post(host, key, then="wait"), 409, "idempotency_key_in_use")
    notes.gate.set()
    assert 201 == (await running).status_code
    assert ["a"] == await notes.texts()


async def test_who_stood_still_until_another_carried_the_call_out_commits_nothing(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "RENEW_SECONDS", 3600.0)
    monkeypatch.setattr(replay, "LEASE_SECONDS", 0)
    host, notes = noted
    key = await host.key()
    running = asyncio.create_task(post(host, key, then="wait"))
    await notes.begun.wait()
    notes.gate.set()
    # Its lease is over at once, so this one takes the claim over.
    notes.begun.clear()
    second = await post(host, key, then="wait")
    first = await running
    assert ["a"] == await notes.texts()
    assert {201} == {first.status_code, second.status_code}
    assert first.content == second.content
    assert 1 == sum("idempotent-replayed" in answer.headers for answer in (first, second))


async def test_the_name_is_its_integrations_own_and_survives_rotation(noted: Noted) -> None:
    host, notes = noted
    desk, admin = host.rack.assembly.desk, host.owner
    first, other = await host.key(), await host.key(name="other")
    test = await keys.create(desk, admin, name="t", mode=Mode.TEST, integration_id=first.key.integration_id)
    theirs = (await host.other_workspace()).key
    assert 201 == (await post(host, first)).status_code
    for stranger in (other, test, theirs):
        answer = await post(host, stranger)
        assert (201, None) == (answer.status_code, answer.headers.get("idempotent-replayed"))
    successor = await keys.rotate(desk, admin, first.key.id, 0)
    assert "true" == (await post(host, successor)).headers["idempotent-replayed"]
    assert 4 == len(await notes.texts())


async def test_a_lasting_refusal_is_replayed_word_for_word(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    first, second = await post(host, key, then="refuse"), await post(host, key, then="refuse")
    problem(first, 409, "conflict")
    assert first.json() == second.json()
    assert "true" == second.headers["idempotent-replayed"]
    line = (await host.get(f"/api/v1/logs/{second.headers['x-request-id']}", key)).json()
    assert (409, "conflict", "There is such a note.") == (line["status"], line["code"], line["reason"])
    missing = [await host.send("DELETE", "/api/v1/notes/none", key, headers={"Idempotency-Key": "d"}) for _ in range(2)]
    assert [404, 404] == [answer.status_code for answer in missing]
    assert missing[0].content == missing[1].content
    assert [] == await notes.texts()


async def test_a_call_that_is_to_be_corrected_keeps_its_name(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    problem(await post(host, key, then="correct"), 400, "invalid_request")
    problem(await post(host, key, text=7), 400, "invalid_request")
    assert 503 == (await post(host, key, then="unavailable")).status_code
    problem(await post(host, key, then="crash"), 500, "internal_error")
    assert [] == await notes.texts()
    # Nothing of these was committed, so the name is free: the corrected call runs.
    assert 201 == (await post(host, key)).status_code
    assert ["a"] == await notes.texts()


async def test_a_crash_after_the_handlers_own_commit_is_never_carried_out_twice(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    first = await post(host, key, path="/api/v1/loose-notes", then="crash")
    second = await post(host, key, path="/api/v1/loose-notes", then="crash")
    assert ["a"] == await notes.texts()
    assert (500, False) == (first.status_code, first.json()["retryable"])
    assert first.json() == second.json()
    assert "true" == second.headers["idempotent-replayed"]


async def test_without_a_joined_transaction_the_answer_is_kept_when_the_handlers_own_exits_have_run(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    answers = [await post(host, key, path="/api/v1/loose-notes") for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert ["a"] == await notes.texts()
    assert "true" == answers[1].headers["idempotent-replayed"]


async def test_an_answer_that_cannot_be_kept_says_what_was_made(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    secret = await post(host, key, then="secret")
    told = problem(await post(host, key, then="secret"), 409, "shown_once")
    assert [{"object": "note", "id": secret.json()["id"]}] == told["made"]
    assert secret.headers["x-request-id"] == told["original_request_id"]
    long = await post(host, key, "long", then="long")
    assert 300_000 < len(long.content)
    problem(await post(host, key, "long", then="long"), 409, "answer_lost")
    assert ["a", "a"] == await notes.texts()


async def test_a_key_is_created_once_and_its_secret_is_shown_once(noted: Noted) -> None:
    host, _ = noted
    admin = await host.key(ADMIN_RIGHTS)
    made = await host.send("POST", "/api/v1/keys", admin, headers={"Idempotency-Key": NAME}, json={"name": "ci"})
    again = await host.send("POST", "/api/v1/keys", admin, headers={"Idempotency-Key": NAME}, json={"name": "ci"})
    assert 201 == made.status_code
    told = problem(again, 409, "shown_once")
    assert [{"object": "key", "id": made.json()["id"]}] == told["made"]
    assert "true" == again.headers["idempotent-replayed"]
    listed = (await host.get("/api/v1/keys", admin)).json()["data"]
    assert 1 == sum(one["name"] == "ci" for one in listed)


async def test_changes_of_the_management_api_are_replayed(noted: Noted) -> None:
    host, _ = noted
    admin = await host.key(ADMIN_RIGHTS)
    made = [
        await host.send("POST", "/api/v1/integrations", admin, headers={"Idempotency-Key": NAME}, json={"name": "Zapier"}) for _ in range(2)
    ]
    assert made[0].json() == made[1].json()
    path = f"/api/v1/integrations/{made[0].json()['id']}"
    gone = [await host.send("DELETE", path, admin, headers={"Idempotency-Key": NAME}) for _ in range(2)]
    assert gone[0].status_code == gone[1].status_code < 300
    assert "true" == gone[1].headers["idempotent-replayed"]


async def test_reading_ignores_the_name(noted: Noted) -> None:
    host, _ = noted
    key = await host.key()
    answers = [await host.get("/api/v1/me", key, headers={"Idempotency-Key": "x" * 999}) for _ in range(2)]
    assert [200, 200] == [answer.status_code for answer in answers]
    assert "idempotent-replayed" not in answers[1].headers


async def test_an_answer_is_kept_for_a_day_and_not_in_the_clear(noted: Noted, tmp_path: Path) -> None:
    host, notes = noted
    key = await host.key()
    await post(host, key, text="a text that nobody else may read")
    store, now = host.rack.assembly.store, host.rack.assembly.now()
    async with store.changing() as c:
        assert 0 == await replays.prune(c, now - KEPT_SECONDS * 1000)
    assert "true" == (await post(host, key, text="a text that nobody else may read")).headers["idempotent-replayed"]
    async with store.reading() as c:
        (row,) = await c.all(replay_rows.select())
        assert b"nobody else" not in b"".join(str(value).encode() for value in row) + row.sealed
    async with store.changing() as c:
        assert 1 == await replays.prune(c, now + 60_000)
    assert 201 == (await post(host, key, text="b")).status_code
    assert 2 == len(await notes.texts())


async def test_a_stored_answer_whose_key_was_taken_away_is_told_as_lost(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    await post(host, key)
    async with host.rack.assembly.store.changing() as c:
        await c.execute(replay_rows.update().values(sealed=b"x" * 64))
    problem(await post(host, key), 409, "answer_lost")
    assert ["a"] == await notes.texts()


async def test_a_stream_is_read_while_it_grows_and_is_not_made_twice(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    parts: list[bytes] = []

    async def send(message: Message) -> None:
        parts.append(message.get("body", b""))
        if b"begun" in message.get("body", b""):
            # Only what has arrived by now lets the handler go on.
            notes.gate.set()

    waiting: list[Message] = [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else await asyncio.get_running_loop().create_future()

    headers = {"authorization": f"Bearer {key.secret.text}", "idempotency-key": NAME, "host": "acme.test"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/streams",
        "raw_path": b"/api/v1/streams",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.7", 5000),
        "server": ("acme.test", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    await host.app(scope, receive, send)
    assert b"data: begun\n\ndata: over\n\n" == b"".join(parts)
    problem(await host.send("POST", "/api/v1/streams", key, headers={"Idempotency-Key": NAME}, content=b"{}"), 409, "answer_lost")


async def test_two_names_in_one_call_are_refused(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b"), ("Authorization", f"Bearer {key.secret.text}")]
    problem(await host.client.post("/api/v1/notes", headers=headers, json={"text": "a"}), 400, "invalid_request")
    assert [] == await notes.texts()


async def test_both_spellings_of_a_path_are_one_place(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    first, second = await post(host, key), await post(host, key, path="/api/notes")
    assert first.content == second.content
    assert "true" == second.headers["idempotent-replayed"]
    assert ["a"] == await notes.texts()


async def test_a_large_body_counts_by_its_bytes(noted: Noted) -> None:
    host, notes = noted
    key = await host.key()
    headers = {"Idempotency-Key": NAME, "Content-Type": "application/json"}
    large = b'{"text": "%s"}' % (b"x" * 70_000)
    answers = [await host.send("POST", "/api/v1/notes", key, headers=headers, content=content) for content in (large, large, large + b" ")]
    assert [201, 201, 422] == [answer.status_code for answer in answers]
    assert "true" == answers[1].headers["idempotent-replayed"]
    assert 1 == len(await notes.texts())
