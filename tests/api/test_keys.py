"""Keys over HTTP: made, edited as one line with their integration, rotated, ended."""

from typing import Any

from keyrack.manage.keys import Issued
from tests.hosts import ADMIN_RIGHTS, Host, Mode
from tests.walk.problems import problem, without_occurrence

UNKNOWN = "cl9bn00of0000g7l8gcq8c4xk"


async def made(host: Host, admin: Issued, **body: Any) -> dict[str, Any]:
    """Create a key and return it."""
    answer = await host.send("POST", "/api/v1/keys", admin, json={"name": "Zapier"} | body)
    assert 201 == answer.status_code, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def test_key_with_nothing_but_a_name_gets_the_brands_rights_and_an_integration_of_its_name(host: Host, admin: Issued) -> None:
    key = await made(host, admin)
    assert ("key", "live", "active", True) == (key["object"], key["mode"], key["state"], key["enabled"])
    assert ("Zapier", {"*": "write"}, "none") == (key["integration_name"], key["permissions"], key["org_access"])
    integration = (await host.get(f"/api/v1/integrations/{key['integration_id']}", admin)).json()
    assert ("Zapier", {"*": "write"}, "admin") == (integration["name"], integration["permissions"], integration["made_by_name"])


async def test_edit_of_a_key_with_permissions_edits_its_integration_at_once(host: Host, admin: Issued) -> None:
    key = await made(host, admin, permissions={"customers": "write"})
    url, secret = f"/api/v1/keys/{key['id']}", key["secret"]
    assert 201 == (await host.send("POST", "/api/v1/customers", secret, json={"name": "Aurora"})).status_code
    edited = (await host.send("PATCH", url, admin, json={"name": "Reports", "permissions": {"customers": "read"}})).json()
    assert ("Reports", "Reports", {"customers": "read"}) == (edited["name"], edited["integration_name"], edited["permissions"])
    refused = problem(await host.send("POST", "/api/v1/customers", secret, json={"name": "B"}), 403, "insufficient_permission")
    assert "this key has customers:read" in refused["detail"]
    assert 200 == (await host.get("/api/v1/customers", secret)).status_code


async def test_permissions_of_an_integration_with_several_keys_are_not_edited_through_one(host: Host, admin: Issued) -> None:
    first = await made(host, admin)
    second = await made(host, admin, name="second", integration_id=first["integration_id"])
    for answer in (
        await host.send("PATCH", f"/api/v1/keys/{first['id']}", admin, json={"permissions": {}}),
        await host.send("POST", "/api/v1/keys", admin, json={"name": "x", "integration_id": first["integration_id"], "permissions": {}}),
    ):
        refused = problem(answer, 409, "conflict")
        assert (first["integration_id"], True) == (refused["integration_id"], "Zapier" in refused["detail"])
    renamed = await host.send("PATCH", f"/api/v1/keys/{second['id']}", admin, json={"name": "standby"})
    assert ("standby", "Zapier") == (renamed.json()["name"], renamed.json()["integration_name"])
    await host.send("DELETE", f"/api/v1/keys/{second['id']}", admin)
    alone = await host.send("PATCH", f"/api/v1/keys/{first['id']}", admin, json={"permissions": {}})
    assert (200, {}) == (alone.status_code, alone.json()["permissions"])


async def test_whole_number_is_taken_as_json_schema_takes_it(host: Host, admin: Issued) -> None:
    """JSON Schema 2020-12, validation §6.1.1: a number with a fraction of zero is an integer."""
    for overlap, status in ((60.0, 201), (60.5, 400), ("60", 400), (True, 400), (1e30, 400)):
        key = await made(host, admin)
        answer = await host.send("POST", f"/api/v1/keys/{key['id']}/rotate", admin, json={"overlap_seconds": overlap})
        assert status == answer.status_code, overlap


async def test_rotation_with_an_overlap_lets_both_secrets_pass_until_it_is_over(host: Host, admin: Issued) -> None:
    key = await made(host, admin, ip_ranges=["192.0.2.0/24"])
    answer = await host.send("POST", f"/api/v1/keys/{key['id']}/rotate", admin, json={"overlap_seconds": 60})
    successor = answer.json()
    assert (201, ["192.0.2.0/24"]) == (answer.status_code, successor["ip_ranges"])
    old = (await host.get(f"/api/v1/keys/{key['id']}", admin)).json()
    assert ("ending", successor["id"], "rotated") == (old["state"], old["successor_id"], old["end_reason"])
    problem(await host.send("POST", f"/api/v1/keys/{key['id']}/rotate", admin), 409, "conflict")
    assert [200, 200] == [(await host.get("/api/v1/me", one["secret"])).status_code for one in (key, successor)]
    host.clock.pass_seconds(60)
    problem(await host.get("/api/v1/me", key["secret"]), 401, "key_revoked")
    assert 200 == (await host.get("/api/v1/me", successor["secret"])).status_code


async def test_deleted_key_is_answered_as_it_ended_and_stays_readable(host: Host, admin: Issued) -> None:
    key = await made(host, admin)
    for _ in range(2):
        ended = await host.send("DELETE", f"/api/v1/keys/{key['id']}", admin)
        assert (200, "ended", "revoked", "admin") == (ended.status_code, *(ended.json()[n] for n in ("state", "end_reason", "ended_by")))
        problem(await host.get("/api/v1/me", key["secret"]), 401, "key_revoked")
    problem(await host.send("PATCH", f"/api/v1/keys/{key['id']}", admin, json={"name": "x"}), 409, "conflict")
    lasting, ended_ones = [(await host.get(f"/api/v1/keys?ended={ended}", admin)).json()["data"] for ended in ("false", "true")]
    assert [["admin"], ["Zapier"]] == [[one["name"] for one in page] for page in (lasting, ended_ones)]


async def test_disabled_key_is_refused_until_it_is_enabled(host: Host, admin: Issued) -> None:
    key = await made(host, admin)
    url = f"/api/v1/keys/{key['id']}"
    assert "disabled" == (await host.send("PATCH", url, admin, json={"enabled": False})).json()["state"]
    problem(await host.get("/api/v1/me", key["secret"]), 401, "key_disabled")
    assert "active" == (await host.send("PATCH", url, admin, json={"enabled": True})).json()["state"]
    assert 200 == (await host.get("/api/v1/me", key["secret"])).status_code


IMPOSSIBLE: list[tuple[str, dict[str, Any]]] = [
    ("name", {"name": ""}),
    ("name", {"name": "two\nlines"}),
    ("name", {"name": "x" * 101}),
    ("name", {"name": None}),
    ("mode", {"mode": "prod"}),
    ("expires_at", {"expires_at": "2036-01-01T00:00:00"}),
    ("expires_at", {"expires_at": 2082758400000}),
    ("expires_at", {"expires_at": "2016-01-01T00:00:00Z"}),
    ("ip_ranges", {"ip_ranges": ["300.0.0.1"]}),
    ("permissions.customers", {"permissions": {"customers": "delete"}}),
    ("permissions.colours", {"permissions": {"colours": "read"}}),
    ("permissions.messages", {"permissions": {"messages": "read"}}),
    ("permissions", {"permissions": {"*": "write", "customers": "read"}}),
    ("secret", {"secret": "mine"}),
]


async def test_field_that_cannot_be_is_refused_by_name(host: Host, admin: Issued) -> None:
    for param, body in IMPOSSIBLE:
        refused = problem(await host.send("POST", "/api/v1/keys", admin, json={"name": "x"} | body), 400, "invalid_request")
        assert str(refused["param"]).startswith(param), body


async def test_expiry_is_read_with_its_offset_and_shown_in_utc(host: Host, admin: Issued) -> None:
    key = await made(host, admin, expires_at="2036-07-15T02:00:00.5+02:00")
    assert "2036-07-15T00:00:00.500Z" == key["expires_at"]
    unbounded = await host.send("PATCH", f"/api/v1/keys/{key['id']}", admin, json={"expires_at": None})
    assert unbounded.json()["expires_at"] is None


async def test_test_key_gets_no_live_key_out_in_any_way(host: Host, admin: Issued) -> None:
    live = await made(host, admin, name="live")
    tester = await host.key(ADMIN_RIGHTS, mode=Mode.TEST, name="tester")
    for path, body in (
        ("/api/v1/keys", {"name": "x"}),
        ("/api/v1/keys", {"name": "x", "integration_id": live["integration_id"]}),
        (f"/api/v1/keys/{live['id']}/rotate", {"overlap_seconds": 60}),
        (f"/api/v1/integrations/{live['integration_id']}/rotate", {"mode": "live"}),
    ):
        problem(await host.send("POST", path, tester, json=body), 403, "insufficient_permission")
    assert 200 == (await host.get("/api/v1/me", live["secret"])).status_code
    rotated = await host.send("POST", f"/api/v1/integrations/{live['integration_id']}/rotate", tester, json={"mode": "test"})
    assert "test" == rotated.json()["mode"]
    assert 200 == (await host.get("/api/v1/me", live["secret"])).status_code


async def test_key_of_another_workspace_is_the_very_404_of_a_missing_one(host: Host, admin: Issued) -> None:
    theirs = (await host.other_workspace()).key
    calls: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "", None), ("PATCH", "", {"name": "mine"}), ("DELETE", "", None), ("POST", "/rotate", {}),
    ]  # fmt: skip
    for method, rest, body in calls:
        answers = [await host.send(method, f"/api/v1/keys/{one}{rest}", admin, json=body) for one in (theirs.key.id, UNKNOWN)]
        problem(answers[0], 404, "not_found")
        assert without_occurrence(answers[1]) == without_occurrence(answers[0])
    into = [theirs.integration.id, UNKNOWN]
    answers = [await host.send("POST", "/api/v1/keys", admin, json={"name": "x", "integration_id": one}) for one in into]
    problem(answers[0], 404, "not_found")
    assert without_occurrence(answers[1]) == without_occurrence(answers[0])
    assert 200 == (await host.get("/api/v1/me", theirs)).status_code


async def test_last_use_is_shown_with_its_address_once_the_log_has_moved(host: Host, admin: Issued) -> None:
    key = await made(host, admin)
    await host.get("/api/v1/me", key["secret"])
    for job in host.rack.assembly.jobs._jobs:
        if job.name == "move_logs":
            await job.run()
    shown = (await host.get(f"/api/v1/keys/{key['id']}", admin)).json()
    assert "192.0.2.7" == shown["last_used_from"]
    assert shown["last_used_at"].endswith("Z")
