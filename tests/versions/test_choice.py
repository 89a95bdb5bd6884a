"""A call is served at the version that its header names, else at its key's, and says which."""

import httpx
import pytest
from sqlalchemy import text

from keyrack.manage import keys
from keyrack.model.members import Role
from tests.console.visitors import Office
from tests.hosts import ADMIN_RIGHTS
from tests.versions.conftest import FIRST, NEWEST, RENAMED, SPLIT, Changed
from tests.walk.problems import problem

PATH = "/api/v1/orders/o1"


async def test_new_key_is_served_at_the_newest_version(changed: Changed) -> None:
    key = await changed.host.key()
    answer = await changed.host.get(PATH, key)
    assert (NEWEST, 5) == (answer.headers["api-version"], answer.json()["price"])
    assert "deprecation" not in answer.headers


@pytest.mark.parametrize(("version", "field"), [(FIRST, "costs"), (SPLIT, "costs"), (RENAMED, "amount"), (NEWEST, "price")])
async def test_pin_and_header_serve_the_same(changed: Changed, version: str, field: str) -> None:
    pinned = await changed.host.get(PATH, await changed.key_at(version))
    asked = await changed.host.get(PATH, await changed.host.key(), headers={"Api-Version": version})
    for answer in (pinned, asked):
        assert (version, 5) == (answer.headers["api-version"], answer.json()[field])
    assert pinned.content == asked.content


async def test_header_goes_before_the_pin(changed: Changed) -> None:
    key = await changed.key_at(FIRST)
    answer = await changed.host.get(PATH, key, headers={"Api-Version": NEWEST})
    assert (NEWEST, 5) == (answer.headers["api-version"], answer.json()["price"])


@pytest.mark.parametrize("named", ["2026-03-01", "", "v1", "2026-06-01 x", "9999-99-99"])
async def test_unknown_version_is_a_400_that_lists_the_valid_ones(changed: Changed, named: str) -> None:
    answer = await changed.host.get(PATH, await changed.host.key(), headers={"Api-Version": named})
    document = problem(answer, 400, "unknown_version")
    assert ([FIRST, SPLIT, RENAMED, NEWEST], "Api-Version") == (document["versions"], document["param"])
    assert all(version in document["detail"] for version in document["versions"])


async def test_header_that_stands_twice_is_refused(changed: Changed) -> None:
    key = await changed.host.key()
    twice = [("Authorization", f"Bearer {key.secret.text}"), ("Api-Version", FIRST), ("Api-Version", NEWEST)]
    problem(await changed.host.client.get(PATH, headers=twice), 400, "invalid_request")


async def test_every_answer_names_a_version_once_also_refusals(changed: Changed) -> None:
    key = await changed.key_at(FIRST)
    for path, secret in ((PATH, None), ("/api/v1/nothing", key), (PATH, key), ("/api/v1/keys", key), ("/api/v1/crash", key)):
        answer = await changed.host.get(path, secret)
        assert 1 == len(answer.headers.get_list("api-version")), path


async def test_key_shows_its_version_and_an_admin_changes_it(changed: Changed) -> None:
    host = changed.host
    admin, made = await host.key(ADMIN_RIGHTS, name="admin"), await host.key()
    path = f"/api/v1/keys/{made.key.id}"
    assert NEWEST == (await host.get(path, admin)).json()["api_version"]
    edited = await host.send("PATCH", path, admin, json={"api_version": FIRST})
    assert (200, FIRST) == (edited.status_code, edited.json()["api_version"])
    assert FIRST == (await host.get(PATH, made)).headers["api-version"]
    document = problem(await host.send("PATCH", path, admin, json={"api_version": "tomorrow"}), 400, "unknown_version")
    assert ("api_version", [FIRST, SPLIT, RENAMED, NEWEST]) == (document["param"], document["versions"])
    assert 403 == (await host.send("PATCH", path, await host.key(), json={"api_version": NEWEST})).status_code
    listed = (await host.get("/api/v1/keys?search=local-dev&limit=100", admin)).json()["data"]
    assert FIRST == {key["id"]: key["api_version"] for key in listed}[made.key.id]


async def test_rotation_keeps_the_pin(changed: Changed) -> None:
    host = changed.host
    admin, made = await host.key(ADMIN_RIGHTS, name="admin"), await host.key()
    await host.send("PATCH", f"/api/v1/keys/{made.key.id}", admin, json={"api_version": FIRST})
    rotated = (await host.send("POST", f"/api/v1/keys/{made.key.id}/rotate", admin)).json()
    again = (await host.send("POST", f"/api/v1/integrations/{made.key.integration_id}/rotate", admin, json={"mode": "live"})).json()
    for successor in (rotated, again):
        assert FIRST == successor["api_version"]
    assert FIRST == (await host.get(PATH, again["secret"])).headers["api-version"]


async def test_key_from_before_there_were_versions_is_served_at_the_first(changed: Changed) -> None:
    host = changed.host
    admin, made = await host.key(ADMIN_RIGHTS, name="admin"), await host.key()
    async with host.rack.assembly.store.changing() as c:
        await c.execute(text(f"UPDATE keyrack_keys SET api_version = NULL WHERE id = '{made.key.id}'"))
    answer = await host.get(PATH, made)
    assert (FIRST, 5) == (answer.headers["api-version"], answer.json()["costs"])
    assert FIRST == (await host.get(f"/api/v1/keys/{made.key.id}", admin)).json()["api_version"]
    rotated = (await host.send("POST", f"/api/v1/keys/{made.key.id}/rotate", admin)).json()
    assert FIRST == rotated["api_version"]


async def test_console_tells_which_keys_still_call_an_older_version(changed: Changed) -> None:
    host = changed.host

    async def client() -> httpx.AsyncClient:
        return host.client

    ada = await host.rack.members.add(host.workspace.id, email="ada@acme.example", name="Ada Park", role=Role.OWNER)
    browser = await Office(host, client, {"Ada": ada}).signed_in()
    old, new = await host.key(name="old"), await host.key(name="new")
    await keys.edit(host.rack.assembly.desk, host.owner, old.key.id, api_version=SPLIT)
    assert f"calls API version {SPLIT}" in (await browser.open("/console/keys?search=old")).text
    assert "calls API version" not in (await browser.open("/console/keys?search=new")).text
    assert f"API version {NEWEST}" in (await browser.open(f"/console/keys/{new.key.id}/permissions")).text


async def test_pin_that_the_host_no_longer_has_is_served_at_the_version_before_it(changed: Changed) -> None:
    versions = changed.host.rack.versions
    assert [FIRST, FIRST, SPLIT, RENAMED, NEWEST, NEWEST] == [
        versions.of_pin(pin) for pin in (None, "2025-01-01", "2026-03-01", RENAMED, NEWEST, "2030-01-01")
    ]
