"""Lists: pages that neither repeat nor skip, behind cursors that cannot be bent."""

from typing import Any

import httpx

from keyrack.manage import keys
from keyrack.manage.keys import Issued
from keyrack.model.permissions import SpaceRole
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
        assert page["has_more"] == (page["next_cursor"] is not None)
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
            assert "limit" == problem(await host.get(f"/api/v1/{name}?limit={limit}", admin), 400, "invalid_request")["param"]


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
    refused: list[httpx.Response] = [
        await host.get(f"/api/v1/keys?cursor={cursor}", admin),
        await host.get(f"/api/v1/keys?mode=test&cursor={cursor}", admin),
        await host.get(f"/api/v1/keys?mode=live&search=a&cursor={cursor}", admin),
        await host.get(f"/api/v1/integrations?cursor={cursor}", admin),
        await host.get(f"/api/v1/keys?mode=live&cursor={cursor}", other_admin),
        await host.get(f"/api/v1/keys?mode=live&cursor={cursor[:-1]}", admin),
        await host.get("/api/v1/keys?cursor=", admin),
        await host.get("/api/v1/keys?cursor=%F0%9F%94%91", admin),
    ]
    assert ["cursor"] * len(refused) == [problem(answer, 400, "invalid_request")["param"] for answer in refused]
