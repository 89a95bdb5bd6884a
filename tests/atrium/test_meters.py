"""Messages are counted by the plan, wherever they are written; other meters stand behind them."""

from atrium.spaces.meters import MESSAGES
from tests.atrium.host import Host


async def test_messages_are_counted_and_one_above_the_plan_is_not_stored(host: Host) -> None:
    path = f"/spaces/{await host.create_space('Launch room')}/messages"
    assert [201, 201, 400] == [(await host.post(path, body)).status_code for body in ({"body": "One"}, {"body": "Two"}, {})]
    meter, *_ = (await host.get("/usage")).json()["live"]["meters"]
    assert ("messages", 1_000_000, 2, 999_998) == (meter["name"], meter["limit"], meter["used"], meter["remaining"])
    await host.rack.count(MESSAGES, meter["remaining"], workspace_id=host.workspace_id)
    refused = await host.post(path, {"body": "Three"})
    assert (429, "quota_exceeded", ["messages"]) == (refused.status_code, refused.json()["code"], refused.json()["violated-policies"])
    assert ["Two", "One"] == [message["body"] for message in (await host.get(path)).json()["data"]]
    assert 2 == len((await host.get("/events?type=message.created")).json()["data"])
    assert 200 == (await host.get("/me")).status_code


async def test_the_free_plan_has_fewer_and_keeps_what_was_counted(host: Host) -> None:
    await host.rack.count(MESSAGES, 10_000, workspace_id=host.workspace_id)
    await host.rack.workspaces.set_plan(host.workspace_id, "free")
    assert "plan_upgrade_required" == (await host.get("/usage")).json()["code"]
    await host.rack.workspaces.set_plan(host.workspace_id, "team")
    assert 10_000 == (await host.get("/usage")).json()["live"]["meters"][0]["used"]
