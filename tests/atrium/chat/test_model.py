"""Answers in a model's words: cited, or the sources speak themselves."""

import logging
from pathlib import Path

import pytest
from fastapi.responses import JSONResponse, Response
from pydantic import SecretStr

from atrium.chat.completions import ModelSettings
from keyrack import Settings
from keyrack.manage import keys
from keyrack.model.principals import Mode
from tests.atrium.chat.model_server import SECRET, completion, model_server
from tests.atrium.chat.talking import ask, chatbot, feed
from tests.atrium.conftest import serving
from tests.atrium.host import Host


async def test_model_words_the_answer_and_its_failure_leaves_what_was_retrieved(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with model_server() as (model, url):
        settings = ModelSettings(url=url, key=SecretStr(SECRET), seconds=1)
        assert SECRET not in repr(settings)
        async with serving(Settings(data=tmp_path), model=settings) as served:
            host = await Host.create(*served)
            bot = await chatbot(host)
            await feed(host, bot)
            question = "Can I return a parcel, and how long does shipping take?"
            model.reply = lambda _: completion("Within 30 days [2]. Shipping takes three days [1][9][2].")
            answer = await ask(host, bot, question)
            assert "Within 30 days [1]. Shipping takes three days [2][1]." == answer["body"]
            assert [1, 2] == [citation["number"] for citation in answer["citations"]]
            told, asked = model.asked[0]["messages"]
            assert ("system", "user", question) == (told["role"], asked["role"], asked["content"])
            for number, citation in zip((2, 1), answer["citations"], strict=True):
                assert f"[{number}] Handbook, {citation['place']}\n{citation['quote']}" in told["content"]
            model.reply = lambda _: completion("NOTHING_FOUND")
            answer = await ask(host, bot, question)
            assert (False, []) == (answer["found"], answer["citations"])
            asked_before = len(model.asked)
            assert not (await ask(host, bot, "football"))["found"]
            assert asked_before == len(model.asked)

            desk, operator = host.rack.assembly.desk, await host.rack.workspaces.operator(host.workspace_id)
            issued = await keys.create(desk, operator, name="ci", mode=Mode.TEST)
            tester = Host(host.rack, host.client, host.workspace_id, host.member_id, issued.secret.text)
            assert (await ask(tester, bot, "How many days do I have to return it?"))["found"]
            assert asked_before == len(model.asked)

            broken: list[Response] = [
                completion("It takes three days."),
                completion("See [7] and [0]."),
                completion(""),
                completion(None),
                completion("[1]" + "x" * 300_000),
                JSONResponse({"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}, 429),
                JSONResponse({"choices": []}),
                JSONResponse([]),
                Response(b"\xff\xfe<html>", media_type="application/json"),
                Response(status_code=302, headers={"location": "https://elsewhere.example"}),
            ]
            for reply in broken:
                model.reply = lambda _, reply=reply: reply  # type: ignore[misc]
                answer = await ask(host, bot, "How many days do I have to return it?")
                assert answer["found"]
                assert "within 30 days" in answer["body"]
            model.waits.clear()
            assert "within 30 days" in (await ask(host, bot, "How many days do I have to return it?"))["body"]
            model.waits.set()
    assert SECRET not in caplog.text
