"""Spaces over HTTP: who sees them, who says who is in them."""

import pytest

from keyrack.manage.keys import Issued
from keyrack.model.permissions import OrgAccess, Rights, SpaceRole
from keyrack.model.spaces import Space
from tests.hosts import Host
from tests.walk.problems import problem, without_occurrence

UNKNOWN = "cl9bn00of0000g7l8gcq8c4xk"


@pytest.fixture
async def space(host: Host) -> Space:
    """A space with nobody in it."""
    return await host.rack.spaces.create(host.workspace.id, "Launch")


async def holder(host: Host, space: Space, role: SpaceRole) -> Issued:
    """Make a key whose integration has a role in the space and nothing else."""
    return await host.key(Rights(spaces={space.id: role}), name=role.value)


async def test_whoever_makes_a_space_is_its_manager_and_reaches_what_lies_there(host: Host, admin: Issued) -> None:
    made = (await host.send("POST", "/api/v1/spaces", admin, json={"name": "Ours"})).json()
    assert ("space", "Ours", "manager") == (made["object"], made["name"], made["role"])
    assert 200 == (await host.send("POST", f"/api/v1/spaces/{made['id']}/messages", admin)).status_code
    (held,) = (await host.get(f"/api/v1/spaces/{made['id']}/members", admin)).json()["data"]
    assert (admin.integration.id, "integration", "admin", "manager") == tuple(held[name] for name in ("id", "kind", "name", "role"))


async def test_any_credential_sees_its_own_spaces_and_who_is_in_them(host: Host, space: Space) -> None:
    other = await host.rack.spaces.create(host.workspace.id, "Other")
    viewer = await holder(host, space, SpaceRole.VIEWER)
    assert [(space.id, "viewer")] == [(one["id"], one["role"]) for one in (await host.get("/api/v1/spaces", viewer)).json()["data"]]
    assert "Launch" == (await host.get(f"/api/v1/spaces/{space.id}", viewer)).json()["name"]
    assert [viewer.integration.id] == [one["id"] for one in (await host.get(f"/api/v1/spaces/{space.id}/members", viewer)).json()["data"]]
    calls = [
        ("GET", ""),
        ("GET", "/members"),
        ("PUT", f"/members/{viewer.integration.id}"),
        ("DELETE", f"/members/{viewer.integration.id}"),
    ]
    for method, rest in calls:
        body = {"role": "manager"} if method == "PUT" else None
        answers = [await host.send(method, f"/api/v1/spaces/{one}{rest}", viewer, json=body) for one in (other.id, UNKNOWN)]
        problem(answers[0], 404, "not_found")
        assert without_occurrence(answers[1]) == without_occurrence(answers[0])


async def test_manager_says_who_is_in_the_space_and_others_do_not(host: Host, space: Space) -> None:
    manager, contributor = [await holder(host, space, role) for role in (SpaceRole.MANAGER, SpaceRole.CONTRIBUTOR)]
    newcomer = await host.key(Rights(OrgAccess.READER))
    member = await host.rack.members.add(host.workspace.id, email="mira@aurora.test", name="Mira Chen")
    url, messages = f"/api/v1/spaces/{space.id}/members", f"/api/v1/spaces/{space.id}/messages"
    assert "Mira Chen" == (await host.send("PUT", f"{url}/{member.id}", manager, json={"role": "viewer"})).json()["name"]
    assert 404 == (await host.get(messages, newcomer)).status_code
    await host.send("PUT", f"{url}/{newcomer.integration.id}", manager, json={"role": "viewer"})
    assert 200 == (await host.get(messages, newcomer)).status_code
    for key in (contributor, newcomer):
        problem(await host.send("PUT", f"{url}/{member.id}", key, json={"role": "manager"}), 403, "insufficient_permission")
        problem(await host.send("DELETE", f"{url}/{member.id}", key), 403, "insufficient_permission")
    for _ in range(2):
        assert 204 == (await host.send("DELETE", f"{url}/{newcomer.integration.id}", manager)).status_code
        assert 404 == (await host.get(messages, newcomer)).status_code


async def test_org_level_admin_hands_out_roles_without_reading_what_lies_in_the_space(host: Host, admin: Issued, space: Space) -> None:
    reader = await host.key(Rights())
    shown = (await host.get(f"/api/v1/spaces/{space.id}", admin)).json()
    assert ("Launch", None) == (shown["name"], shown["role"])
    problem(await host.get(f"/api/v1/spaces/{space.id}/messages", admin), 404, "not_found")
    url = f"/api/v1/spaces/{space.id}/members/{reader.integration.id}"
    assert 200 == (await host.send("PUT", url, admin, json={"role": "manager"})).status_code
    assert 200 == (await host.get(f"/api/v1/spaces/{space.id}/messages", reader)).status_code


async def test_wildcard_reaches_a_new_space_at_once_and_a_deleted_one_no_more(host: Host, admin: Issued) -> None:
    everything = await host.key()
    assert [] == (await host.get("/api/v1/spaces", everything)).json()["data"]
    made = (await host.send("POST", "/api/v1/spaces", admin, json={"name": "New"})).json()
    assert [(made["id"], "contributor")] == [(s["id"], s["role"]) for s in (await host.get("/api/v1/spaces", everything)).json()["data"]]
    assert 200 == (await host.send("POST", f"/api/v1/spaces/{made['id']}/messages", everything)).status_code
    assert "Old" == (await host.send("PATCH", f"/api/v1/spaces/{made['id']}", admin, json={"name": "Old"})).json()["name"]
    assert 204 == (await host.send("DELETE", f"/api/v1/spaces/{made['id']}", admin)).status_code
    for key in (everything, admin):
        problem(await host.send("POST", f"/api/v1/spaces/{made['id']}/messages", key), 404, "not_found")
        problem(await host.get(f"/api/v1/spaces/{made['id']}", key), 404, "not_found")
    problem(await host.send("DELETE", f"/api/v1/spaces/{made['id']}", admin), 404, "not_found")


async def test_holder_of_another_workspace_is_the_very_404_of_a_missing_one(host: Host, admin: Issued, space: Space) -> None:
    theirs = await host.other_workspace()
    ids = (theirs.key.integration.id, UNKNOWN)
    answers = [await host.send("PUT", f"/api/v1/spaces/{space.id}/members/{one}", admin, json={"role": "viewer"}) for one in ids]
    problem(answers[0], 404, "not_found")
    assert without_occurrence(answers[1]) == without_occurrence(answers[0])
    foreign = await host.rack.spaces.create(theirs.workspace.id, "Theirs")
    for method in ("GET", "PATCH", "DELETE"):
        body = {"name": "x"} if method == "PATCH" else None
        answers = [await host.send(method, f"/api/v1/spaces/{one}", admin, json=body) for one in (foreign.id, UNKNOWN)]
        problem(answers[0], 404, "not_found")
        assert without_occurrence(answers[1]) == without_occurrence(answers[0])
