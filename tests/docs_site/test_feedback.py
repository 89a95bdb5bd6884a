"""“Was this page helpful?”: kept within bounds, without anything of who said it, and read by the operator."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyrack.manage import docs_feedback
from tests.backends import Backend
from tests.commands import Command, command
from tests.docs_site.conftest import Readers
from tests.hosts import Host, running

__all__ = ["command"]

COMMENT = {"page": "errors", "comment": "What does “Key has ended” mean?\nThank you."}


def token_of(answer: httpx.Response) -> str:
    """The token that a page gives along for the comment."""
    (token,) = re.findall(r'name="token" value="([^"]+)"', answer.text)
    return html.unescape(token)


async def answer(host: Host, helpful: str = "no", page: str = "errors", **options: Any) -> httpx.Response:
    return await host.send("POST", "/docs/feedback", data={"page": page, "helpful": helpful}, **options)


@pytest.fixture
async def host(backend: Backend, tmp_path: Path) -> AsyncIterator[Host]:
    """A host whose docs are read."""
    async with running(backend, tmp_path) as host:
        yield host


async def test_answer_and_comment_are_kept_together(host: Host) -> None:
    said = await answer(host)
    assert (200, True) == (said.status_code, "What is missing" in said.text)
    assert 200 == (await host.send("POST", "/docs/feedback/comment", data=COMMENT | {"token": token_of(said)})).status_code
    (kept,) = await docs_feedback.page(host.rack.assembly.desk, limit=10)
    assert ("errors", False, COMMENT["comment"]) == (kept.page, kept.helpful, kept.comment)
    (counted,) = await docs_feedback.counts(host.rack.assembly.desk)
    assert ("errors", 0, 1, 1) == (counted.page, counted.helpful, counted.unhelpful, counted.comments)


async def test_a_key_in_a_comment_is_not_kept(host: Host) -> None:
    key = (await host.key()).secret.text
    shown = f"I sent this:\n-H 'Authorization: Bearer {key}'\nand got 401"
    sent = {"page": "errors", "token": token_of(await answer(host)), "comment": shown}
    assert 200 == (await host.send("POST", "/docs/feedback/comment", data=sent)).status_code
    (kept,) = await docs_feedback.page(host.rack.assembly.desk, limit=10)
    assert key not in kept.comment
    assert ["I sent this:", "and got 401"] == kept.comment.split("\n")[::2]


async def test_comment_is_added_once_by_who_gave_the_answer(host: Host) -> None:
    token = token_of(await answer(host))
    sent = COMMENT | {"token": token}
    assert 200 == (await host.send("POST", "/docs/feedback/comment", data=sent)).status_code
    for wrong in (
        sent,
        COMMENT | {"token": token + "x"},
        COMMENT | {"token": ""},
        COMMENT,
        sent | {"comment": " "},
        sent | {"comment": "x" * 1001},
    ):
        assert 400 == (await host.send("POST", "/docs/feedback/comment", data=wrong)).status_code
    assert 1 == len(await docs_feedback.page(host.rack.assembly.desk, limit=10))


async def test_one_address_says_so_much_and_no_more(host: Host) -> None:
    said = [(await answer(host, "yes")).status_code for _ in range(35)]
    assert [200] * docs_feedback.OF_ADDRESS.at_once + [429] * (35 - docs_feedback.OF_ADDRESS.at_once) == said
    refused = await answer(host, "yes")
    assert int(refused.headers["retry-after"]) > 0
    assert docs_feedback.OF_ADDRESS.at_once == len(await docs_feedback.page(host.rack.assembly.desk, limit=100))


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"page": "errors"},
        {"page": "nothing", "helpful": "yes"},
        {"page": "errors", "helpful": "maybe"},
        {"page": "../errors", "helpful": "no"},
    ],
)
async def test_answer_is_yes_or_no_of_a_page_that_is_there(host: Host, form: dict[str, str]) -> None:
    assert 400 == (await host.send("POST", "/docs/feedback", data=form)).status_code


async def test_form_of_another_site_is_refused(host: Host) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert 403 == (await answer(host, headers=headers)).status_code
    assert [] == await docs_feedback.page(host.rack.assembly.desk, limit=10)


async def test_form_is_small(host: Host) -> None:
    large = {"page": "errors", "helpful": "no", "more": "x" * 100_000}
    assert 400 == (await host.send("POST", "/docs/feedback", data=large)).status_code
    many = {"page": "errors", "helpful": "no", **{f"more{number}": "x" for number in range(50)}}
    assert 400 == (await host.send("POST", "/docs/feedback", data=many)).status_code


async def test_what_is_old_is_forgotten(host: Host) -> None:
    await answer(host)
    host.clock.pass_seconds((docs_feedback.KEPT_DAYS + 1) * 86_400)
    await answer(host, "yes", "idempotency")
    await docs_feedback.prune(host.rack.assembly.desk)
    assert ["idempotency"] == [one.page for one in await docs_feedback.page(host.rack.assembly.desk, limit=10)]


async def test_operator_reads_what_was_said(readers: Readers, command: Command) -> None:
    reader, rack = await readers.of("atrium"), await readers.rack("atrium")
    for page, helpful in (("quickstart", "yes"), ("errors", "no"), ("errors", "no")):
        await reader.post("/docs/feedback", data={"page": page, "helpful": helpful})
    of_rack = ("--data", str(rack.settings.data), "--json")
    listed = (await asyncio.to_thread(command, "docs", "feedback", "--page", "errors", *of_rack)).json["data"]
    assert [("errors", False)] * 2 == [(one["page"], one["helpful"]) for one in listed]
    counted = (await asyncio.to_thread(command, "docs", "pages", *of_rack)).json["data"]
    assert [("errors", 0, 2), ("quickstart", 1, 0)] == [(one["page"], one["helpful"], one["unhelpful"]) for one in counted]
