"""403: we know who is calling, and they may know that this exists."""

from keyrack.model.permissions import Level, OrgAccess, Rights, SpaceRole
from tests.hosts import ADMIN_RIGHTS, Host
from tests.walk.problems import problem

READER = Rights(permissions={"customers": Level.READ})


async def test_missing_permission_is_named_with_what_the_key_has(host: Host) -> None:
    key = await host.key(READER)
    answer = await host.send("POST", "/api/v1/customers", key, json={"name": "Aurora"})
    document = problem(answer, 403, "insufficient_permission")
    assert "POST /api/v1/customers needs customers:write; this key has customers:read." == document["detail"]
    assert 'error="insufficient_scope", scope="customers:write"' in answer.headers["www-authenticate"]


async def test_key_without_permissions_reaches_nothing(host: Host) -> None:
    key = await host.key(Rights())
    problem(await host.get("/api/v1/customers", key), 403, "insufficient_permission")


async def test_write_includes_delete_and_read_does_not(host: Host) -> None:
    reader, writer = await host.key(READER), await host.key(Rights(permissions={"customers": Level.WRITE}))
    problem(await host.send("DELETE", "/api/v1/customers/1", reader), 403, "insufficient_permission")
    assert 204 == (await host.send("DELETE", "/api/v1/customers/1", writer)).status_code


async def test_org_level_reader_reads_everything_and_writes_nothing(host: Host) -> None:
    key = await host.key(Rights(OrgAccess.READER))
    assert 200 == (await host.get("/api/v1/customers", key)).status_code
    problem(await host.send("POST", "/api/v1/customers", key, json={"name": "Aurora"}), 403, "insufficient_permission")


async def test_viewer_of_a_space_reads_there_and_does_not_write(host: Host) -> None:
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    key = await host.key(Rights(spaces={space.id: SpaceRole.VIEWER}))
    path = f"/api/v1/spaces/{space.id}/messages"
    assert 200 == (await host.get(path, key)).status_code
    document = problem(await host.send("POST", path, key), 403, "insufficient_permission")
    assert "viewer" in document["detail"]


async def test_key_made_the_quickstarts_way_does_not_manage(host: Host) -> None:
    key = await host.key()
    problem(await host.get("/api/v1/integrations", key), 403, "insufficient_permission")
    assert 200 == (await host.get("/api/v1/integrations", await host.key(ADMIN_RIGHTS))).status_code


async def test_edited_rights_hold_from_the_next_call_on(host: Host) -> None:
    key = await host.key(READER)
    problem(await host.send("POST", "/api/v1/customers", key, json={"name": "Aurora"}), 403, "insufficient_permission")
    await host.edit_rights(key, Rights(permissions={"customers": Level.WRITE}))
    assert 201 == (await host.send("POST", "/api/v1/customers", key, json={"name": "Aurora"})).status_code
    await host.edit_rights(key, READER)
    problem(await host.send("POST", "/api/v1/customers", key, json={"name": "Aurora"}), 403, "insufficient_permission")


async def test_address_outside_the_keys_ranges_is_refused(host: Host) -> None:
    inside, outside = await host.key(ip_ranges=["192.0.2.0/24"]), await host.key(ip_ranges=["198.51.100.0/24"])
    assert 200 == (await host.get("/api/v1/customers", inside)).status_code
    problem(await host.get("/api/v1/customers", outside), 403, "address_not_allowed")
    forged = {"X-Forwarded-For": "198.51.100.9"}
    problem(await host.get("/api/v1/customers", outside, headers=forged), 403, "address_not_allowed")


async def test_plan_without_api_access_refuses_existing_keys_at_once(host: Host) -> None:
    key = await host.key()
    await host.rack.workspaces.set_plan(host.workspace.id, "free")
    problem(await host.get("/api/v1/customers", key), 403, "plan_upgrade_required")
