"""The page of the request log shows what the API would, and nothing of it to anybody else."""

import asyncio
import csv
import io
import json
import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from keyrack.console.exports import LINES_AT_ONCE
from keyrack.manage import sessions
from keyrack.manage.keys import Issued
from keyrack.model.permissions import Level, Rights
from keyrack.model.request_logs import RequestLog
from tests.backends import Backend
from tests.browser.log_lines import write
from tests.console.browser import Browser, Page
from tests.console.conftest import opened
from tests.console.visitors import Office
from tests.spool.lines import a_line

LOGS = "/console/logs"
READER = Rights(permissions={"customers": Level.READ})


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Office]:
    """A console with a log of the test's own. That searches find the same on each kind of database is proven where they are made."""
    async with opened(Backend.in_folder(tmp_path), tmp_path) as office:
        yield office


async def logged(office: Office, *several: dict[str, Any], at: int = -1000) -> list[RequestLog]:
    """Put calls of the office's workspace into its log, each a millisecond before the one in front of it."""
    now = office.desk.now()
    lines = [a_line(office.host.workspace.id, now + at - number, **fields) for number, fields in enumerate(several)]
    await write(office.desk.store, lines)
    return lines


def shown(page: Page) -> list[str]:
    """The ids of the calls on a page, in its order."""
    return [row.attributes["id"] for row in page.root.all("tr") if row.attributes.get("id", "").startswith("req_")]


def ids(lines: Sequence[RequestLog]) -> list[str]:
    return [line.request_id for line in lines]


async def refused(office: Office, browser: Browser, key: Issued) -> Page:
    answer = await office.host.send("POST", "/api/v1/customers", key, json={"name": "Aurora"})
    assert 403 == answer.status_code
    return await browser.open(answer.json()["request_log_url"])


async def test_an_admin_sees_all_calls_and_a_member_those_of_its_own_credentials(office: Office) -> None:
    cy = office.members["Cy"]
    own, others = await logged(office, {"member_id": cy.id, "credential_id": "token_1", "integration_id": None}, {})
    assert ids([own, others]) == shown(await (await office.signed_in("Ada")).open(LOGS))
    browser = await office.signed_in("Cy")
    page = await browser.open(LOGS)
    assert ids([own]) == shown(page)
    assert LOGS in page.links
    assert [200, 404] == [(await browser.open(f"{LOGS}/{line.request_id}")).status for line in (own, others)]
    assert [] == shown(await browser.open(f"{LOGS}?key={others.credential_id}"))
    file = (await browser.client.get(f"{LOGS}/download?format=jsonl")).text
    assert ids([own]) == [json.loads(line)["id"] for line in file.splitlines()]


async def test_calls_of_another_workspace_are_nobodys_business(room: Office) -> None:
    neighbour = await room.host.other_workspace()
    (line,) = await logged(room, {})
    theirs = a_line(neighbour.workspace.id, line.created_at - 1)
    await write(room.desk.store, [theirs])
    browser = await room.signed_in()
    assert ids([line]) == shown(await browser.open(LOGS))
    assert 404 == (await browser.open(f"{LOGS}/{theirs.request_id}")).status
    assert 404 == (await browser.open(f"{LOGS}/nothing")).status


@pytest.mark.parametrize("path", ["", "/tail", "/export", "/download?format=csv", "/req_00000000000"])
async def test_nobody_who_is_not_signed_in_sees_anything(showroom: Office, path: str) -> None:
    assert 401 == (await (await showroom.browser()).open(LOGS + path)).status


ASKED = {
    "path=/customers": [0, 1, 3],
    "path=board": [2],
    "method=post": [1],
    "status=4xx": [2],
    "status=403": [2],
    "key=key_2": [3],
    "mode=test": [3],
    "path=/customers&method=GET&mode=live": [0],
    "path=nowhere": [],
}


async def test_filters_leave_what_was_asked_for_on_the_page_and_in_the_file(room: Office) -> None:
    lines = await logged(
        room,
        {},
        {"method": "POST", "status": 201},
        {"path": "/api/v1/onboardings", "route": "/api/v1/onboardings", "status": 403, "code": "insufficient_permission"},
        {"credential_id": "key_2", "mode": "test"},
    )
    browser = await room.signed_in()
    for query, numbers in ASKED.items():
        expected = [lines[number].request_id for number in numbers]
        assert expected == shown(await browser.open(f"{LOGS}?{query}")), query
        file = (await browser.client.get(f"{LOGS}/download?format=jsonl&{query}")).text
        assert expected == [json.loads(line)["request_id"] for line in file.splitlines()], query


async def test_a_range_leaves_out_what_is_older(room: Office) -> None:
    hour = 3_600_000
    recent, *older = [(await logged(room, {}, at=-at))[0] for at in (1000, 2 * hour, 26 * hour, 8 * 24 * hour)]
    browser = await room.signed_in()
    found = {name: shown(await browser.open(f"{LOGS}?range={name}")) for name in ("1h", "", "7d", "30d")}
    everything = ids([recent, *older])
    assert {"1h": everything[:1], "": everything[:2], "7d": everything[:3], "30d": everything} == found


@pytest.mark.parametrize("query", ["range=1y", "mode=other", "status=9xx", "status=x", "method=G+T", "cursor=x"])
async def test_what_nobody_can_choose_is_refused(showroom: Office, query: str) -> None:
    browser = await showroom.signed_in()
    assert 400 == (await browser.open(f"{LOGS}?{query}")).status


async def test_a_long_list_has_pages(room: Office) -> None:
    lines = await logged(room, *[{}] * 60)
    browser = await room.signed_in()
    first = await browser.open(LOGS)
    (older,) = [link for link in first.links if "cursor=" in link]
    second = await browser.open(LOGS + older)
    assert ids(lines) == shown(first) + shown(second)


async def test_the_heading_of_the_times_turns_the_list_around(room: Office) -> None:
    lines = ids(await logged(room, *[{}] * 60))[::-1]
    browser = await room.signed_in()
    (heading,) = [link for link in (await browser.open(LOGS)).links if "sort=" in link]
    first = await browser.open(LOGS + heading)
    (newer,) = [link for link in first.links if "cursor=" in link]
    second = await browser.open(LOGS + newer)
    assert lines == shown(first) + shown(second)
    assert [False, False] == ["/logs/tail" in page.text for page in (first, second)]
    assert 400 == (await browser.open((LOGS + newer).replace("sort=created_at&", ""))).status


async def test_a_search_that_is_not_at_its_end_says_how_far_it_came_and_goes_on(showroom: Office) -> None:
    *_, oldest = await logged(showroom, *[{}] * 15_500, {"method": "POST"}, at=-40_000_000)
    browser = await showroom.signed_in()
    page = await browser.open(f"{LOGS}?method=POST")
    assert ([], True) == (shown(page), "Searched back to" in page.text)
    (further,) = [link for link in page.links if "cursor=" in link]
    assert [oldest.request_id] == shown(await browser.open(LOGS + further))


async def test_a_refusals_link_explains_it_to_people_from_the_moment_of_its_answer(office: Office) -> None:
    issued = await office.host.key(READER, name="Reporting")
    browser = await office.signed_in()
    page = await refused(office, browser, issued)
    assert 200 == page.status
    for text in ("Why it was refused", "customers:write", "What to do", "Ask an admin to add the permission named in detail", "Reporting"):
        assert text in page.text
    assert "http://acme.test/docs/errors/insufficient_permission" in page.links
    assert f"/console/keys/{issued.key.id}/edit" in page.links


async def test_the_same_link_leads_somebody_else_to_sign_in_or_to_nothing(room: Office) -> None:
    issued = await room.host.key(READER)
    stranger, cy = await room.browser(), await room.signed_in("Cy")
    page = await refused(room, stranger, issued)
    assert (401, False) == (page.status, "customers:write" in page.text)
    page = await refused(room, cy, issued)
    assert (404, False) == (page.status, "customers:write" in page.text)


async def test_a_call_can_be_sent_again_without_its_secret_whatever_its_path_is(room: Office) -> None:
    issued = await room.host.key()
    browser = await room.signed_in()
    path = "/api/v1/customers/a'; rm -rf $HOME `id` \"b"
    answer = await room.host.get(path, issued)
    page = await browser.open(f"{LOGS}/{answer.headers['x-request-id']}")
    (curl,) = [one.text for one in page.root.all("code") if one.attributes.get("id") == "curl"]
    words = shlex.split(curl.replace("\\\n", " "))
    assert ["curl", "-H", "Authorization: Bearer acme_REPLACE_ME"] == [words[0], *words[2:]]
    assert words[1].startswith("http://acme.test/api/v1/customers/a'")
    assert not set(words[1]) & set(' `"')
    assert issued.secret.text not in page.answer.text


async def test_a_csv_file_has_a_header_and_no_formulas(room: Office) -> None:
    agents = ['=HYPERLINK("http://evil.test")', "+1", "-1", "@SUM(A1)", "\tx", "plain, with a comma"]
    await logged(room, *[{"user_agent": agent} for agent in agents])
    browser = await room.signed_in()
    answer = await browser.client.get(f"{LOGS}/download?format=csv")
    assert "text/csv; charset=utf-8" == answer.headers["content-type"]
    assert answer.headers["content-disposition"].startswith('attachment; filename="api-logs-')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [f"'{agent}" for agent in agents[:-1]] + agents[-1:] == [row["user_agent"] for row in rows]


async def test_a_file_of_nothing_has_its_header_and_one_of_no_kind_is_refused(showroom: Office) -> None:
    browser = await showroom.signed_in()
    empty = await browser.client.get(f"{LOGS}/download?format=csv&path=nowhere-at-all")
    assert empty.text.startswith("created_at,request_id,method,path")
    assert 400 == (await browser.client.get(f"{LOGS}/download?format=xml")).status_code


async def test_a_file_holds_more_than_a_page(showroom: Office) -> None:
    lines = await logged(showroom, *[{"credential_id": "key_of_many"}] * 1200)
    browser = await showroom.signed_in()
    answer = await browser.client.get(f"{LOGS}/download?format=jsonl&key=key_of_many")
    assert ids(lines) == [json.loads(line)["id"] for line in answer.text.splitlines()]


@asynccontextmanager
async def ending_after_the_first_part(office: Office, browser: Browser) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the office's app over HTTP to one who is signed in, whose session ends when the first part of a body has been sent."""
    (secret,) = browser.client.cookies.values()
    session = await sessions.find(office.desk, secret)
    assert session is not None

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def ending(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body":
                await sessions.end(office.desk, session)

        await office.host.app(scope, receive, ending)

    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        host, port = listening.getsockname()
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items())}
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", headers=headers) as client:
            yield client
        server.should_exit = True
        await task


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
async def test_a_file_whose_session_ends_midway_says_so_in_its_last_line_and_is_cut(room: Office, kind: str) -> None:
    lines = await logged(room, *[{}] * (LINES_AT_ONCE + 1))
    parts: list[bytes] = []

    async def receive(answer: httpx.Response) -> None:
        async for part in answer.aiter_bytes():
            parts.append(part)

    async with ending_after_the_first_part(room, await room.signed_in()) as client:
        async with client.stream("GET", f"{LOGS}/download?format={kind}") as answer:
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
                await receive(answer)
        assert 401 == (await client.get(f"{LOGS}/download?format={kind}")).status_code
    *there, last = b"".join(parts).decode().splitlines()
    assert ids(lines[:LINES_AT_ONCE]) == [line.request_id for line in lines if any(line.request_id in one for one in there)]
    assert "INCOMPLETE: the file breaks off here. Nobody is signed in here, or the sign-in has ended." in last
    assert 1 == len(json.loads(last)["detail"].splitlines()) if kind == "jsonl" else 1 == len(next(csv.reader([last])))


async def test_the_tail_holds_what_came_since_and_what_was_asked_for(room: Office) -> None:
    newest, _, older = await logged(room, {}, {"method": "POST"}, {})
    browser = await room.signed_in()
    assert ids([newest]) == shown(await browser.open(f"{LOGS}/tail?method=GET&since={older.created_at + 1}"))
    assert ids([newest, older]) == shown(await browser.open(f"{LOGS}/tail?method=GET&since=0"))
    assert [] == shown(await browser.open(f"{LOGS}/tail?since=none"))


async def test_the_figures_of_the_charts_stand_on_the_page(office: Office) -> None:
    await logged(office, {}, {"status": 404}, {"status": 500}, {"duration_us": 2_500_000})
    page = await (await office.signed_in()).open(LOGS)
    figures = [row.attributes["data-figures"].split() for row in page.root.all("tr") if "data-figures" in row.attributes]
    assert [4, 1, 1] == [sum(int(row[column]) for row in figures) for column in range(3)]
    assert "2.50 s, slow" in page.text
