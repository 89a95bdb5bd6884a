"""Members over HTTP: read and bounded by credentials, but roles are for people."""

import pytest

from keyrack.manage.keys import Issued
from keyrack.model.members import Member, Role
from tests.hosts import Host
from tests.walk.problems import problem, without_occurrence

UNKNOWN = "cl9bn00of0000g7l8gcq8c4xk"


@pytest.fixture
async def member(host: Host) -> Member:
    """A member without a role above member."""
    return await host.rack.members.add(host.workspace.id, email="Mira@Aurora.test", name="Mira Chen")


async def test_member_is_shown_with_their_role_and_rights(host: Host, admin: Issued, member: Member) -> None:
    shown = (await host.get(f"/api/v1/members/{member.id}", admin)).json()
    expected = {"object": "member", "name": "Mira Chen", "email": "mira@aurora.test", "role": "member", "status": "active"}
    assert expected | {"may_use_api": False, "org_access": "reader"} == {
        name: shown[name] for name in (*expected, "may_use_api", "org_access")
    }
    assert [member.id] == [one["id"] for one in (await host.get("/api/v1/members?search=aurora", admin)).json()["data"]]
    assert [] == (await host.get("/api/v1/members?role=owner", admin)).json()["data"]


async def test_credential_edits_rights_and_status_but_no_role_and_no_owner(host: Host, admin: Issued, member: Member) -> None:
    url = f"/api/v1/members/{member.id}"
    edited = await host.send("PATCH", url, admin, json={"permissions": {"customers": "write"}, "may_use_api": True, "status": "inactive"})
    assert (200, {"customers": "write"}, True, "inactive") == (
        edited.status_code, *(edited.json()[name] for name in ("permissions", "may_use_api", "status")),
    )  # fmt: skip
    refused = problem(await host.send("PATCH", url, admin, json={"role": "admin"}), 403, "insufficient_permission")
    assert "role" == refused["param"]
    owner = await host.rack.members.add(host.workspace.id, email="o@acme.test", name="Olga", role=Role.OWNER)
    for method, body in (("PATCH", {"status": "inactive"}), ("PATCH", {"permissions": {}}), ("DELETE", None)):
        problem(await host.send(method, f"/api/v1/members/{owner.id}", admin, json=body), 403, "insufficient_permission")


async def test_member_who_was_let_go_is_missing(host: Host, admin: Issued, member: Member) -> None:
    assert 204 == (await host.send("DELETE", f"/api/v1/members/{member.id}", admin)).status_code
    problem(await host.get(f"/api/v1/members/{member.id}", admin), 404, "not_found")
    (event,) = (await host.get("/api/v1/events?type=member.removed", admin)).json()["data"]
    assert ("Mira Chen", "admin") == (event["data"]["name"], event["actor"]["name"])


async def test_member_of_another_workspace_is_the_very_404_of_a_missing_one(host: Host, admin: Issued) -> None:
    neighbour = await host.other_workspace()
    theirs = await host.rack.members.add(neighbour.workspace.id, email="t@them.test", name="Them")
    for method in ("GET", "PATCH", "DELETE"):
        body = {"may_use_api": True} if method == "PATCH" else None
        answers = [await host.send(method, f"/api/v1/members/{one}", admin, json=body) for one in (theirs.id, UNKNOWN)]
        problem(answers[0], 404, "not_found")
        assert without_occurrence(answers[1]) == without_occurrence(answers[0])
