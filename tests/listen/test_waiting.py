"""Calls that wait for the next event: told at once, told everything once, ended with their key, and a burden to nobody."""

import asyncio
import json
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from keyrack.manage import integrations, keys
from keyrack.manage.followers import PER_CREDENTIAL_MAX
from keyrack.model.permissions import Level, Rights
from tests.atrium.host import Host
from tests.cli.programs import running
from tests.listen.conftest import With, issue

READER = Rights(permissions={"customers": Level.READ})


def waiting_path(host: Host, after: str, seconds: int = 20, **filters: str) -> str:
    """The call that waits for what comes after an event."""
    return f"/events?sort=created_at&starting_after={after}&wait_seconds={seconds}" + "".join(f"&{k}={v}" for k, v in filters.items())


async def newest(host: Host) -> str:
    """The id of the newest event."""
    found: str = (await host.get("/events?limit=1")).json()["data"][0]["id"]
    return found


async def waits(host: Host, path: str, count: int = 1) -> list["asyncio.Task[httpx.Response]"]:
    """Send calls, and return them when they wait."""
    before = len(host.rack.assembly.followers)
    sent = [asyncio.create_task(host.get(path)) for _ in range(count)]
    while len(host.rack.assembly.followers) < before + count:
        for one in sent:
            assert not one.done(), one.result().text
        await asyncio.sleep(0.01)
    return sent


async def create(host: Host, name: str) -> str:
    """Make a customer."""
    made: str = (await host.post("/customers", {"name": name})).json()["id"]
    return made


def objects(answer: httpx.Response) -> list[str]:
    """The objects of the events in an answer."""
    assert 200 == answer.status_code, answer.text
    return [event["object_id"] for event in answer.json()["data"]]


async def test_call_that_waits_is_answered_with_the_next_event_that_its_key_may_read(host: Host, reaching: With) -> None:
    reader = await reaching(READER)
    (call,) = await waits(reader, waiting_path(reader, await newest(host)))
    theirs = await host.stranger()
    await create(theirs, "Elsewhere")
    await host.create_space("What a reader of customers is not told of")
    made = await create(host, "Aurora")
    assert [made] == objects(await call)


async def test_what_is_there_already_is_not_waited_for(host: Host) -> None:
    last = await newest(host)
    made = [await create(host, f"Customer {number}") for number in range(3)]
    page = (await host.get(waiting_path(host, last) + "&limit=2")).json()
    assert (made[:2], True) == ([event["object_id"] for event in page["data"]], page["has_more"])
    assert made[2:] == objects(await host.get(page["next_url"]))


async def test_whoever_goes_on_behind_the_last_event_meets_each_once_while_many_write(host: Host) -> None:
    met: list[str] = []
    last = await newest(host)
    writing = asyncio.gather(*(create(host, f"Customer {number}") for number in range(25)))
    while len(met) < 25:
        page = (await host.get(waiting_path(host, last, type="customer.created"))).json()["data"]
        met += [event["object_id"] for event in page]
        last = page[-1]["id"] if page else last
    assert sorted(await writing) == sorted(met)


async def test_nothing_is_answered_when_nothing_comes(host: Host) -> None:
    answer = await host.get(waiting_path(host, await newest(host), seconds=1))
    assert ([], False) == (objects(answer), answer.json()["has_more"])


async def test_waiting_ends_with_the_key(host: Host) -> None:
    issued = await issue(host, READER)
    (call,) = await waits(replace(host, secret=issued.secret.text), waiting_path(host, await newest(host)))
    await keys.revoke(host.rack.assembly.desk, await host.rack.workspaces.operator(host.workspace_id), issued.key.id)
    answer = await call
    assert (401, "key_revoked") == (answer.status_code, answer.json()["code"])


async def test_right_that_is_taken_meanwhile_counts(host: Host) -> None:
    issued = await issue(host, READER)
    (call,) = await waits(replace(host, secret=issued.secret.text), waiting_path(host, await newest(host), seconds=2))
    operator = await host.rack.workspaces.operator(host.workspace_id)
    await integrations.edit(host.rack.assembly.desk, operator, issued.key.integration_id, permissions={"onboardings": Level.READ})
    await create(host, "Not for them")
    assert [] == objects(await call)


async def test_key_has_a_bounded_number_of_calls_that_wait_and_gets_the_places_back(host: Host) -> None:
    path = waiting_path(host, await newest(host))
    sent = await waits(host, path, PER_CREDENTIAL_MAX)
    refused = await host.get(path)
    assert (429, "rate_limited") == (refused.status_code, refused.json()["code"])
    assert "retry-after" in refused.headers
    for call in sent[:-1]:
        call.cancel()
    await asyncio.wait(sent[:-1])
    while (answer := await host.get(path.replace("=20", "=1"))).status_code == 429:
        pass
    assert [] == objects(answer)
    made = await create(host, "Aurora")
    assert [made] == objects(await sent[-1])


async def test_many_that_wait_hold_no_connection_to_the_store(host: Host) -> None:
    path = waiting_path(host, await newest(host))
    several = [replace(host, secret=(await issue(host, READER)).secret.text) for _ in range(5)]
    sent = [call for one in several for call in await waits(one, path, PER_CREDENTIAL_MAX)]
    made = await create(host, "Aurora")
    assert {made} == {one for call in sent for one in objects(await call)}


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("wait_seconds=5", "wait_seconds"),
        ("sort=-created_at&wait_seconds=5", "wait_seconds"),
        ("sort=created_at&wait_seconds=21", "wait_seconds"),
        ("sort=created_at&wait_seconds=-1", "wait_seconds"),
        ("sort=created_at&wait_seconds=soon", "wait_seconds"),
    ],
)
async def test_wait_that_cannot_be_is_refused(host: Host, query: str, param: str) -> None:
    answer = await host.get(f"/events?{query}")
    assert 400 == answer.status_code
    assert param == (answer.json()["param"] or answer.json()["errors"][0]["param"])


def test_server_that_stops_answers_those_that_wait(tmp_path: Path) -> None:
    # A brand without chatbots: the sources of a sample one are read by and by.
    with running(tmp_path, "demo", "--brand", "pivotal", "--port", "0", "--data", "data", "--json") as program:
        told = program.first_line()
        key = {"Authorization": f"Bearer {told['live_key']}"}
        with httpx.Client(base_url=told["url"], headers=key, timeout=60) as client:
            last = client.get("/api/v1/events?limit=1").json()["data"][0]["id"]
            waiting = HTTPConnection(told["url"].removeprefix("http://"), timeout=60)
            # By the short path, under which the gate hands calls on with another scope.
            waiting.request("GET", f"/api/events?sort=created_at&starting_after={last}&wait_seconds=20", headers=key)
            # Answered after the head of the other one has arrived.
            assert 200 == client.get("/api/v1/me").status_code
        assert 0 == program.stop()
        answer = waiting.getresponse()
        assert (200, []) == (answer.status, json.loads(answer.read())["data"])
        waiting.close()
