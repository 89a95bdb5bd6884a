"""An endpoint is what its owner said, keeps what is secret to itself, and every change of it is an event."""

import asyncio
import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyrack.manage import endpoints as manage
from keyrack.model.deliveries import Attempt, Trigger
from keyrack.model.endpoints import ENDPOINTS_MAX, ENDPOINTS_OF_INTEGRATION_MAX, SIGNING_KEYS_MAX
from keyrack.store import delivery_lanes
from keyrack.store import endpoints as rows
from keyrack.store.ids import new_id
from tests.endpoints.conftest import URL, Callers
from tests.walk.problems import problem

SECRET_VALUE = "Bearer swordfish-of-the-receiver"


def files_below(folder: Path) -> list[tuple[Path, bytes]]:
    """All files of a data folder."""
    return [(file, file.read_bytes()) for file in folder.rglob("*") if file.is_file()]


async def test_secret_is_shown_once_and_opens_again_for_the_sender_alone(callers: Callers) -> None:
    made = await callers.make("support", headers={"X-Receiver": SECRET_VALUE})
    secret = made.pop("secret")
    assert ("whsec_", 32) == (secret[:6], len(b64decode(secret[6:])))
    got = await callers.send("GET", f"/api/v1/endpoints/{made['id']}", "support")
    assert made == got.json()
    desk = callers.host.rack.assembly.desk
    async with desk.store.reading() as c:
        stored = await rows.get(c, callers.host.workspace.id, made["id"])
    sealer = desk.sealers["endpoint"]
    assert secret == sealer.open(stored.keys[0].sealed, stored.id).decode()
    assert {"X-Receiver": SECRET_VALUE} == json.loads(sealer.open(stored.sealed_headers or b"", stored.id))
    with pytest.raises(ValueError, match="opens"):
        sealer.open(stored.keys[0].sealed, "another endpoint")
    assert "sealed" not in repr(stored)
    assert secret not in repr(stored)


async def test_no_answer_event_or_file_tells_what_is_secret(callers: Callers, tmp_path: Path) -> None:
    made = await callers.make("support", headers={"X-Receiver": SECRET_VALUE}, events=["customer.created"])
    path = f"/api/v1/endpoints/{made['id']}"
    rotated = (await callers.send("POST", f"{path}/rotate", "support", json={})).json()
    changed = await callers.send("PATCH", path, "support", json={"description": "CRM", "url": URL + "2"})
    told = [changed, await callers.send("GET", path, "admin"), await callers.send("GET", "/api/v1/endpoints", "admin")]
    events = await callers.send("GET", "/api/v1/events?object_type=endpoint", "admin")
    for secret in (made["secret"], rotated["secret"], SECRET_VALUE):
        assert not [answer.url for answer in (*told, events) if secret in answer.text]
        assert not [file for file, content in files_below(tmp_path) if secret.encode() in content]
    # Whoever manages it sees where it leads; what is told on, and kept for long, does not say it.
    assert all("token=swordfish" in answer.text for answer in told)
    assert "swordfish" not in events.text
    assert "https://crm.example.com/hooks?" in events.text


async def test_ed25519_shares_a_public_key_and_no_secret(callers: Callers) -> None:
    made = await callers.make("support", signature="v1a")
    (key,) = made["signing_keys"]
    assert (None, "whpk_", 32) == (made["secret"], key["public_key"][:5], len(b64decode(key["public_key"][5:])))
    rotated = (await callers.send("POST", f"/api/v1/endpoints/{made['id']}/rotate", "support", json={})).json()
    assert key["public_key"] == rotated["signing_keys"][1]["public_key"] != rotated["signing_keys"][0]["public_key"]


async def test_rotated_secret_signs_on_for_the_overlap(callers: Callers) -> None:
    made = await callers.make("support")
    path = f"/api/v1/endpoints/{made['id']}"
    rotated = (await callers.send("POST", f"{path}/rotate", "support", json={"overlap_seconds": 60})).json()
    assert [False, True] == [key["ends_at"] is not None for key in rotated["signing_keys"]]
    callers.host.clock.pass_seconds(61)
    assert 1 == len((await callers.send("GET", path, "support")).json()["signing_keys"])
    at_once = (await callers.send("POST", f"{path}/rotate", "support", json={"overlap_seconds": 0})).json()
    assert 1 == len(at_once["signing_keys"])
    for wrong in (-1, 604_801, "60", 1.5):
        problem(await callers.send("POST", f"{path}/rotate", "support", json={"overlap_seconds": wrong}), 400, "invalid_request")


async def test_overlaps_do_not_pile_up(callers: Callers) -> None:
    made = await callers.make("support")
    path = f"/api/v1/endpoints/{made['id']}/rotate"
    told = [(await callers.send("POST", path, "support", json={})).status_code for _ in range(SIGNING_KEYS_MAX)]
    assert [201] * (SIGNING_KEYS_MAX - 1) + [409] == told
    assert 201 == (await callers.send("POST", path, "support", json={"overlap_seconds": 0})).status_code


async def test_two_rotations_at_once_leave_one_newest_and_both_sign(callers: Callers) -> None:
    made = await callers.make("support")
    path = f"/api/v1/endpoints/{made['id']}/rotate"
    both = await asyncio.gather(*(callers.send("POST", path, "support", json={}) for _ in range(2)))
    secrets = {answer.json()["secret"] for answer in both}
    assert ([201, 201], 2) == ([answer.status_code for answer in both], len(secrets))
    desk = callers.host.rack.assembly.desk
    async with desk.store.reading() as c:
        keys = (await rows.get(c, callers.host.workspace.id, made["id"])).keys
    opened = [desk.sealers["endpoint"].open(key.sealed, made["id"]).decode() for key in keys]
    assert secrets | {made["secret"]} == set(opened)
    assert [True, False, False] == [key.until is None for key in keys]


async def test_deletion_and_edits_at_once_end_deleted(callers: Callers) -> None:
    made = await callers.make("support")
    path = f"/api/v1/endpoints/{made['id']}"
    edits = [callers.send("PATCH", path, "support", json={"description": str(number)}) for number in range(4)]
    told = await asyncio.gather(*edits[:2], callers.send("DELETE", path, "support"), *edits[2:], callers.send("DELETE", path, "support"))
    assert {200, 204, 404} >= {answer.status_code for answer in told}
    assert 1 == [answer.status_code for answer in told].count(204)
    problem(await callers.send("GET", path, "support"), 404, "not_found")
    events = (await callers.send("GET", "/api/v1/events?object_type=endpoint", "admin")).json()["data"]
    assert "endpoint.deleted" == events[0]["type"]


async def test_deleted_endpoint_keeps_no_secret(callers: Callers) -> None:
    made = await callers.make("support", headers={"X-Receiver": SECRET_VALUE})
    assert 204 == (await callers.send("DELETE", f"/api/v1/endpoints/{made['id']}", "support")).status_code
    async with callers.host.rack.assembly.store.reading() as c:
        left = (await rows.named(c, callers.host.workspace.id, [made["id"]]))[made["id"]]
    assert ("deleted", (), None, URL) == (left.state, left.keys, left.sealed_headers, left.url)


async def test_each_change_is_one_event_of_its_kind(callers: Callers) -> None:
    made = await callers.make("support")
    path = f"/api/v1/endpoints/{made['id']}"
    for body in ({"description": "CRM"}, {"description": "CRM"}, {"enabled": False}, {"enabled": False}, {"enabled": True, "parallel": 2}):
        assert 200 == (await callers.send("PATCH", path, "support", json=body)).status_code
    await callers.send("POST", f"{path}/rotate", "support", json={})
    await callers.send("DELETE", path, "support")
    told = (await callers.send("GET", "/api/v1/events?object_type=endpoint&sort=created_at", "admin")).json()["data"]
    assert ["created", "updated", "disabled", "updated", "enabled", "rotated", "deleted"] == [one["type"].split(".")[1] for one in told]
    assert ["chosen", None] == [told[2]["data"]["disable_reason"], told[4]["data"]["disable_reason"]]


async def test_what_is_not_named_stays(callers: Callers) -> None:
    made = await callers.make("support", description="CRM", headers={"X-Receiver": "one"}, parallel=3, in_order=True)
    path = f"/api/v1/endpoints/{made['id']}"
    changed = (await callers.send("PATCH", path, "support", json={"parallel": 7})).json()
    varying = ("parallel", "updated_at", "secret")
    assert {name: value for name, value in made.items() if name not in varying} == {
        name: value for name, value in changed.items() if name not in varying
    }
    assert [] == (await callers.send("PATCH", path, "support", json={"headers": {}})).json()["header_names"]


async def test_what_cannot_be_is_refused_by_its_name(callers: Callers) -> None:
    for fields, param in WRONG:
        told = problem(await callers.create("admin", **fields), 400, "invalid_request" if param != "api_version" else "unknown_version")
        assert param in (told["param"], *(error["param"] for error in told["errors"])), (fields, told)
        assert "pass@" not in told["detail"]


async def test_misspelt_event_type_is_told_the_right_one(callers: Callers) -> None:
    for misspelt, meant in (("custmer.created", "customer.created"), ("customers.*", "customer.*"), ("key_created", "key.created")):
        told = problem(await callers.create("admin", events=[misspelt]), 400, "invalid_request")
        assert f"did you mean `{meant}`" in told["detail"]
    assert "GET /api/v1/event-types" in problem(await callers.create("admin", events=["zebra.ran"]), 400, "invalid_request")["detail"]


async def test_creation_happens_once_and_its_secret_is_shown_once(callers: Callers) -> None:
    key = {"Idempotency-Key": "subscribe-1"}
    first, again = [
        await callers.send("POST", "/api/v1/endpoints", "support", json={"url": URL, "events": ["*"]}, headers=key) for _ in range(2)
    ]
    assert (201, "no-store") == (first.status_code, first.headers["cache-control"])
    told = problem(again, 409, "shown_once")
    assert [{"object": "endpoint", "id": first.json()["id"]}] == told["made"]
    assert 1 == len((await callers.send("GET", "/api/v1/endpoints", "support")).json()["data"])


async def test_endpoints_are_bounded_in_number(callers: Callers) -> None:
    support = (await callers.key("support")).integration.id
    await _fill(callers, ENDPOINTS_OF_INTEGRATION_MAX, support)
    assert "integration" in problem(await callers.create("support"), 409, "too_many_endpoints")["detail"]
    await _fill(callers, ENDPOINTS_MAX - ENDPOINTS_OF_INTEGRATION_MAX)
    assert "workspace" in problem(await callers.create("admin"), 409, "too_many_endpoints")["detail"]
    gone = (await callers.send("GET", "/api/v1/endpoints?limit=1", "admin")).json()["data"][0]["id"]
    assert 204 == (await callers.send("DELETE", f"/api/v1/endpoints/{gone}", "admin")).status_code
    assert 201 == (await callers.create("admin")).status_code


async def _fill(callers: Callers, count: int, integration_id: str | None = None) -> None:
    made = await manage.create(callers.host.rack.assembly.desk, callers.host.owner, url=URL, events=["*"], integration_id=integration_id)
    async with callers.host.rack.assembly.store.changing() as c:
        for _ in range(count - 1):
            await rows.add(c, replace(made.endpoint, id=new_id()))


async def test_enabling_forgets_the_failures(callers: Callers) -> None:
    made = await callers.make("support")
    store, path = callers.host.rack.assembly.store, f"/api/v1/endpoints/{made['id']}"
    failing = Attempt("a1", callers.host.workspace.id, "d1", made["id"], 1, Trigger.SCHEDULE, callers.host.clock.now(), 5, status=500)
    async with store.writing_traffic() as c:
        await delivery_lanes.note_health(c, [failing])
    told = (await callers.send("GET", path, "support")).json()["health"]
    assert (1, True) == (told["failures_in_row"], told["failing_since"] is not None)
    # One that is enabled goes on counting, however often somebody enables it.
    assert 1 == (await callers.send("PATCH", path, "support", json={"enabled": True})).json()["health"]["failures_in_row"]
    await callers.send("PATCH", path, "support", json={"enabled": False})
    healed = (await callers.send("PATCH", path, "support", json={"enabled": True})).json()["health"]
    assert (0, None, True) == (healed["failures_in_row"], healed["failing_since"], healed["failed_at"] is not None)


async def test_list_pages_sorts_and_filters(callers: Callers) -> None:
    made = [await callers.make("admin", url=f"https://crm.example.com/{number}", description=f"No {number}") for number in range(5)]
    await callers.send("PATCH", f"/api/v1/endpoints/{made[0]['id']}", "admin", json={"enabled": False})

    async def ids(query: str) -> list[str]:
        return [one["id"] for one in (await callers.send("GET", f"/api/v1/endpoints?{query}", "admin")).json()["data"]]

    every = [one["id"] for one in made]
    assert every[::-1] == await ids("")
    assert every == await ids("sort=created_at")
    assert [every[0]] == await ids("enabled=false")
    assert every[1:] == await ids("enabled=true&sort=created_at")
    assert [every[3]] == await ids("search=No%203")
    assert [every[2]] == await ids("search=com/2")
    assert every[3:] == await ids(f"sort=created_at&starting_after={every[2]}")
    first = (await callers.send("GET", "/api/v1/endpoints?limit=2", "admin")).json()
    second = (await callers.send("GET", first["next_url"], "admin")).json()
    assert every[::-1][:4] == [one["id"] for one in (*first["data"], *second["data"])]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": "http://crm.example.com/"}, "url"),
    ({"url": "https://user:pass@crm.example.com/"}, "url"),
    ({"url": "https://127.0.0.1/"}, "url"),
    ({"url": "https://169.254.169.254/latest"}, "url"),
    ({"url": "ftp://crm.example.com/"}, "url"),
    ({"url": "not a url"}, "url"),
    ({"url": "https://crm.example.com/" + "x" * 2000}, "url"),
    ({"url": "https://crm.example.com/\u0000"}, "url"),
    ({"events": []}, "events"),
    ({"events": ["customer.made"]}, "events"),
    ({"events": ["custmer.*"]}, "events"),
    ({"events": ["*.created"]}, "events.0"),
    ({"events": ["customer.created"] * 101}, "events"),
    ({"events": "customer.created"}, "events"),
    ({"headers": {"Host": "evil"}}, "headers"),
    ({"headers": {"webhook-id": "1"}}, "headers"),
    ({"headers": {"X-A": "1\r\nX-B: 2"}}, "headers"),
    ({"headers": {"X-A": "1", "x-a": "2"}}, "headers"),
    ({"headers": {f"X-{number}": "1" for number in range(21)}}, "headers"),
    ({"parallel": 0}, "parallel"),
    ({"parallel": 21}, "parallel"),
    ({"parallel": True}, "parallel"),
    ({"signature": "v2"}, "signature"),
    ({"mode": "both"}, "mode"),
    ({"api_version": "1999-01-01"}, "api_version"),
    ({"description": "two\nlines"}, "description"),
    ({"secret": "whsec_mine"}, "secret"),
]
