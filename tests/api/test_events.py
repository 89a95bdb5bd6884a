"""Events over HTTP: there as soon as their change was answered, newest first, under the name that the actor had."""

from keyrack.manage.keys import Issued
from keyrack.model.permissions import OrgAccess, Rights
from tests.hosts import Host


async def test_change_is_listed_as_soon_as_it_was_answered_with_its_actor(host: Host, admin: Issued) -> None:
    made = await host.send("POST", "/api/v1/integrations", admin, json={"name": "Sync", "permissions": {"customers": "read"}})
    newest = (await host.get("/api/v1/events?limit=1", admin)).json()["data"][0]
    assert ("event", "integration.created", made.json()["id"]) == (newest["object"], newest["type"], newest["object_id"])
    assert ("key", admin.key.id, "admin") == tuple(newest["actor"][name] for name in ("kind", "id", "name"))
    assert (made.headers["x-request-id"], "live") == (newest["request_id"], newest["mode"])
    assert {"customers": "read"} == newest["data"]["permissions"]


async def test_event_keeps_the_name_that_its_actor_had(host: Host, admin: Issued) -> None:
    made = (await host.send("POST", "/api/v1/integrations", admin, json={"name": "Sync"})).json()
    await host.send("PATCH", f"/api/v1/keys/{admin.key.id}", admin, json={"name": "renamed"})
    of_one = (await host.get(f"/api/v1/events?object_id={made['id']}", admin)).json()["data"]
    assert ["admin"] == [event["actor"]["name"] for event in of_one]
    by_one = (await host.get(f"/api/v1/events?actor_id={admin.key.id}", admin)).json()["data"]
    assert {"integration.created", "key.updated", "integration.updated"} == {event["type"] for event in by_one}


async def test_times_in_events_are_those_of_the_wire(host: Host, admin: Issued) -> None:
    await host.send("POST", "/api/v1/keys", admin, json={"name": "k", "expires_at": "2036-01-01T00:00:00Z"})
    (event,) = (await host.get("/api/v1/events?type=key.created&limit=1", admin)).json()["data"]
    assert "2036-01-01T00:00:00.000Z" == event["data"]["expires_at"]


async def test_reader_sees_nothing_of_the_workspace_itself_and_nobody_what_happens_in_another(host: Host, admin: Issued) -> None:
    neighbour = await host.other_workspace()
    assert [] == (await host.get("/api/v1/events", await host.key(Rights(OrgAccess.READER)))).json()["data"]
    theirs = (await host.get("/api/v1/events?limit=100", neighbour.key)).json()["data"]
    ours = (await host.get("/api/v1/events?limit=100", admin)).json()["data"]
    assert {"workspace.created", "key.created", "integration.created"} == {event["type"] for event in theirs}
    assert not {event["id"] for event in theirs} & {event["id"] for event in ours}


async def test_whatever_is_taken_away_is_told_to_whoever_follows_the_feed(host: Host, admin: Issued) -> None:
    member = await host.rack.members.add(host.workspace.id, email="ada@acme.test", name="Ada")
    made = {"members": member.id}
    for noun, body in (
        ("integrations", {"name": "i"}),
        ("keys", {"name": "k"}),
        ("spaces", {"name": "s"}),
        ("invitations", {"email": "b@c.de"}),
    ):
        made[noun] = (await host.send("POST", f"/api/v1/{noun}", admin, json=body)).json()["id"]
    last = (await host.get("/api/v1/events?limit=1", admin)).json()["data"][0]["id"]
    for noun, one in made.items():
        assert (await host.send("DELETE", f"/api/v1/{noun}/{one}", admin)).is_success
    told = (await host.get(f"/api/v1/events?sort=created_at&starting_after={last}", admin)).json()["data"]
    ends = ["member.removed", "integration.deleted", "key.revoked", "space.deleted", "invitation.revoked"]
    assert list(zip(ends, made.values(), strict=True)) == [(event["type"], event["object_id"]) for event in told]
