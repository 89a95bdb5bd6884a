"""Making, editing, replacing and deleting embed keys, over the API."""

import re
from typing import Any

import httpx
import pytest

from keyrack.manage.keys import Issued
from tests.api.test_logs import moved
from tests.console.conftest import MEMBERS
from tests.console.visitors import Office
from tests.embed_keys.pages import SHOP, SITE, WIDGETS, Page, new_page
from tests.hosts import ADMIN_RIGHTS, Host
from tests.walk.problems import problem

PATH = "/api/v1/embed-keys"
NEW: dict[str, Any] = {"name": "Our site", "object_type": "widget", "object_id": "w1", "origins": ["HTTPS://www.Example.com:443/", SHOP]}


async def test_admin_makes_edits_replaces_and_deletes_one(host: Host, admin: Issued) -> None:
    answer = await host.send("POST", PATH, admin, json=NEW)
    made = answer.json()
    assert (201, "embed_key", "active", 30) == (answer.status_code, made["object"], made["state"], made["calls_per_minute"])
    assert re.fullmatch(r"acme_embed_[0-9A-Za-z]{36}", made["key"])
    assert [SITE, SHOP] == made["origins"]
    one = f"{PATH}/{made['id']}"
    # It is public, and shown at any time; an edit changes what is named, and nothing else.
    assert made == (await host.get(one, admin)).json()
    off = (await host.send("PATCH", one, admin, json={"enabled": False})).json()
    assert ("disabled", made["key"], made["origins"]) == (off["state"], off["key"], off["origins"])
    edited = (await host.send("PATCH", one, admin, json={"enabled": True, "origins": [SITE], "name": "Site", "calls_per_minute": 5})).json()
    assert ("active", [SITE], "Site", 5) == tuple(edited[name] for name in ("state", "origins", "name", "calls_per_minute"))
    successor = (await host.send("POST", f"{one}/replace", admin)).json()
    same = ("name", "object_type", "object_id", "origins", "calls_per_minute")
    assert [edited[name] for name in same] == [successor[name] for name in same]
    ended = (await host.get(one, admin)).json()
    assert ("ended", "replaced", "admin", successor["id"]) == tuple(
        ended[name] for name in ("state", "end_reason", "ended_by", "successor_id")
    )
    for method, path in (("PATCH", one), ("POST", f"{one}/replace")):
        problem(await host.send(method, path, admin, json={} if method == "PATCH" else None), 409, "conflict")
    assert [204, 204] == [(await host.send("DELETE", f"{PATH}/{successor['id']}", admin)).status_code for _ in range(2)]
    assert [] == (await host.get(PATH, admin)).json()["data"]
    listed = (await host.get(PATH, admin, params={"ended": True, "object_type": "widget", "object_id": "w1", "search": "Si"})).json()
    assert [successor["id"], made["id"]] == [line["id"] for line in listed["data"]]
    told = (await host.get("/api/v1/events", admin, params={"object_type": "embed_key"})).json()["data"]
    verbs = ["created", "updated", "updated", "created", "replaced", "deleted"]
    assert sorted(f"embed_key.{verb}" for verb in verbs) == sorted(event["type"] for event in told)


async def test_what_cannot_be_an_embed_key_is_refused_in_words(host: Host, admin: Issued) -> None:
    wrong = {
        "https://*.example.com": "wildcard",
        "*": "wildcard",
        "null": "no origin",
        "": "",
        "www.example.com": "no origin",
        "//www.example.com": "no origin",
        "ftp://www.example.com": "no origin",
        "javascript:alert(1)": "no origin",
        "http://www.example.com": "https",
        "https://www.example.com/shop": "more than",
        "https://www.example.com?": "more than",
        "https://ada@www.example.com": "more than",
        "https://www.exämple.com": "xn--",
        "https://www.example.com:99999": "no origin",
        "https://a b.example.com": "",
        "https://www.example.com\u0000": "",
        "https://" + "a" * 300: "",
    }
    for origin, word in wrong.items():
        document = problem(await host.send("POST", PATH, admin, json=NEW | {"origins": [origin]}), 400, "invalid_request")
        assert word in document["detail"], origin
    wrong_fields: list[dict[str, Any]] = [
        {"origins": []},
        {"origins": [f"https://{n}.example.com" for n in range(21)]},
        {"calls_per_minute": 0},
        {"calls_per_minute": 601},
        {"object_type": "customer"},
    ]
    for fields in wrong_fields:
        problem(await host.send("POST", PATH, admin, json=NEW | fields), 400, "invalid_request")
    problem(await host.send("POST", PATH, admin, json=NEW | {"object_id": "w9"}), 404, "not_found")
    local = (await host.send("POST", PATH, admin, json=NEW | {"origins": ["http://localhost:3000", "http://[::1]:80"]})).json()
    assert ["http://localhost:3000", "http://[::1]"] == local["origins"]


async def test_only_admins_of_the_workspace_manage_them(host: Host, admin: Issued) -> None:
    made = (await host.send("POST", PATH, admin, json=NEW)).json()
    one, plain = f"{PATH}/{made['id']}", await host.key()
    neighbour = await host.other_workspace()
    owner = await host.rack.workspaces.operator(neighbour.workspace.id)
    theirs = await Host(host.rack, host.app, host.client, neighbour.workspace, owner, host.clock).key(ADMIN_RIGHTS)
    calls: list[tuple[str, str, Any]] = [
        ("GET", PATH, None),
        ("POST", PATH, NEW),
        ("GET", one, None),
        ("PATCH", one, {"enabled": False}),
        ("POST", f"{one}/replace", None),
        ("DELETE", one, None),
    ]
    for method, path, body in calls:
        problem(await host.send(method, path, plain, json=body), 403, "insufficient_permission")
        if path != PATH:
            problem(await host.send(method, path, theirs, json=body), 404, "not_found")
    assert [] == (await host.get(PATH, theirs)).json()["data"]
    # And it manages nothing itself, least of all its own.
    problem(await host.send("DELETE", one, made["key"], headers={"Origin": SITE}), 403, "insufficient_permission")


async def test_list_and_page_tell_of_the_last_use_and_of_an_object_that_is_gone(
    host: Host, admin: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, other = await new_page(host), await new_page(host, object_id="w2")
    assert [("active", None)] * 2 == await shown(host, admin)
    await used.visit()
    await moved(host)
    opened = (await host.get(f"{PATH}/{used.key.id}", admin)).json()["last_used_at"]
    host.clock.pass_seconds(60)
    # What a visitor says is a use of the key; what the page of another origin was refused while the key is off is none.
    await used.say()
    await host.send("PATCH", f"{PATH}/{other.key.id}", admin, json={"enabled": False})
    assert 401 == (await Page(host, other.key).call("GET", "/api/v1/widget")).status_code
    await moved(host)
    _, (_, said) = listed = await shown(host, admin)
    assert ([("disabled", None), ("active", said)], True) == (listed, opened < said)
    monkeypatch.delitem(WIDGETS, "w1")
    monkeypatch.delitem(WIDGETS, "w2")
    assert [("orphaned", None), ("orphaned", said)] == await shown(host, admin)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=host.app), base_url="http://acme.test") as client:
        ada = Office(host, lambda: _given(client))
        ada.members["Ada"] = await host.rack.members.add(host.workspace.id, email="ada@acme.example", name="Ada Park", role=MEMBERS["Ada"])
        page = await (await ada.signed_in()).open("/console/embed-keys")
    words = " ".join(page.text.split())
    assert (2, 2, 0) == (words.count("Widget gone"), words.count("Not there any more"), words.count("Active"))
    assert "Last used" in words
    ended = f"{PATH}/{used.key.id}"
    assert 204 == (await host.send("DELETE", ended, admin)).status_code
    assert ("ended", said) == ((one := (await host.get(ended, admin)).json())["state"], one["last_used_at"])


async def shown(host: Host, admin: Issued) -> list[tuple[str, Any]]:
    """Return state and last use of each embed key that is listed."""
    return [(one["state"], one["last_used_at"]) for one in (await host.get(PATH, admin)).json()["data"]]


async def _given(client: httpx.AsyncClient) -> httpx.AsyncClient:
    return client
