"""Integrations over HTTP, as the page "Getting Started with the Pivot API" describes them."""

from typing import Any

from keyrack.manage.keys import Issued
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights
from tests.hosts import Host
from tests.walk.problems import problem, without_occurrence

UNKNOWN = "cl9bn00of0000g7l8gcq8c4xk"


async def made(host: Host, admin: Issued, **body: Any) -> dict[str, Any]:
    """Create an integration and return it."""
    answer = await host.send("POST", "/api/v1/integrations", admin, json={"name": "Reporting"} | body)
    assert 201 == answer.status_code, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def key_of(host: Host, admin: Issued, integration: dict[str, Any], mode: str = "live") -> str:
    """Make a key of an integration and return its secret."""
    body = {"name": "k", "integration_id": integration["id"], "mode": mode}
    secret: str = (await host.send("POST", "/api/v1/keys", admin, json=body)).json()["secret"]
    return secret


async def status(host: Host, secret: str, path: str = "/api/v1/me") -> int:
    """Return the status of a call."""
    return (await host.get(path, secret)).status_code


async def test_integration_gets_what_is_named_and_nothing_else(host: Host, admin: Issued) -> None:
    bare = await made(host, admin)
    assert ("integration", "none", {}, []) == tuple(bare[name] for name in ("object", "org_access", "permissions", "spaces"))
    secret = await key_of(host, admin, bare)
    problem(await host.get("/api/v1/customers", secret), 403, "insufficient_permission")
    reader = await made(host, admin, org_access="reader", permissions={"onboardings": "none"})
    assert ("reader", {}) == (reader["org_access"], reader["permissions"])
    assert 200 == await status(host, await key_of(host, admin, reader), "/api/v1/customers")


async def test_edit_of_name_and_org_access_holds_when_it_is_answered(host: Host, admin: Issued) -> None:
    integration = await made(host, admin, org_access="reader", permissions={"customers": "write"})
    secret = await key_of(host, admin, integration)
    answer = await host.send("PATCH", f"/api/v1/integrations/{integration['id']}", admin, json={"name": "BI", "org_access": "none"})
    assert ("BI", "none", {"customers": "write"}) == tuple(answer.json()[name] for name in ("name", "org_access", "permissions"))
    await host.send("PATCH", f"/api/v1/integrations/{integration['id']}", admin, json={"permissions": {"onboardings": "read"}})
    problem(await host.get("/api/v1/customers", secret), 403, "insufficient_permission")


async def test_rotation_ends_every_key_of_the_mode_and_answers_the_one_that_works(host: Host, admin: Issued) -> None:
    integration = await made(host, admin)
    live = [await key_of(host, admin, integration) for _ in range(2)]
    test = await key_of(host, admin, integration, "test")
    answer = await host.send("POST", f"/api/v1/integrations/{integration['id']}/rotate", admin)
    assert (201, "live", "k") == (answer.status_code, answer.json()["mode"], answer.json()["name"])
    assert [401, 401, 200, 200] == [await status(host, secret) for secret in (*live, test, answer.json()["secret"])]
    events = (await host.get("/api/v1/events?type=integration.rotated", admin)).json()["data"]
    assert [2] == [event["data"]["keys_ended"] for event in events]


async def test_rotation_keeps_the_bounds_of_the_key_that_it_replaces(host: Host, admin: Issued) -> None:
    integration = await made(host, admin)
    body = {"name": "k", "integration_id": integration["id"], "ip_ranges": ["203.0.113.0/24"], "expires_at": "2036-01-01T00:00:00Z"}
    await host.send("POST", "/api/v1/keys", admin, json=body)
    key = (await host.send("POST", f"/api/v1/integrations/{integration['id']}/rotate", admin, json={"mode": "live"})).json()
    assert (["203.0.113.0/24"], "2036-01-01T00:00:00.000Z") == (key["ip_ranges"], key["expires_at"])
    problem(await host.get("/api/v1/me", key["secret"]), 403, "address_not_allowed")


async def test_space_access_is_set_all_at_once_or_one_by_one(host: Host, admin: Issued) -> None:
    first, second = [await host.rack.spaces.create(host.workspace.id, name) for name in ("First", "Second")]
    integration = await made(host, admin, spaces=[{"space_id": first.id, "role": "viewer"}])
    secret, url = await key_of(host, admin, integration), f"/api/v1/integrations/{integration['id']}/spaces"
    paths = [f"/api/v1/spaces/{space.id}/messages" for space in (first, second)]
    assert [200, 404] == [await status(host, secret, path) for path in paths]
    problem(await host.send("POST", paths[0], secret), 403, "insufficient_permission")
    await host.send("PUT", f"{url}/{first.id}", admin, json={"role": "contributor"})
    assert 200 == (await host.send("POST", paths[0], secret)).status_code
    answer = await host.send("PUT", url, admin, json={"spaces": [{"space_id": second.id, "role": "manager"}]})
    assert [(second.id, "manager")] == [(one["space_id"], one["role"]) for one in answer.json()["data"]]
    assert [404, 200] == [await status(host, secret, path) for path in paths]
    for _ in range(2):
        assert 204 == (await host.send("DELETE", f"{url}/{second.id}", admin)).status_code
    assert [] == (await host.get(url, admin)).json()["data"]
    assert [404, 404] == [await status(host, secret, path) for path in paths]


async def test_space_of_another_workspace_cannot_be_given(host: Host, admin: Issued) -> None:
    neighbour = await host.other_workspace()
    theirs = await host.rack.spaces.create(neighbour.workspace.id, "Theirs")
    integration = await made(host, admin)
    for space_id in (theirs.id, UNKNOWN):
        given = [{"space_id": space_id, "role": "viewer"}]
        for method, path, body in (
            ("POST", "/api/v1/integrations", {"name": "x", "spaces": given}),
            ("PUT", f"/api/v1/integrations/{integration['id']}/spaces", {"spaces": given}),
            ("PUT", f"/api/v1/integrations/{integration['id']}/spaces/{space_id}", {"role": "viewer"}),
        ):
            assert "There is no such space." == problem(await host.send(method, path, admin, json=body), 404, "not_found")["detail"]
    twice = [{"space_id": theirs.id, "role": "viewer"}] * 2
    problem(await host.send("POST", "/api/v1/integrations", admin, json={"name": "x", "spaces": twice}), 400, "invalid_request")


async def test_deleting_an_integration_ends_its_keys_and_keeps_its_name_on_what_it_wrote(host: Host, admin: Issued) -> None:
    integration = await made(host, admin, name="Automation", org_access="admin")
    secret = await key_of(host, admin, integration)
    await host.send("POST", "/api/v1/spaces", secret, json={"name": "Launch"})
    assert 204 == (await host.send("DELETE", f"/api/v1/integrations/{integration['id']}", admin)).status_code
    problem(await host.get("/api/v1/me", secret), 401, "key_revoked")
    for method in ("GET", "DELETE"):
        problem(await host.send(method, f"/api/v1/integrations/{integration['id']}", admin), 404, "not_found")
    (event,) = (await host.get("/api/v1/events?type=space.created", admin)).json()["data"]
    assert ("k", integration["id"]) == (event["actor"]["name"], event["actor"]["integration_id"])
    (key,) = (await host.get(f"/api/v1/keys?ended=true&integration_id={integration['id']}", admin)).json()["data"]
    assert ("Automation", "integration_deleted") == (key["integration_name"], key["end_reason"])


async def test_only_org_level_admins_manage_integrations(host: Host, admin: Issued) -> None:
    integration = await made(host, admin)
    for rights in (Rights(OrgAccess.READER), Rights(permissions={ALL: Level.WRITE})):
        key = await host.key(rights)
        for method, path in (("GET", ""), ("POST", ""), ("PATCH", f"/{integration['id']}"), ("DELETE", f"/{integration['id']}")):
            refused = problem(await host.send(method, f"/api/v1/integrations{path}", key), 403, "insufficient_permission")
            assert "org-level Admin" in refused["detail"]


async def test_integration_of_another_workspace_is_the_very_404_of_a_missing_one(host: Host, admin: Issued) -> None:
    theirs = (await host.other_workspace()).key
    calls: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "", None), ("PATCH", "", {"name": "mine"}), ("DELETE", "", None), ("POST", "/rotate", {}), ("GET", "/spaces", None),
        ("PUT", "/spaces", {"spaces": []}),
    ]  # fmt: skip
    for method, rest, body in calls:
        ids = (theirs.integration.id, UNKNOWN)
        answers = [await host.send(method, f"/api/v1/integrations/{one}{rest}", admin, json=body) for one in ids]
        problem(answers[0], 404, "not_found")
        assert without_occurrence(answers[1]) == without_occurrence(answers[0])
    assert 200 == (await host.get("/api/v1/me", theirs)).status_code
