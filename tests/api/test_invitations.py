"""Invitations and portal links over HTTP."""

from keyrack.manage import invitations
from keyrack.manage.keys import Issued
from keyrack.model.members import Role
from tests.hosts import Host
from tests.walk.problems import problem


async def test_invitation_is_made_listed_renewed_and_taken_back(host: Host, admin: Issued) -> None:
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    rights = {"org_access": "none", "permissions": {"customers": "read"}, "spaces": [{"space_id": space.id, "role": "viewer"}]}
    body = {"email": "Mira@aurora.test", **rights}
    made = await host.send("POST", "/api/v1/invitations", admin, json=body)
    assert (201, "no-store") == (made.status_code, made.headers["cache-control"])
    shown = made.json()
    url = shown.pop("url")
    assert url.startswith("http://acme.test/console/invitation?link=acme_invitation_")
    assert {"email": "mira@aurora.test", "role": "member", "state": "open", **rights}.items() <= shown.items()
    assert shown == (await host.get(f"/api/v1/invitations/{shown['id']}", admin)).json()
    assert [shown] == (await host.get("/api/v1/invitations?open=true", admin)).json()["data"]
    renewed = (await host.send("POST", f"/api/v1/invitations/{shown['id']}/renew", admin)).json()
    assert renewed["url"] != url
    assert 204 == (await host.send("DELETE", f"/api/v1/invitations/{shown['id']}", admin)).status_code
    assert [] == (await host.get("/api/v1/invitations?open=true", admin)).json()["data"]
    (left,) = (await host.get("/api/v1/invitations", admin)).json()["data"]
    assert "revoked" == left["state"]


async def test_credential_invites_to_no_role_above_member(host: Host, admin: Issued) -> None:
    for role in ("admin", "owner"):
        refused = await host.send("POST", "/api/v1/invitations", admin, json={"email": "x@acme.test", "role": role})
        problem(refused, 403, "insufficient_permission")


async def test_invitation_of_another_workspace_is_missing(host: Host, admin: Issued) -> None:
    neighbour = await host.other_workspace()
    operator = await host.rack.workspaces.operator(neighbour.workspace.id)
    theirs = await invitations.create(host.rack.assembly.desk, operator, email="x@them.test")
    path = f"/api/v1/invitations/{theirs.invitation.id}"
    for method, where in (("GET", path), ("DELETE", path), ("POST", f"{path}/renew")):
        problem(await host.send(method, where, admin), 404, "not_found")


async def test_portal_link_is_answered_once_and_never_stored(host: Host, admin: Issued) -> None:
    member = await host.rack.members.add(host.workspace.id, email="ada@acme.test", name="Ada", role=Role.OWNER)
    made = await host.send("POST", "/api/v1/portal-links", admin, json={"member_id": member.id, "auth_time": "2026-01-01T00:00:00Z"})
    assert (201, "no-store") == (made.status_code, made.headers["cache-control"])
    assert ("portal_link", member.id, None) == tuple(made.json()[name] for name in ("object", "member_id", "origin"))
    assert made.json()["url"].startswith("http://acme.test/console/portal?link=acme_portal_")
    for wrong in ({}, {"member_id": member.id, "origin": "https://evil.example"}, {"member_id": member.id, "valid_seconds": 61}):
        problem(await host.send("POST", "/api/v1/portal-links", admin, json=wrong), 400, "invalid_request")
