"""404: what is not there, and what the caller may not know of, look exactly the same."""

from keyrack.model.permissions import OrgAccess, Rights
from tests.hosts import ADMIN_RIGHTS, Host
from tests.walk.problems import problem, without_occurrence


async def test_space_without_a_role_looks_exactly_like_a_missing_one(host: Host) -> None:
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    for rights in (Rights(), Rights(OrgAccess.READER), ADMIN_RIGHTS):
        key = await host.key(rights)
        there = await host.get(f"/api/v1/spaces/{space.id}/messages", key)
        missing = await host.get("/api/v1/spaces/cmissing/messages", key)
        problem(there, 404, "not_found")
        assert without_occurrence(there) == without_occurrence(missing)


async def test_wildcard_reaches_later_spaces_and_no_space_of_another_workspace(host: Host) -> None:
    key = await host.key()
    other = await host.other_workspace()
    foreign = await host.rack.spaces.create(other.workspace.id, "Theirs")
    problem(await host.get(f"/api/v1/spaces/{foreign.id}/messages", key), 404, "not_found")
    later = await host.rack.spaces.create(host.workspace.id, "Later")
    assert 200 == (await host.get(f"/api/v1/spaces/{later.id}/messages", key)).status_code
    await host.rack.spaces.delete(host.workspace.id, later.id)
    problem(await host.get(f"/api/v1/spaces/{later.id}/messages", key), 404, "not_found")


async def test_key_of_another_workspace_looks_exactly_like_a_missing_one(host: Host) -> None:
    admin = await host.key(ADMIN_RIGHTS)
    other = await host.other_workspace()
    for method, suffix in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
        foreign = await host.send(method, f"/api/v1/keys/{other.key.key.id}{suffix}", admin)
        missing = await host.send(method, f"/api/v1/keys/cl9bn00of0000g7l8gcq8c4xk{suffix}", admin)
        problem(foreign, 404, "not_found")
        assert without_occurrence(foreign) == without_occurrence(missing)
    assert 200 == (await host.get("/api/v1/customers", other.key)).status_code


async def test_refusals_of_handlers_become_problems(host: Host) -> None:
    key = await host.key()
    assert "No such customer." == problem(await host.get("/api/v1/customers/missing", key), 404, "not_found")["detail"]
    assert "No such customer." == problem(await host.get("/api/v1/customers/gone", key), 404, "not_found")["detail"]


async def test_unknown_path_names_the_one_that_differs_in_its_slash(host: Host) -> None:
    key = await host.key()
    problem(await host.get("/api/v1/nothing", key), 404, "not_found")
    assert "/api/v1/customers?" in problem(await host.get("/api/v1/customers/", key), 404, "not_found")["detail"]


async def test_object_in_a_space_without_a_role_is_missing(host: Host) -> None:
    key = await host.key(Rights())
    problem(await host.get("/api/v1/messages/cmissing", key), 404, "not_found")
