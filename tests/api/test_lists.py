"""Lists: pages that neither repeat nor skip, behind cursors that cannot be bent."""

from typing import Any

import httpx

from keyrack.manage import keys
from keyrack.manage.keys import Issued
from keyrack.model.permissions import Rights, SpaceRole
from keyrack.model.times import iso
from tests.hosts import ADMIN_RIGHTS, Host
from tests.walk.problems import problem

LISTS = ("integrations", "keys", "members", "spaces", "events", "logs")


async def walked(host: Host, admin: Issued, path: str) -> list[dict[str, Any]]:
    """Follow the `Link` header to the end and return everything."""
    found: list[dict[str, Any]] = []
    url: str | None = path
    while url is not None:
        answer = await host.get(url, admin)
        assert 200 == answer.status_code, answer.text
        page = answer.json()
        assert ("list", "next" in answer.links) == (page["object"], page["has_more"])
        assert page["has_more"] == (page["next_cursor"] is not None) == (page["next_url"] is not None)
        assert not page["has_more"] or page["next_url"] == answer.links["next"]["url"]
        found += page["data"]
        url = answer.links["next"]["url"] if page["has_more"] else None
    return found


async def test_pages_neither_repeat_nor_skip_while_others_add_and_delete(host: Host, admin: Issued) -> None:
    made = []
    for number in range(7):
        made.append((await host.send("POST", "/api/v1/integrations", admin, json={"name": f"number {number}"})).json()["id"])
        host.clock.pass_seconds(number % 2)
    first = (await host.get("/api/v1/integrations?limit=3", admin)).json()
    assert made[:3:-1] == [one["id"] for one in first["data"]]
    await host.send("POST", "/api/v1/integrations", admin, json={"name": "later"})
    # The anchor of the cursor, and one that would have come.
    for gone in (made[4], made[2]):
        await host.send("DELETE", f"/api/v1/integrations/{gone}", admin)
    rest = await walked(host, admin, f"/api/v1/integrations?limit=2&cursor={first['next_cursor']}")
    assert [made[3], made[1], made[0], admin.integration.id] == [one["id"] for one in rest]


async def test_every_list_is_walked_page_by_page(host: Host, admin: Issued) -> None:
    for number in range(3):
        await host.rack.members.add(host.workspace.id, email=f"m{number}@acme.test", name=f"Member {number}")
        space = await host.rack.spaces.create(host.workspace.id, f"Space {number}")
        await host.rack.spaces.set_role(host.workspace.id, space.id, admin.integration.id, SpaceRole.VIEWER)
        await host.key(name=f"key {number}")
    for member in await host.rack.members.list(host.workspace.id):
        await host.rack.spaces.set_role(host.workspace.id, space.id, member.id, SpaceRole.MANAGER)
    for path, length in (
        ("integrations", 4),
        ("keys", 4),
        ("members", 3),
        ("spaces", 3),
        ("events", 21),
        (f"spaces/{space.id}/members", 4),
    ):
        found = await walked(host, admin, f"/api/v1/{path}?limit=2")
        assert length == len({one["id"] for one in found}) == len(found), path


async def test_limit_out_of_range_is_refused_and_not_clamped(host: Host, admin: Issued) -> None:
    for limit in ("0", "101", "-1", "many", ""):
        for name in LISTS:
            refused = problem(await host.get(f"/api/v1/{name}?limit={limit}", admin), 400, "invalid_request")
            assert ("limit", True) == (refused["param"], "1 to 100" in refused["detail"])


async def test_parameter_that_stands_twice_is_refused_by_name(host: Host, admin: Issued) -> None:
    for query in ("limit=1&limit=2", "limit=1&search=a&search=a", "colour=a&colour=b"):
        refused = problem(await host.get(f"/api/v1/keys?{query}", admin), 400, "invalid_request")
        assert query.rpartition("&")[2].partition("=")[0] == refused["param"]


async def test_cursor_holds_for_its_own_list_filters_and_workspace_alone(host: Host, admin: Issued) -> None:
    neighbour = await host.other_workspace()
    for _ in range(2):
        await host.key()
    cursor = (await host.get("/api/v1/keys?limit=1&mode=live", admin)).json()["next_cursor"]
    assert 200 == (await host.get(f"/api/v1/keys?limit=50&mode=live&cursor={cursor}", admin)).status_code
    theirs = await host.rack.workspaces.operator(neighbour.workspace.id)
    other_admin = await keys.create(host.rack.assembly.desk, theirs, name="admin", rights=ADMIN_RIGHTS)
    mismatched: list[httpx.Response] = [
        await host.get(f"/api/v1/keys?cursor={cursor}", admin),
        await host.get(f"/api/v1/keys?mode=test&cursor={cursor}", admin),
        await host.get(f"/api/v1/keys?mode=live&search=a&cursor={cursor}", admin),
        await host.get(f"/api/v1/keys?mode=live&sort=name&cursor={cursor}", admin),
        await host.get(f"/api/v1/keys?mode=live&updated_after=2026-01-01T00:00:00Z&cursor={cursor}", admin),
        await host.get(f"/api/v1/integrations?cursor={cursor}", admin),
        await host.get(f"/api/v1/keys?mode=live&cursor={cursor}", other_admin),
    ]
    assert ["cursor"] * len(mismatched) == [problem(answer, 400, "cursor_filter_mismatch")["param"] for answer in mismatched]
    refused: list[httpx.Response] = [
        await host.get(f"/api/v1/keys?mode=live&cursor={cursor[:-1]}", admin),
        await host.get("/api/v1/keys?cursor=", admin),
        await host.get("/api/v1/keys?cursor=%F0%9F%94%91", admin),
    ]
    assert ["cursor"] * len(refused) == [problem(answer, 400, "invalid_request")["param"] for answer in refused]


async def test_list_goes_on_behind_an_id_in_any_order(host: Host, admin: Issued) -> None:
    made = [await host.key(name=f"key {number}") for number in range(3)]
    await host.rack.members.add(host.workspace.id, email="ada@acme.test", name="Ada")
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    await host.rack.spaces.set_role(host.workspace.id, space.id, admin.integration.id, SpaceRole.VIEWER)
    await host.send("POST", "/api/v1/invitations", admin, json={"email": "bo@acme.test"})
    await host.send("DELETE", f"/api/v1/keys/{made[1].key.id}", admin)
    # One that the filters leave out is a place all the same.
    found = (await host.get(f"/api/v1/keys?sort=created_at&starting_after={made[1].key.id}", admin)).json()["data"]
    assert [made[2].key.id] == [one["id"] for one in found]
    for path in ("integrations", "keys", "members", "spaces", "invitations", "events", f"spaces/{space.id}/members"):
        everything = (await host.get(f"/api/v1/{path}?limit=100", admin)).json()["data"]
        first = everything[0]["id"]
        rest = (await host.get(f"/api/v1/{path}?limit=100&starting_after={first}", admin)).json()["data"]
        assert [one["id"] for one in everything[1:]] == [one["id"] for one in rest], path


async def test_id_that_names_no_place_is_refused(host: Host, admin: Issued) -> None:
    neighbour = await host.other_workspace()
    gone = (await host.send("POST", "/api/v1/integrations", admin, json={"name": "gone"})).json()["id"]
    cursor = (await host.get("/api/v1/integrations?limit=1", admin)).json()["next_cursor"]
    await host.send("DELETE", f"/api/v1/integrations/{gone}", admin)
    hidden = await host.rack.spaces.create(host.workspace.id, "Hidden")
    details = set()
    for path, key in (
        (f"integrations?starting_after={gone}", admin),
        (f"integrations?starting_after={neighbour.key.integration.id}", admin),
        (f"keys?starting_after={neighbour.key.key.id}", admin),
        ("members?starting_after=nobody", admin),
        ("events?starting_after=nothing", admin),
        ("logs?starting_after=req_0", admin),
        (f"spaces?starting_after={hidden.id}", await host.key(Rights())),
    ):
        refused = problem(await host.get(f"/api/v1/{path}", key), 400, "invalid_request")
        assert "starting_after" == refused["param"]
        details.add(refused["detail"])
    assert 1 == len(details)
    both = problem(await host.get(f"/api/v1/integrations?cursor={cursor}&starting_after=x", admin), 400, "invalid_request")
    assert "starting_after" == both["param"]


async def test_lists_come_in_each_order_both_ways(host: Host, admin: Issued) -> None:
    names = ["beta", "Alpha", "gamma", "alpha", "\U0001f511 Ärger % _ \\ ' \""]
    for name in names:
        host.clock.pass_seconds(1)
        await host.send("POST", "/api/v1/integrations", admin, json={"name": name})
    for sort in ("created_at", "updated_at", "name"):
        forth = await walked(host, admin, f"/api/v1/integrations?limit=1&sort={sort}")
        back = await walked(host, admin, f"/api/v1/integrations?limit=2&sort=-{sort}")
        assert len(names) + 1 == len(forth)
        assert forth == back[::-1]
        if sort != "name":
            assert [one["id"] for one in forth] == [one["id"] for one in sorted(forth, key=lambda one: (one[sort], one["id"]))]
    assert ["alpha", "alpha", "beta", "gamma"] == [
        one["name"].lower() for one in forth if one["name"].lower() in ("alpha", "beta", "gamma")
    ]
    for path in ("keys", "members", "spaces"):
        for sort in ("updated_at", "-updated_at", "name", "-name"):
            assert 200 == (await host.get(f"/api/v1/{path}?sort={sort}", admin)).status_code
    for path, sort in (("keys", "prefix"), ("invitations", "name"), ("events", "updated_at"), ("logs", "duration_ms")):
        assert "sort" == problem(await host.get(f"/api/v1/{path}?sort={sort}", admin), 400, "invalid_request")["param"]


async def test_change_of_anything_that_is_shown_is_found_by_its_time(host: Host, admin: Issued) -> None:
    member = await host.rack.members.add(host.workspace.id, email="ada@acme.test", name="Ada")
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    integration = (await host.key()).integration.id
    for holder, path in ((member.id, "members"), (integration, "integrations")):
        for method, body in (("PUT", {"role": "viewer"}), ("DELETE", None), ("PUT", {"role": "manager"})):
            host.clock.pass_seconds(1)
            assert (await host.send(method, f"/api/v1/spaces/{space.id}/members/{holder}", admin, json=body)).is_success
            assert [holder] == await changed_now(host, admin, path)
    host.clock.pass_seconds(1)
    await host.send("DELETE", f"/api/v1/spaces/{space.id}", admin)
    assert [[member.id], [integration], []] == [await changed_now(host, admin, path) for path in ("members", "integrations", "spaces")]


async def changed_now(host: Host, admin: Issued, path: str) -> list[str]:
    """Return the ids of what was changed at this very moment."""
    found = await host.get(f"/api/v1/{path}?updated_after={iso(host.clock.now())}", admin)
    return [one["id"] for one in found.json()["data"]]
