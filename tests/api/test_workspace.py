"""The API toggle over HTTP: a credential turns it off, and only a person on again."""

from keyrack.manage.keys import Issued
from tests.hosts import Host
from tests.walk.problems import problem


async def test_workspace_is_shown_with_its_toggle(host: Host, admin: Issued) -> None:
    shown = (await host.get("/api/v1/workspace", admin)).json()
    assert ("workspace", host.workspace.id, "VML", "vml", "standard", True) == tuple(
        shown[name] for name in ("object", "id", "name", "slug", "plan", "api_enabled")
    )


async def test_api_switched_off_refuses_every_key_until_a_person_switches_it_on(host: Host, admin: Issued) -> None:
    key = await host.key()
    refused = problem(await host.send("PATCH", "/api/v1/workspace", admin, json={"api_enabled": True}), 403, "insufficient_permission")
    assert "api_enabled" == refused["param"]
    off = await host.send("PATCH", "/api/v1/workspace", admin, json={"api_enabled": False})
    assert (200, False) == (off.status_code, off.json()["api_enabled"])
    for one in (key, admin):
        problem(await host.get("/api/v1/me", one), 401, "api_disabled")
    await host.rack.workspaces.switch_api(host.workspace.id, True)
    assert [200, 200] == [(await host.get("/api/v1/me", one)).status_code for one in (key, admin)]


async def test_toggle_of_one_workspace_leaves_the_others_alone(host: Host, admin: Issued) -> None:
    neighbour = await host.other_workspace()
    await host.send("PATCH", "/api/v1/workspace", admin, json={"api_enabled": False})
    assert 200 == (await host.get("/api/v1/me", neighbour.key)).status_code


async def test_toggle_takes_a_boolean_and_nothing_else(host: Host, admin: Issued) -> None:
    for body in ({}, {"api_enabled": "no"}, {"api_enabled": 0}, {"api_enabled": None}, {"api_enabled": False, "plan": "free"}):
        problem(await host.send("PATCH", "/api/v1/workspace", admin, json=body), 400, "invalid_request")
    assert 200 == (await host.get("/api/v1/me", admin)).status_code
