"""An admin connects accounts, checks them, reads their log, and mends one that its vendor has cut off."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from keyrack.manage import connector_calls, connectors
from keyrack.work.connectors.calls import ConnectorCalls
from tests.browser.sites import PHONE, Browsing, Scene, served
from tests.browser.visitor import Visitor
from tests.connectors import recorders
from tests.connectors.recorders import Recorder, recording, reply

TOKEN = "xoxb-0123456789-abcdefSLACKSECRET"


class Connected(NamedTuple):
    """A workspace of Atrium, and Slack."""

    scene: Scene
    slack: Recorder
    calls: ConnectorCalls


@pytest.fixture
async def connected(tmp_path: Path) -> AsyncIterator[Connected]:
    """Atrium under a brand that has connectors."""
    async with recording(recorders.slack) as slack:
        urls = {"slack_url": f"{slack.url}/api/", "slack_hooks_url": slack.url, "stripe_url": slack.url, "resend_url": slack.url}
        async with served(tmp_path / "pivotal", "pivotal", **urls) as site:
            await site.rack.assembly.connector_calls.stop()
            calls = ConnectorCalls(site.desk)
            await calls.read()
            yield Connected(await site.workspace(), slack, calls)
            await calls.stop()


async def connect(visitor: Visitor) -> None:
    await visitor.open("")
    if await visitor.control("menu.open").count():
        await visitor.press("menu.open")
    await visitor.press("nav.connectors")
    await visitor.press("connectors.create")
    token, channel = visitor.control("connectors.setting").nth(0), visitor.control("connectors.setting").nth(1)
    await token.fill(TOKEN)
    await channel.fill("not a channel")
    await visitor.press("connectors.create.submit")
    await visitor.sees("Give the channel by its id")
    assert "" == await token.input_value()
    await token.fill(TOKEN)
    await channel.fill("#customers")
    await visitor.control("connectors.event").nth(1).uncheck()
    await visitor.fill("connectors.name", "Sales")
    await visitor.press("connectors.create.submit")
    await visitor.sees("Sales is connected")


async def happen(connected: Connected, name: str) -> None:
    """Have a customer come, and everything go out."""
    key = await connected.scene.key()
    async with httpx.AsyncClient(base_url=connected.scene.site.url) as client:
        made = await client.post("/api/v1/customers", json={"name": name}, headers={"Authorization": f"Bearer {key.secret.text}"})
        assert 201 == made.status_code
    while await connected.calls.read():
        continue
    for _ in range(3):
        await connected.calls.turn()
        await connected.calls.settle()


@pytest.mark.parametrize("look", ["desktop", "phone"])
async def test_an_account_is_connected_checked_and_used(connected: Connected, browsing: Browsing, look: str) -> None:
    how: dict[str, Any] = {"size": PHONE, "scheme": "dark"} if look == "phone" else {}
    ada = await browsing.sign_in(connected.scene, **how)
    await connect(ada)
    await ada.press("connectors.check")
    await ada.sees("Slack knows the token as atrium in Aurora")
    await happen(connected, "Aurora Outfitters")
    await ada.page.reload()
    await ada.press("connectors.call")
    await ada.sees("Posted.")
    await ada.sees("Aurora Outfitters")
    await ada.control("connectors.sent.copy").click()
    await ada.control("connectors.object.copy").click()
    assert TOKEN not in await ada.page.content()
    [connector] = await connectors.page(connected.scene.site.desk, connected.scene.operator, limit=5)
    assert "customer.updated" not in connector.events


async def test_what_failed_is_sent_again_and_what_is_cut_off_is_mended(connected: Connected, browsing: Browsing) -> None:
    ada = await browsing.sign_in(connected.scene)
    await connect(ada)
    connected.slack.next = [reply({"ok": False, "error": "msg_too_long"}), reply({"ok": False, "error": "token_revoked"})]
    await happen(connected, "Aurora Outfitters")
    await ada.page.reload()
    await ada.press("connectors.call")
    await ada.sees("Slack refused this message: msg too long.")
    await ada.press("connectors.retry")
    await ada.sees("It is sent again within a few seconds.")
    await happen(connected, "Borealis")
    await ada.open("/connectors")
    await ada.sees("Connect again")
    await ada.press("connectors.open")
    await ada.sees("Slack takes nothing from here any more")
    await ada.press("connectors.edit")
    await ada.control("connectors.setting").nth(0).fill(TOKEN)
    await ada.press("connectors.edit.submit")
    await ada.sees("The connector is saved.")


async def test_one_is_switched_off_and_on_and_deleted(connected: Connected, browsing: Browsing) -> None:
    ada = await browsing.sign_in(connected.scene)
    await connect(ada)
    await ada.press("connectors.more")
    await ada.press("connectors.disable")
    await ada.sees("Sales is off.")
    await happen(connected, "Aurora Outfitters")
    await ada.page.reload()
    await ada.sees("The connector was off.")
    await ada.choose("connectors.state", "succeeded")
    await ada.sees("No call matches")
    await ada.press("connectors.calls.clear")
    await ada.open("/connectors")
    await ada.press("connectors.more")
    await ada.press("connectors.enable")
    await ada.sees("Sales is on.")
    await ada.press("connectors.more")
    await ada.press("connectors.delete")
    await ada.press("connectors.delete.submit")
    await ada.sees("Sales is deleted")


async def test_an_event_leads_to_what_it_became_and_lists_are_filtered_without_scripts(connected: Connected, browsing: Browsing) -> None:
    scene = connected.scene
    connector = await connectors.create(
        scene.site.desk, scene.operator, vendor="slack", settings={"token": TOKEN, "channel": "C0123456789"}
    )
    await happen(connected, "Aurora Outfitters")
    ada = await browsing.sign_in(scene)
    [call] = await connector_calls.page(scene.site.desk, scene.operator, connector.id, limit=5)
    await ada.open(f"/events/{call.event_id}")
    await ada.press("events.connector-call")
    await ada.sees("Posted.")
    bo = await browsing.window(scene.site, scripts=False)
    await bo.page.goto(f"{scene.site.url}/console{await scene.link('Bo')}")
    await bo.control("sign-in").click()
    await bo.page.goto(f"{scene.site.url}/console/connectors/{connector.id}")
    await bo.control("connectors.state").select_option("failed")
    await bo.control("connectors.calls.filter").click()
    await bo.sees("No call matches")
