"""Atrium's one change: who calls at the version before it still speaks of stages and of days."""

from typing import Any

import httpx

from keyrack.manage import keys
from tests.atrium.conftest import Served
from tests.atrium.host import Host

FIRST, NEWEST = "2026-05-26", "2026-10-01"
BODY = {"stage": "before_getting_started", "state": "active", "launch_date": "2026-07-15"}


async def at(host: Host, version: str) -> Host:
    """Return the same workspace, called with a key that is pinned to a version."""
    desk, operator = host.rack.assembly.desk, await host.rack.workspaces.operator(host.workspace_id)
    issued = await keys.create(desk, operator, name=f"at-{version}")
    await keys.edit(desk, operator, issued.key.id, api_version=version)
    return Host(host.rack, host.client, host.workspace_id, host.member_id, issued.secret.text)


async def open_onboarding(host: Host, **changes: Any) -> httpx.Response:
    """Make a customer, and open an onboarding as before."""
    customer = (await host.post("/customers", {"name": "Aurora Outfitters"})).json()
    return await host.post("/onboardings", {"customer_id": customer["id"], **BODY, **changes})


async def test_each_version_has_its_own_shape_of_one_onboarding(host: Host) -> None:
    old = await at(host, FIRST)
    made = await open_onboarding(old)
    assert (201, FIRST) == (made.status_code, made.headers["api-version"])
    assert BODY.items() <= made.json().items()
    assert "@1790812800" == made.headers["deprecation"]
    path = f"/onboardings/{made.json()['id']}"
    now = (await host.get(path)).json()
    assert ("before_getting_started", "2026-07-15T00:00:00.000Z") == (now["phase"], now["target_launch_date"])
    assert not {"stage", "launch_date"} & set(now)
    changed = await old.patch(path, {"launch_date": "2026-08-01", "stage": "testing"})
    assert ("2026-08-01", "testing") == (changed.json()["launch_date"], changed.json()["stage"])
    assert "2026-08-01T00:00:00.000Z" == (await host.get(path)).json()["target_launch_date"]
    emptied = await old.patch(path, {"launch_date": None})
    assert (200, None) == (emptied.status_code, emptied.json()["launch_date"])


async def test_lists_filters_and_pages_are_those_of_the_version(host: Host) -> None:
    old = await at(host, FIRST)
    for _ in range(2):
        await open_onboarding(old, stage="building")
    page = await old.get("/onboardings?stage=building&limit=1")
    assert (200, True) == (page.status_code, page.json()["has_more"])
    assert BODY | {"stage": "building"} == {name: page.json()["data"][0][name] for name in BODY}
    following = await old.get(page.links["next"]["url"])
    assert (200, 1) == (following.status_code, len(following.json()["data"]))
    assert page.json()["data"] != following.json()["data"]
    refused = await old.get("/onboardings?phase=building")
    assert (400, "phase") == (refused.status_code, refused.json()["param"])


async def test_refusals_speak_of_the_versions_fields(host: Host) -> None:
    old = await at(host, FIRST)
    values: tuple[Any, ...] = ("2026-07-15T00:00:00Z", "2026-13-01", "20260715", 5, {})
    for value in values:
        refused = (await open_onboarding(old, launch_date=value)).json()
        assert (400, "launch_date", "launch_date: write a day like 2026-07-15.") == (refused["status"], refused["param"], refused["detail"])
        assert "#/launch_date" == refused["errors"][0]["pointer"]
    refused = (await open_onboarding(old, stage="x")).json()
    assert (400, "stage") == (refused["status"], refused["param"])
    refused = (await old.post("/onboardings", {"customer_id": "245", "launch_date_": "2026-07-15"})).json()
    assert "launch_date_: there is no such field; did you mean `launch_date`?" in [error["detail"] for error in refused["errors"]]


async def test_events_tell_of_the_shape_of_their_day_at_every_version(host: Host) -> None:
    old = await at(host, FIRST)
    await open_onboarding(old)
    kind = "/events?type=onboarding.created"
    events = [(await one.get(kind)).json()["data"][0] for one in (old, host)]
    assert events[0] == events[1]
    assert {"phase", "target_launch_date"} < set(events[0]["data"])


async def test_new_keys_are_at_the_newest_version(served: Served, host: Host) -> None:
    answer = await host.get("/me")
    assert NEWEST == answer.headers["api-version"]
    assert "deprecation" not in answer.headers
