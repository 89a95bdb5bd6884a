"""The page of keys, click by click: made, copied, looked at, rotated, disabled and ended."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.async_api import expect

from keyrack.manage import keys
from keyrack.model.principals import Mode
from tests.browser.sites import PHONE, Browsing, Scene
from tests.browser.visitor import Visitor


async def code(scene: Scene, secret: str) -> str | None:
    async with httpx.AsyncClient(base_url=scene.site.url) as client:
        answer = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    problem: str | None = answer.json().get("code")
    return problem


async def shown_secret(visitor: Visitor) -> str:
    await visitor.press("keys.secret.copy")
    await expect(visitor.control("keys.secret.copy")).to_have_text("Copied")
    copied: str = await visitor.page.evaluate("navigator.clipboard.readText()")
    return copied


@pytest.mark.parametrize(("mode", "prefix"), [("live", "pivotal_"), ("test", "pivotal_test_")])
async def test_a_key_is_made_shown_once_and_works(pivotal: Scene, browsing: Browsing, mode: str, prefix: str) -> None:
    ada = await browsing.sign_in(pivotal)
    await ada.press("nav.keys")
    await ada.press("keys.create-first")
    await ada.fill("keys.create.name", "local-dev")
    await ada.choose("keys.create.mode", mode)
    await ada.press("keys.create.submit")
    await ada.sees("Copy your new key", "This is the only time that it is shown")
    secret = await shown_secret(ada)
    assert secret.startswith(prefix)
    assert await code(pivotal, secret) is None
    await ada.press("keys.curl.copy")
    assert secret in await ada.page.evaluate("navigator.clipboard.readText()")
    await ada.press("trail")
    await ada.sees("local-dev", secret[: len(prefix) + 4])
    assert secret not in await ada.page.content()


async def test_permissions_are_chosen_one_by_one_or_all_at_once_and_can_be_viewed(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.open("/keys/new")
    await ada.fill("keys.create.name", "Reporting Dashboard")
    await ada.choose("keys.level", "read", of="Customers and their contacts")
    await ada.choose("keys.level", "none", of="How customers get started")
    await expect(ada.control("keys.all")).not_to_be_checked()
    await ada.press("keys.create.submit")
    await ada.press("keys.done")
    await ada.press("keys.permissions", of="Reporting Dashboard")
    await ada.sees("Customers\nRead", "Onboardings\nNone")
    await ada.press("keys.permissions.close")
    await ada.press("keys.create")
    await ada.fill("keys.create.name", "Zapier")
    await ada.control("keys.all").uncheck()
    await ada.press("keys.assign-all")
    await ada.press("keys.create.submit")
    await ada.press("keys.done")
    await ada.press("keys.permissions", of="Zapier")
    await ada.sees("All permissions", "Write and delete")


async def test_a_key_is_renamed_and_narrowed_at_once(atrium: Scene, browsing: Browsing) -> None:
    issued = await atrium.key("Zapier")
    ada = await browsing.sign_in(atrium)
    await ada.open("/keys")
    await ada.press("keys.more", of="Zapier")
    await ada.press("keys.edit")
    await ada.fill("keys.edit.name", "Zapier (new)")
    await ada.choose("keys.level", "read", of="Customers and their contacts")
    await ada.choose("keys.level", "none", of="How customers get started")
    await expect(ada.control("keys.all")).not_to_be_checked()
    await ada.press("keys.edit.submit")
    await ada.sees("Zapier (new) is changed")
    await ada.press("keys.permissions", of="Zapier (new)")
    await ada.sees("Customers\nRead", "Onboardings\nNone")
    async with httpx.AsyncClient(base_url=atrium.site.url, headers={"Authorization": f"Bearer {issued.secret.text}"}) as client:
        assert 200 == (await client.get("/api/v1/customers")).status_code
        assert 403 == (await client.get("/api/v1/onboardings")).status_code


async def test_a_key_gets_its_last_day_and_the_addresses_that_may_use_it(pivotal: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pivotal)
    await ada.open("/keys/new")
    await ada.fill("keys.create.name", "ci")
    await ada.fill("keys.ip-ranges", "203.0.113.7, nowhere")
    await ada.press("keys.create.submit")
    await expect(ada.control("keys.ip-ranges")).to_have_attribute("aria-invalid", "true")
    soon = datetime.now(UTC).date() + timedelta(days=9)
    await ada.fill("keys.ip-ranges", "203.0.113.7, 2001:db8::/32")
    await ada.fill("keys.expires", soon.isoformat())
    await ada.press("keys.create.submit")
    assert "address_not_allowed" == await code(pivotal, await shown_secret(ada))
    await ada.press("keys.done")
    await ada.sees("ci expires in 9 days", "only from 203.0.113.7/32, 2001:db8::/32")
    await ada.press("keys.extend")
    await expect(ada.control("keys.expires")).to_have_value(soon.isoformat())
    await ada.fill("keys.expires", "2020-01-01")
    await ada.press("keys.edit.submit")
    await expect(ada.control("keys.expires")).to_have_accessible_description(re.compile("lies in the past"))
    await ada.fill("keys.expires", "")
    await ada.fill("keys.ip-ranges", "127.0.0.0/8")
    await ada.press("keys.edit.submit")
    await ada.sees("ci is changed", "Never")
    await ada.misses("ci expires")
    (listed,) = await keys.page(pivotal.site.desk, pivotal.operator, limit=9)
    assert (None, ("127.0.0.0/8",)) == (listed.key.expires_at, listed.key.ip_ranges)


async def test_keys_of_one_name_are_told_apart(pivotal: Scene, browsing: Browsing) -> None:
    made = [await pivotal.key("Zapier") for _ in range(2)]
    ada = await browsing.sign_in(pivotal)
    await ada.open("/keys")
    for issued in made:
        row = ada.page.locator("tr", has_text=issued.key.prefix)
        await expect(row).to_contain_text("Zapier")
        await expect(row.locator("time")).to_have_count(1)


async def test_a_key_that_nobody_uses_is_pointed_out_and_disabled_from_there(pivotal: Scene, browsing: Browsing) -> None:
    desk = pivotal.site.desk
    long_ago = replace(desk, now=lambda: desk.now() - 31 * 24 * 3600 * 1000)
    issued = await keys.create(long_ago, pivotal.operator, name="forgotten")
    await pivotal.key("prod-server")
    ada = await browsing.sign_in(pivotal)
    await ada.open("/keys")
    await expect(ada.control("keys.idle")).to_have_count(1)
    await ada.press("keys.idle")
    await ada.sees("Revoke forgotten?", "It made no call in the last hour")
    await ada.press("keys.end.disable")
    assert "key_disabled" == await code(pivotal, issued.secret.text)
    await expect(ada.control("keys.idle")).to_have_count(0)


async def test_a_name_that_cannot_be_is_told_beside_its_field_and_nothing_written_is_lost(pivotal: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pivotal)
    await ada.open("/keys/new")
    await ada.choose("keys.create.mode", "test")
    await ada.fill("keys.create.name", "   ")
    await ada.press("keys.create.submit")
    await expect(ada.control("keys.create.name")).to_have_attribute("aria-invalid", "true")
    await expect(ada.control("keys.create.name")).to_have_accessible_description(re.compile("Write 1 to 100 printable"))
    await expect(ada.control("keys.create.mode").and_(ada.page.locator('[value="test"]'))).to_be_checked()
    await ada.press("cancel")
    await ada.sees("No keys yet")


async def test_a_key_is_rotated_now_or_with_an_overlap(pivotal: Scene, browsing: Browsing) -> None:
    first, second = await pivotal.key("prod-server"), await pivotal.key("ci")
    ada = await browsing.sign_in(pivotal)
    await ada.open("/keys")
    await ada.press("keys.more", of="prod-server")
    await ada.press("keys.rotate")
    await ada.sees(f"Every program that uses {first.key.prefix}… fails once the old key ends", "call in the last hour")
    await ada.press("keys.rotate.submit")
    successor = await shown_secret(ada)
    assert ["key_revoked", None] == [await code(pivotal, secret) for secret in (first.secret.text, successor)]
    await ada.press("keys.done")
    await ada.press("keys.more", of="ci")
    await ada.press("keys.rotate")
    await ada.choose("keys.rotate.overlap", "3600")
    await ada.press("keys.rotate.submit")
    successor = await shown_secret(ada)
    assert [None, None] == [await code(pivotal, secret) for secret in (second.secret.text, successor)]
    await ada.open("/keys")
    await ada.sees("Ending")


async def test_ending_a_key_says_what_breaks_and_takes_effect_at_once(pivotal: Scene, browsing: Browsing) -> None:
    issued = await pivotal.key("prod-server")
    ada = await browsing.sign_in(pivotal, size=PHONE, scheme="dark")
    await ada.open("/keys")
    await ada.press("keys.more", of="prod-server")
    await ada.press("keys.end")
    await ada.sees("Revoke prod-server?", f"Any integration using {issued.key.prefix}… stops working at once", "permanent")
    assert await code(pivotal, issued.secret.text) is None
    await ada.press("keys.end.submit")
    await ada.sees("prod-server has ended")
    assert "key_revoked" == await code(pivotal, issued.secret.text)
    await ada.choose("keys.state", "ended")
    await ada.sees("prod-server", "Ended")


async def test_disabling_is_offered_instead_of_ending_and_can_be_undone(pivotal: Scene, browsing: Browsing) -> None:
    issued = await pivotal.key("prod-server")
    ada = await browsing.sign_in(pivotal)
    await ada.open("/keys")
    await ada.press("keys.more", of="prod-server")
    await ada.press("keys.end")
    await ada.press("keys.end.disable")
    await ada.sees("prod-server is disabled", "Disabled")
    assert "key_disabled" == await code(pivotal, issued.secret.text)
    await ada.press("keys.more", of="prod-server")
    await ada.press("keys.enable")
    await ada.sees("prod-server is enabled again")
    assert await code(pivotal, issued.secret.text) is None


async def test_the_list_is_searched_and_filtered_as_people_type(pivotal: Scene, browsing: Browsing) -> None:
    zapier, other = await pivotal.key("Zapier"), await pivotal.key("Zapier", mode=Mode.TEST)
    await pivotal.key("CRM sync")
    ada = await browsing.sign_in(pivotal)
    await ada.open("/keys")
    rows = ada.page.locator("tbody tr")
    await ada.fill("keys.search", "zap")
    await expect(rows).to_have_count(2)
    await ada.fill("keys.search", f"{other.key.prefix}…")
    await expect(rows).to_have_count(1)
    await ada.fill("keys.search", "Zapier")
    await ada.choose("keys.mode", "live")
    await expect(rows).to_have_count(1)
    await ada.sees(zapier.key.prefix)
    await ada.choose("keys.age", "7")
    await ada.fill("keys.search", "nothing like it")
    await ada.sees("No key matches")
    assert "age=7" in ada.page.url
    await ada.look()
    await ada.press("keys.clear")
    await expect(rows).to_have_count(3)


async def test_a_long_list_comes_in_pages(pivotal: Scene, browsing: Browsing) -> None:
    for number in range(30):
        await pivotal.key(f"key {number:02}")
    ada = await browsing.sign_in(pivotal)
    await ada.open("/keys")
    rows = ada.page.locator("tbody tr")
    await expect(rows).to_have_count(25)
    await ada.press("pager.following")
    await expect(rows).to_have_count(5)
    await ada.sees("key 00")
    await ada.press("pager.previous")
    await ada.sees("key 29")


async def test_every_form_works_without_scripts(pivotal: Scene, browsing: Browsing) -> None:
    issued = await pivotal.key("prod-server")
    ada = await browsing.window(pivotal.site, scripts=False)
    page = ada.page
    await page.goto(f"{pivotal.site.url}/console{await pivotal.link()}")
    await ada.control("sign-in").click()
    await ada.control("nav.keys").click()
    await ada.fill("keys.search", "prod")
    await ada.control("keys.filter").click()
    await expect(page.locator("tbody tr")).to_have_count(1)
    await ada.control("keys.more").click()
    await ada.control("keys.end").click()
    await ada.control("keys.end.submit").click()
    await expect(page.locator("body")).to_contain_text("prod-server has ended")
    assert "key_revoked" == await code(pivotal, issued.secret.text)
    await ada.control("keys.create-first").click()
    await ada.fill("keys.create.name", "ci")
    await ada.control("keys.create.submit").click()
    assert await code(pivotal, await page.locator("#secret").inner_text()) is None
    await ada.control("theme.choose").and_(page.locator('[value="dark"]')).click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("name", ["Bo", "Cy"])
async def test_an_admin_sees_the_page_of_keys_and_a_plain_member_does_not(pivotal: Scene, browsing: Browsing, name: str) -> None:
    issued = await pivotal.key()
    visitor = await browsing.sign_in(pivotal, name)
    allowed = name == "Bo"
    assert allowed == bool(await visitor.page.locator('nav a[href$="/console/keys"]').count())
    paths = ["/keys", "/keys/new", *(f"/keys/{issued.key.id}/{what}" for what in ("permissions", "rotate", "end"))]
    for path in paths:
        await visitor.open(path, status=200 if allowed else 403)
    assert (await keys.get(pivotal.site.desk, pivotal.operator, issued.key.id)).key.ends_at is None
