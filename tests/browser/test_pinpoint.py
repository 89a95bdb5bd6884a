"""Pinpoint's page "API keys", click by click: what it says people see and do is on the pages."""

import re

import httpx
import pytest
from playwright.async_api import expect

from keyrack.manage import events
from keyrack.manage.keys import Issued
from tests.browser.sites import PHONE, Browsing, Scene
from tests.browser.test_sign_in import PASSWORD, reset_link
from tests.browser.visitor import Visitor

DOTS = "•••••••••••"
SECRET = re.compile("pinpoint_[0-9A-Za-z]{36}")


async def status(scene: Scene, secret: str, path: str = "/me", method: str = "GET") -> int:
    async with httpx.AsyncClient(base_url=f"{scene.site.url}/api/v1", headers={"Authorization": f"Bearer {secret}"}) as client:
        return (await client.request(method, path)).status_code


async def choose_password(scene: Scene, visitor: Visitor) -> None:
    """Have Ada choose a password, which signs her in and is a proof."""
    await visitor.open(await reset_link(scene, "Ada"))
    await visitor.fill("new-password.password", PASSWORD)
    await visitor.press("new-password.submit")


async def copied(visitor: Visitor) -> str:
    text: str = await visitor.page.evaluate("navigator.clipboard.readText()")
    return text


async def see_its_use(visitor: Visitor) -> None:
    """Open the list of keys until it shows a use: what a call leaves is written beside it, a moment later."""
    for _ in range(50):
        await visitor.open("/keys")
        if await visitor.page.locator("tbody", has_text="from 127.0.0.1").count():
            return
        await visitor.page.wait_for_timeout(100)


async def reveals(scene: Scene) -> int:
    return len(await events.page(scene.site.desk, scene.operator, limit=100, kind="key.revealed"))


@pytest.fixture
async def zapier(pinpoint: Scene) -> Issued:
    """A key in the workspace."""
    return await pinpoint.key("Zapier")


async def test_settings_lead_to_the_keys_and_to_a_new_one(pinpoint: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pinpoint)
    await ada.visit("/customers")
    await ada.press("atrium.settings")
    await ada.press("atrium.settings.keys")
    await ada.sees("API & Webhooks", "Pinpoint API")
    await expect(ada.control("api.toggle")).to_have_attribute("aria-checked", "true")
    await expect(ada.page.locator("nav.tabs a")).to_have_text(["API Keys", "API Logs", "Webhooks"])
    await ada.press("tab.keys")
    await expect(ada.control("keys.create")).to_have_text("Create new")
    await ada.press("keys.create")
    await ada.fill("keys.create.name", "Reporting Dashboard")
    await expect(ada.page.locator(".matrix thead th")).to_have_text(["Category", "None", "Read", "Write and delete"])
    await ada.choose("keys.level", "read", of="Customers and their contacts")
    await expect(ada.control("keys.create.submit")).to_have_text("Create API key")
    await ada.press("keys.create.submit")
    await ada.press("keys.secret.copy")
    secret = await copied(ada)
    assert SECRET.fullmatch(secret)
    assert [200, 403] == [await status(pinpoint, secret, path) for path in ("/customers", "/onboardings")]
    await ada.press("keys.done")
    await expect(ada.page.locator("thead")).to_contain_text("Key name")
    for column in ("Last used", "Key value"):
        await ada.sees(column)
    await ada.sees("Reporting Dashboard", DOTS)
    assert secret not in await ada.page.content()


async def test_assign_all_grants_full_access(pinpoint: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pinpoint)
    await ada.open("/keys/new")
    await ada.fill("keys.create.name", "Zapier")
    await ada.press("keys.assign-all")
    await ada.press("keys.create.submit")
    await ada.press("keys.done")
    await ada.press("keys.permissions", of="Zapier")
    await ada.sees("All permissions")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_value_is_copied_unseen_or_seen_for_half_a_minute(pinpoint: Scene, zapier: Issued, browsing: Browsing, scheme: str) -> None:
    ada = await browsing.window(pinpoint.site, scheme=scheme)
    await choose_password(pinpoint, ada)
    await ada.page.clock.install()
    await ada.open("/keys")
    value = ada.page.locator(f"#value-{zapier.key.id}")
    await ada.control("keys.reveal.copy").click()
    await expect(ada.control("keys.reveal.copy")).to_have_text("Copied")
    assert zapier.secret.text == await copied(ada)
    await expect(value).to_have_text(DOTS)
    assert 1 == await reveals(pinpoint)
    await ada.control("keys.reveal").click()
    await expect(value).to_have_text(zapier.secret.text)
    await ada.look()
    assert 2 == await reveals(pinpoint)
    await ada.page.clock.fast_forward(15_000)
    await expect(value).to_have_text(zapier.secret.text)
    await ada.page.clock.fast_forward(15_500)
    await expect(value).to_have_text(DOTS)
    await ada.control("keys.reveal").click()
    await expect(value).to_have_text(zapier.secret.text)
    await ada.control("keys.reveal").click()
    await expect(value).to_have_text(DOTS)


async def test_a_value_is_shown_only_to_who_has_just_proved_who_they_are(pinpoint: Scene, zapier: Issued, browsing: Browsing) -> None:
    other = await browsing.window(pinpoint.site)
    await choose_password(pinpoint, other)
    ada = await browsing.sign_in(pinpoint, size=PHONE)
    await ada.open("/keys")
    await ada.control("keys.reveal").click()
    await ada.control("keys.reveal.password").wait_for()
    await ada.look()
    await ada.fill("keys.reveal.password", "a guess")
    await ada.control("keys.reveal.submit").click()
    await expect(ada.control("keys.reveal.password")).to_have_attribute("aria-invalid", "true")
    assert 0 == await reveals(pinpoint)
    await ada.fill("keys.reveal.password", PASSWORD)
    await ada.control("keys.reveal.submit").click()
    await expect(ada.page.locator(f"#value-{zapier.key.id}")).to_have_text(zapier.secret.text)
    assert 1 == await reveals(pinpoint)


async def test_a_value_is_shown_without_scripts_too(pinpoint: Scene, zapier: Issued, browsing: Browsing) -> None:
    ada = await browsing.window(pinpoint.site, scripts=False)
    await ada.page.goto(f"{pinpoint.site.url}/console{await reset_link(pinpoint, 'Ada')}")
    await ada.fill("new-password.password", PASSWORD)
    await ada.control("new-password.submit").click()
    await ada.page.goto(f"{pinpoint.site.url}/console/keys")
    await expect(ada.control("keys.reveal.copy")).to_have_count(0)
    await ada.control("keys.reveal").click()
    await expect(ada.page.locator("#secret")).to_have_text(zapier.secret.text)
    await ada.control("keys.revealed.done").click()
    await expect(ada.page.locator("body")).to_contain_text(DOTS)


async def test_the_page_of_one_secret_needs_no_list(pinpoint: Scene, zapier: Issued, browsing: Browsing) -> None:
    ada = await browsing.window(pinpoint.site)
    await choose_password(pinpoint, ada)
    await ada.open(f"/keys/{zapier.key.id}/reveal")
    await ada.press("keys.reveal.submit")
    await ada.press("keys.revealed.copy")
    await expect(ada.control("keys.revealed.copy")).to_have_text("Copied")
    assert zapier.secret.text == await copied(ada)


async def test_a_key_is_edited_and_deleted_from_its_menu(pinpoint: Scene, zapier: Issued, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pinpoint)
    await ada.open("/keys")
    await ada.press("keys.more")
    await ada.press("keys.edit")
    await ada.fill("keys.edit.name", "Zapier, reads")
    for row in ("Customers and their contacts", "How customers get started"):
        await ada.choose("keys.level", "read", of=row)
    await ada.press("keys.edit.submit")
    await ada.sees("Zapier, reads is changed")
    secret = zapier.secret.text
    assert [200, 403] == [await status(pinpoint, secret, "/customers", method) for method in ("GET", "POST")]
    await see_its_use(ada)
    await ada.press("keys.more")
    await expect(ada.control("keys.end")).to_have_text("Delete")
    await ada.press("keys.end")
    await ada.sees("This is permanent", "stops working at once", "calls in the last hour")
    await ada.press("keys.end.submit")
    assert 401 == await status(pinpoint, secret)
    await ada.sees("Zapier, reads has ended", "No keys yet")


async def test_logs_show_each_call_and_why_it_was_refused(pinpoint: Scene, zapier: Issued, browsing: Browsing) -> None:
    secret = zapier.secret.text
    calls = [("/customers", "GET", 200), ("/customers/nobody", "GET", 404), ("/customers/nobody", "DELETE", 404)]
    for path, method, expected in calls:
        assert expected == await status(pinpoint, secret, path, method)
    ada = await browsing.sign_in(pinpoint)
    await ada.open("/keys")
    await expect(ada.page.locator("tbody")).to_contain_text("from 127.0.0.1")
    await ada.press("tab.logs")
    rows = ada.page.locator("#lines tbody tr")
    await expect(rows).to_have_count(3)
    for column in ("Path", "Created at", "Method", "Response", "API key", "IP address", "Duration"):
        await ada.sees(column)
    await ada.sees("Zapier", "127.0.0.1")
    await ada.choose("logs.method", "DELETE")
    await expect(rows).to_have_count(1)
    await ada.choose("logs.method", "")
    await ada.fill("logs.path", "nobody")
    await expect(rows).to_have_count(2)


async def test_switched_off_the_api_refuses_every_key(pinpoint: Scene, zapier: Issued, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pinpoint)
    await ada.open("/keys")
    await ada.press("api.toggle")
    await ada.sees("1 active key")
    await ada.press("api.switch")
    assert 401 == await status(pinpoint, zapier.secret.text)
    await ada.sees("The Pinpoint API is switched off")
