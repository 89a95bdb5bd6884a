"""The pages of webhooks, click by click: an endpoint is added and tried out, fails, is mended, rotated and deleted."""

import asyncio
import base64

from playwright.async_api import expect
from sqlalchemy import insert
from standardwebhooks import Webhook

from keyrack.console.charts import DAY_MS
from keyrack.manage import deliveries, endpoints
from keyrack.model.deliveries import Delivery, State
from keyrack.model.endpoints import DisableReason
from keyrack.store.delivery_tables import endpoint_health
from tests.browser.sites import Browsing, Scene
from tests.browser.visitor import Visitor
from tests.browser.webhook_scenes import add, attempted, happen
from tests.deliveries.receivers import OK, Receiver, status


async def reloaded_until(visitor: Visitor, text: str) -> None:
    """Load the page again until it says something."""
    for _ in range(100):
        if await visitor.page.get_by_text(text).count():
            return
        await visitor.page.wait_for_timeout(50)
        await visitor.page.reload()
    raise AssertionError(f"the page never said {text!r}")


async def clipboard(visitor: Visitor) -> str:
    text: str = await visitor.page.evaluate("navigator.clipboard.readText()")
    return text


async def test_an_endpoint_is_added_its_secret_copied_and_a_test_event_shows_both_sides(
    pinpoint: Scene, browsing: Browsing, receiver: Receiver
) -> None:
    ada = await browsing.sign_in(pinpoint)
    await ada.press("nav.keys")
    await ada.press("tab.endpoints")
    await ada.sees("No endpoints yet", "Each is signed, and tried again for three days")
    assert 200 == (await ada.page.request.get(await ada.control("endpoints.docs").evaluate("(link) => link.href"))).status
    await ada.press("endpoints.create-first")
    await ada.fill("endpoints.url", "https://10.0.0.1/hooks")
    await ada.fill("endpoints.description", "Our CRM")
    await ada.control("endpoints.all").uncheck()
    await ada.control("endpoints.kind").and_(ada.page.locator('[name="kind.customer"]')).check()
    contacts = ada.page.locator(".kind", has=ada.page.locator('[name="kind.contact"]'))
    await contacts.locator(ada.control("endpoints.kind-types")).click()
    await contacts.locator(ada.control("endpoints.event")).and_(ada.page.locator('[name="event.contact.created"]')).check()
    await expect(contacts.locator(ada.control("endpoints.kind-types"))).to_contain_text("1 of ")
    await ada.press("endpoints.create.submit")
    await expect(ada.control("endpoints.url")).to_have_attribute("aria-invalid", "true")
    await ada.sees("is private; only public addresses are called")
    await ada.fill("endpoints.url", f"{receiver.url}/hooks?token=1")
    await ada.press("endpoints.create.submit")
    await ada.sees("The endpoint is ready", "This is the only time that it is shown")
    await ada.press("endpoints.secret.copy")
    secret = await clipboard(ada)
    await ada.control("endpoints.sample.copy").first.click()
    assert "from standardwebhooks import Webhook" in await clipboard(ada)
    await ada.press("endpoints.issued.test")
    await ada.choose("endpoints.test.type", "customer.created")
    await ada.press("endpoints.test.submit")
    await ada.look()
    await ada.sees("200 OK", "Request", "Response", "webhook-signature: v1,", "/hooks?token=1", "127.0.0.1")
    (received,) = receiver.received
    assert "customer.created" == Webhook(secret).verify(received.body, received.headers)["type"]
    for control, part in (
        ("deliveries.request-head.copy", f"webhook-id: {received.event_id}"),
        ("deliveries.request.copy", received.body.decode()),
        ("deliveries.response-head.copy", "200 OK"),
        ("deliveries.response.copy", "ok"),
    ):
        await ada.press(control)
        assert part in await clipboard(ada)
    (endpoint,) = await endpoints.page(pinpoint.site.desk, pinpoint.operator, limit=5)
    assert ("Our CRM", ("customer.*", "contact.created")) == (endpoint.description, endpoint.events)
    assert [] == await deliveries.page(pinpoint.site.desk, pinpoint.operator, limit=5, endpoint_id=endpoint.id)
    await ada.press("trail")
    await ada.sees(f"{receiver.url}/hooks?…", "customer.*")
    assert secret not in await ada.page.content()


async def test_what_is_seldom_needed_is_set_and_an_ed25519_key_is_no_secret(atrium: Scene, browsing: Browsing, receiver: Receiver) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.open("/endpoints/new")
    await ada.fill("endpoints.url", receiver.url)
    await ada.choose("endpoints.mode-choice", "test")
    await ada.control("endpoints.advanced").click()
    await ada.choose("endpoints.signature", "v1a")
    await ada.choose("endpoints.version", atrium.site.desk.versions.dates[0])
    await ada.control("endpoints.header-name").first.fill("Host")
    await ada.control("endpoints.header-value").first.fill("elsewhere")
    await ada.fill("endpoints.parallel", "2")
    await ada.control("endpoints.in-order").check()
    await ada.press("endpoints.create.submit")
    await ada.sees("Host is set by the call itself")
    await ada.control("endpoints.header-name").first.fill("X-Team")
    await ada.press("endpoints.create.submit")
    await ada.sees("Copy the public key", "It is no secret")
    await ada.press("endpoints.done")
    await ada.sees("Public key (ed25519)", "One after the other, in order", "X-Team", atrium.site.desk.versions.dates[0])
    await ada.misses("elsewhere")
    await ada.press("endpoints.public.copy")
    assert 32 == len(base64.b64decode((await clipboard(ada)).removeprefix("whpk_")))
    await ada.press("deliveries.test")
    for kind, offered in (("customer.created", 1), ("message.created", 0)):
        await expect(ada.page.locator(f'option[value="{kind}"]')).to_have_count(offered)
    await ada.press("endpoints.test.submit")
    (received,) = receiver.received
    assert ("elsewhere", True) == (received.headers["x-team"], received.headers["webhook-signature"].startswith("v1a,"))
    await ada.sees("X-Team: ••••")


async def test_failing_deliveries_are_found_understood_and_sent_again_after_the_mend(
    atrium: Scene, browsing: Browsing, receiver: Receiver
) -> None:
    key, endpoint = await atrium.key("Zapier"), await add(atrium, receiver)
    await happen(atrium, key, "Aurora")
    await attempted(atrium, endpoint, 1, State.SUCCEEDED)
    receiver.answer = lambda _: status(503, body=b"out for lunch")
    await happen(atrium, key, "Borealis", "Cirrus", "Dunes")
    failing = await attempted(atrium, endpoint, 3, State.PENDING)
    ada = await browsing.sign_in(atrium)
    await ada.open("/endpoints")
    await ada.choose("endpoints.state", "disabled")
    await ada.sees("No endpoint matches")
    await ada.choose("endpoints.state", "failing")
    await expect(ada.page.locator("tr", has_text=receiver.url)).to_contain_text("Failing")
    await ada.press("endpoints.open")
    await ada.sees("Every delivery fails", "3 deliveries wait to be tried again", "503", "The receiver is not available at the moment.")
    await ada.control("deliveries.figures").click()
    await ada.choose("deliveries.state", "pending")
    await expect(ada.control("deliveries.open")).to_have_count(3)
    await ada.choose("deliveries.type", "customer.updated")
    await ada.sees("No delivery matches")
    await ada.press("endpoints.failed")
    await expect(ada.control("deliveries.open")).to_have_count(3)
    await ada.choose("deliveries.state", "failed")
    await ada.sees("No delivery matches")
    await ada.press("deliveries.clear")
    await ada.choose("deliveries.range", "7d")
    await expect(ada.control("deliveries.open")).to_have_count(4)
    await ada.press("deliveries.open")
    await ada.sees("Retrying", "503", "out for lunch", "The receiver is not available", "webhook-id", failing[0].event_id)
    receiver.answer = lambda _: OK
    await ada.press("deliveries.id.copy")
    assert failing[0].id == await clipboard(ada)
    await ada.press("deliveries.resend")
    await ada.sees("It is sent again now")
    await reloaded_until(ada, "Succeeded")
    await expect(ada.control("deliveries.attempt")).to_have_count((await _get(atrium, failing[0])).attempts)
    await ada.press("trail")
    await ada.open(f"/endpoints/{endpoint.id}")
    await ada.misses("Every delivery fails")
    await ada.control("endpoints.replay").click()
    await ada.sees("2 deliveries are sent again", "Replay all 2")
    await ada.choose("endpoints.replay.since", "1h")
    await ada.press("endpoints.replay.submit")
    await ada.sees("2 deliveries are sent again.")
    await attempted(atrium, endpoint, 4, State.SUCCEEDED)


async def _get(scene: Scene, delivery: Delivery) -> Delivery:
    return await deliveries.get(scene.site.desk, scene.operator, delivery.id)


async def test_an_endpoint_that_was_disabled_by_itself_is_told_on_the_pages_of_the_api_and_enabled_again(
    atrium: Scene, browsing: Browsing, receiver: Receiver
) -> None:
    key, endpoint = await atrium.key("Zapier"), await add(atrium, receiver)
    ada = await browsing.sign_in(atrium)
    await endpoints.disable(atrium.site.desk, atrium.operator, endpoint.id, DisableReason.FAILING)
    await happen(atrium, key, "Aurora")
    await attempted(atrium, endpoint, 1, State.SKIPPED)
    for path in ("/keys", "/logs", "/integrations", "/endpoints"):
        await ada.open(path)
        await ada.sees("An endpoint was disabled", "Every delivery failed for 5 days.")
    await ada.press("endpoints.disabled")
    await ada.sees("This endpoint is disabled", "Every delivery failed for 5 days.", "Skipped", "The endpoint was disabled.")
    await ada.press("endpoints.enable-here")
    await ada.sees("The endpoint is enabled")
    await ada.press("endpoints.more")
    await ada.press("endpoints.disable")
    await ada.sees("Somebody disabled it.")
    await ada.open("/keys")
    await ada.misses("An endpoint was disabled")
    await ada.open("/endpoints")
    await ada.press("endpoints.more")
    await ada.press("endpoints.enable")
    await ada.control("endpoints.replay").click()
    await ada.choose("endpoints.replay.since", "1h")
    await ada.press("endpoints.replay.submit")
    await attempted(atrium, endpoint, 1, State.SUCCEEDED)


async def test_an_endpoint_that_only_fails_is_told_of_before_it_is_disabled(atrium: Scene, browsing: Browsing, receiver: Receiver) -> None:
    endpoint, since = await add(atrium, receiver), atrium.site.desk.now() - 4 * DAY_MS
    failing = {"workspace_id": atrium.workspace.id, "failing_since": since, "failures_in_row": 9, "failed_at": since}
    async with atrium.site.desk.store.writing_traffic() as c:
        await c.execute(insert(endpoint_health).values(endpoint_id=endpoint.id, **failing))
    ada = await browsing.sign_in(atrium)
    await ada.open("/keys")
    await ada.sees("An endpoint takes nothing", "It is disabled when that has lasted 5 days.")
    await ada.press("endpoints.failing")
    await ada.sees("Failing")


async def test_a_secret_is_rotated_with_an_overlap_in_which_both_sign(atrium: Scene, browsing: Browsing, receiver: Receiver) -> None:
    owner = (await atrium.key("Zapier")).integration
    desk = atrium.site.desk
    issued = await endpoints.create(desk, atrium.operator, url=receiver.url, events=["customer.*"], integration_id=owner.id)
    assert issued.secret is not None
    ada = await browsing.sign_in(atrium)
    await ada.open("/endpoints")
    await ada.press("endpoints.more")
    await ada.press("endpoints.rotate")
    await ada.sees("Once the old secret ends", "No delivery to it succeeded in the last 24 hours")
    await ada.choose("endpoints.rotate.overlap", "3600")
    await ada.press("endpoints.rotate.submit")
    await ada.sees("The new secret is ready", "The old one ends in an hour.")
    await ada.press("endpoints.secret.copy")
    successor = await clipboard(ada)
    await ada.press("endpoints.done")
    await ada.sees("the one before until", "gets what that may read")
    await ada.press("endpoints.integration")
    await ada.sees("Zapier", "API key")
    await happen(atrium, await atrium.key("Zapier"), "Aurora")
    await attempted(atrium, issued.endpoint, 1, State.SUCCEEDED)
    for secret in (issued.secret.text, successor):
        assert "customer.created" == Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)["type"]


async def test_an_endpoint_is_changed_found_disabled_and_deleted(atrium: Scene, browsing: Browsing, receiver: Receiver) -> None:
    endpoint = await add(atrium, receiver, headers={"X-Team": "crm"})
    await add(atrium, receiver, "/other", description="Warehouse")
    reporting = await atrium.key("Reporting")
    ada = await browsing.sign_in(atrium)
    await ada.open("/endpoints")
    await ada.press("endpoints.create")
    await ada.choose("endpoints.owner", reporting.integration.id)
    await ada.press("cancel")
    await ada.fill("endpoints.search", "warehouse")
    await expect(ada.control("endpoints.open")).to_have_count(1)
    await ada.fill("endpoints.search", "nowhere")
    await ada.sees("No endpoint matches")
    await ada.press("endpoints.clear")
    await ada.press("endpoints.more", of="/hooks")
    await ada.press("endpoints.edit", of="/hooks")
    await ada.fill("endpoints.description", "Our CRM")
    await ada.control("endpoints.advanced").click()
    await ada.sees("It sends X-Team now")
    await ada.control("endpoints.no-headers").check()
    await ada.press("endpoints.edit.submit")
    await ada.sees("The endpoint is saved", "Our CRM")
    await ada.misses("X-Team")
    await ada.press("endpoints.more")
    await ada.press("endpoints.delete")
    await ada.sees("Nothing is sent to it any more, at once and for good.")
    await ada.press("endpoints.delete.disable")
    await ada.sees("This endpoint is disabled")
    await ada.open("/endpoints")
    await ada.choose("endpoints.state", "disabled")
    await expect(ada.control("endpoints.open")).to_have_count(1)
    await ada.choose("endpoints.mode", "test")
    await ada.sees("No endpoint matches")
    await ada.press("endpoints.clear")
    await ada.press("endpoints.more", of="/hooks")
    await ada.press("endpoints.delete", of="/hooks")
    await ada.press("endpoints.delete.submit")
    await ada.sees("The endpoint is deleted")
    await ada.misses("/hooks")
    assert endpoint.id not in {one.id for one in await endpoints.page(atrium.site.desk, atrium.operator, limit=9)}


async def test_the_feed_leads_to_where_an_event_was_sent_and_why_not(atrium: Scene, browsing: Browsing, receiver: Receiver) -> None:
    endpoint = await add(atrium, receiver)
    await happen(atrium, await atrium.key("CI", mode=atrium.site.rack.brand.modes[1]), "Aurora")
    await attempted(atrium, endpoint, 1, State.SKIPPED)
    ada = await browsing.sign_in(atrium)
    await ada.visit("/activity?changes_only=true")
    row = ada.page.locator(".deeds li", has_text="created the customer")
    await expect(row).to_contain_text("Test")
    await row.locator(ada.control("atrium.activity.sent")).click()
    await ada.sees("Was it sent?", "Skipped", "It happened in test mode, and this endpoint gets live events.", "Aurora")
    await ada.look()
    for control, part in (("events.id.copy", "cm"), ("events.payload.copy", '"name": "Aurora"')):
        await ada.press(control)
        assert part in await clipboard(ada)
    await ada.press("events.delivery")
    await ada.sees("It happened in test mode", "None so far.")
    await ada.press("deliveries.payload.copy")
    await ada.press("deliveries.event")
    await reloaded_until(ada, "customer.created")
    await ada.press("events.call")
    await ada.sees("/api/v1/customers")


async def test_an_event_that_nobody_wants_says_so(atrium: Scene, browsing: Browsing, receiver: Receiver) -> None:
    await add(atrium, receiver, events=["onboarding.*"])
    ada = await browsing.sign_in(atrium)
    await ada.visit("/activity?changes_only=true")
    await ada.page.locator(".deeds li", has_text="created the workspace").locator(ada.control("atrium.activity.sent")).click()
    for _ in range(60):
        if not await ada.page.get_by_text("only just happened").count():
            break
        await ada.page.wait_for_timeout(100)
        await ada.page.reload()
    await ada.sees("It was sent nowhere", "No endpoint asks for workspace.created.")


async def test_while_the_api_is_off_deliveries_are_held_and_counted(atrium: Scene, browsing: Browsing, receiver: Receiver) -> None:
    endpoint = await add(atrium, receiver, events=["workspace.*"])
    ada = await browsing.sign_in(atrium)
    await ada.open("/endpoints")
    await ada.press("api.toggle")
    await ada.sees("Webhook deliveries are held as well")
    await ada.press("api.switch")
    await reloaded_until(ada, "One delivery waits")
    await ada.sees("Deliveries are held", "Held")
    await ada.press("endpoints.open")
    await ada.sees("Deliveries are held")
    await ada.open("/endpoints")
    await ada.press("api.toggle")
    await ada.sees("One webhook delivery that is held goes out.")
    assert [] == receiver.received
    await ada.press("api.switch")
    for _ in range(400):
        if len(receiver.received) == 2:
            break
        await asyncio.sleep(0.025)
    assert ["workspace.updated"] * 2 == [one.content["type"] for one in receiver.received]
    assert "active" == (await endpoints.get(atrium.site.desk, atrium.operator, endpoint.id)).state
