"""Messages by key: once for each idempotency key, as an event stream too, and never past the end of the key."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from atrium.chat.completions import ModelSettings
from keyrack import Settings
from keyrack.manage import keys
from tests.atrium.chat.model_server import SECRET, completion, model_server
from tests.atrium.chat.talking import ask, chatbot, feed
from tests.atrium.conftest import serving
from tests.atrium.host import Host

QUESTION = {"body": "Can I return it?"}


def headers(host: Host, **more: str) -> dict[str, str]:
    """The headers of a call, with some more."""
    return {"Authorization": f"Bearer {host.secret}", **more}


def events(text: str) -> list[tuple[str, Any]]:
    """Read a stream."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":") and line)
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


async def test_message_with_an_idempotency_key_is_said_once(host: Host) -> None:
    bot = await chatbot(host)
    await feed(host, bot)
    url, once = f"/api/v1/chatbots/{bot}/messages", headers(host, **{"Idempotency-Key": "one"})
    answers = [await host.client.post(url, json=QUESTION, headers=once) for _ in range(3)]
    assert {201} == {answer.status_code for answer in answers}
    assert 1 == len({answer.text for answer in answers})
    assert "true" == answers[2].headers["idempotent-replayed"]
    assert 422 == (await host.client.post(url, json={"body": "Else?"}, headers=once)).status_code
    conversations = (await host.get("/conversations")).json()["data"]
    assert [2] == [conversation["messages_count"] for conversation in conversations]


async def test_messages_that_come_at_once_stand_in_one_order(host: Host) -> None:
    bot = await chatbot(host)
    first = await ask(host, bot, "Hello")
    await asyncio.gather(*(ask(host, bot, f"Question {n}", first["conversation_id"]) for n in range(8)))
    said = (await host.get(f"/conversations/{first['conversation_id']}/messages?sort=created_at&limit=100")).json()["data"]
    assert ["visitor", "chatbot"] * 9 == [one["author"] for one in said]
    assert sorted({one["created_at"] for one in said}) == [one["created_at"] for one in said]
    conversation = (await host.get(f"/conversations/{first['conversation_id']}")).json()
    assert (18, said[-1]["created_at"]) == (conversation["messages_count"], conversation["updated_at"])


async def test_answer_comes_as_a_stream_where_that_is_asked_for_first(host: Host) -> None:
    bot = await chatbot(host)
    await feed(host, bot)
    url = f"/api/v1/chatbots/{bot}/messages"
    for accept in ("text/event-stream", "text/event-stream;q=1, application/json"):
        answer = await host.client.post(url, json=QUESTION, headers=headers(host, Accept=accept))
        assert (201, "text/event-stream; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
        assert answer.headers["x-request-id"]
        assert "ratelimit" in answer.headers
        *deltas, (last, message) = events(answer.text)
        assert ("message", True) == (last, message["found"])
        assert message["body"] == "".join(data["text"] for name, data in deltas if name == "delta")
        assert message == (await host.get(f"/conversations/{message['conversation_id']}/messages")).json()["data"][0]
    for accept in ("application/json", "*/*", "application/json, text/event-stream", ""):
        answer = await host.client.post(url, json=QUESTION, headers=headers(host, Accept=accept))
        assert "application/json" == answer.headers["content-type"]
    refused = await host.client.post(f"{url}x", json=QUESTION, headers=headers(host, Accept="text/event-stream"))
    assert 404 == refused.status_code
    once = headers(host, Accept="text/event-stream", **{"Idempotency-Key": "streamed"})
    assert 201 == (await host.client.post(url, json=QUESTION, headers=once)).status_code
    again = await host.client.post(url, json=QUESTION, headers=once)
    assert (409, 7) == (again.status_code, len((await host.get("/conversations")).json()["data"]))


async def test_stream_ends_with_its_key_and_keeps_nothing_then(tmp_path: Path) -> None:
    async with model_server() as (model, url):
        settings = ModelSettings(url=url, key=SecretStr(SECRET), seconds=60)
        async with serving(Settings(data=tmp_path), model=settings) as served:
            host = await Host.create(*served)
            bot = await chatbot(host)
            await feed(host, bot)
            model.waits.clear()
            model.reply = lambda _: completion("Within 30 days [1].")
            desk, operator = host.rack.assembly.desk, await host.rack.workspaces.operator(host.workspace_id)
            issued = await keys.create(desk, operator, name="short")
            mine = {"Authorization": f"Bearer {issued.secret.text}", "Accept": "text/event-stream"}
            read = b""
            try:
                async with host.client.stream("POST", f"/api/v1/chatbots/{bot}/messages", json=QUESTION, headers=mine) as answer:
                    assert 201 == answer.status_code
                    await model.reached.wait()
                    await keys.revoke(desk, operator, issued.key.id)
                    async for part in answer.aiter_bytes():
                        read += part
            except httpx.RemoteProtocolError:
                pass
            model.waits.set()
            assert b"event:" not in read
            assert [] == (await host.get("/conversations")).json()["data"]


async def test_refusal_in_the_middle_of_a_stream_is_told_by_it(host: Host) -> None:
    bot = await chatbot(host)
    first = await ask(host, bot, "Hello")
    await host.delete(f"/conversations/{first['conversation_id']}")
    sent = {**QUESTION, "conversation_id": first["conversation_id"]}
    stream = headers(host, Accept="text/event-stream")
    assert 404 == (await host.client.post(f"/api/v1/chatbots/{bot}/messages", json=sent, headers=stream)).status_code
