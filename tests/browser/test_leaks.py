"""A stranger ends a key that they found, and its owners see what happened."""

import httpx
import pytest
from playwright.async_api import expect

from keyrack.crypto.format import Secret
from keyrack.manage import leaks
from tests.browser.sites import PHONE, Browsing, Scene

PLACE = "https://github.com/octocat/hello-world/blob/0123456789abcdef0123456789abcdef01234567/settings/production.py"


async def status(scene: Scene, secret: str) -> int:
    async with httpx.AsyncClient(base_url=scene.site.url) as client:
        return (await client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})).status_code


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_a_stranger_ends_a_key_and_its_owner_reads_where_it_stood(atrium: Scene, browsing: Browsing, scripts: bool) -> None:
    key = await atrium.key("prod-server")
    stranger = await browsing.window(atrium.site, size=PHONE, scheme="dark", scripts=scripts)
    page, at = stranger.page, f"{atrium.site.url}/console"
    await page.goto(f"{at}/leaked")
    await stranger.fill("leaked.secret", key.secret.text[:-2])
    await stranger.control("leaked.submit").click()
    await expect(page.get_by_text("cut off or mistyped")).to_be_visible()
    await stranger.fill("leaked.secret", key.secret.text)
    await stranger.fill("leaked.found-in", PLACE)
    await stranger.control("leaked.submit").click()
    await expect(page.get_by_role("status")).to_contain_text("If this was a key, token or client secret of ours, it is revoked now.")
    assert key.secret.text not in page.url + await page.content()
    assert 401 == await status(atrium, key.secret.text)
    ada = await browsing.sign_in(atrium)
    await ada.open("/keys?state=ended")
    await ada.sees("Revoked because it leaked. Leak report: found at " + PLACE)
    assert 0 == await ada.page.locator(f'a[href*="{PLACE[:30]}"]').count()


async def test_every_page_of_it_is_sound(atrium: Scene, browsing: Browsing) -> None:
    key = await atrium.key()
    stranger = await browsing.window(atrium.site, size=PHONE)
    await stranger.open("/leaked")
    await stranger.fill("leaked.secret", key.secret.text)
    await stranger.fill("leaked.found-in", "a public paste <script>alert(1)</script>")
    await stranger.press("leaked.submit")
    await stranger.press("leaked.another")
    await stranger.fill("leaked.secret", "no key")
    await stranger.press("leaked.submit")
    await stranger.sees("cut off or mistyped")
    await stranger.press("leaked.sign-in")
    ada = await browsing.sign_in(atrium, size=PHONE, scheme="dark")
    await ada.open("/keys?state=ended")
    await ada.sees("Leak report: a public paste <script>alert(1)</script>")


async def test_the_feed_names_it(atrium: Scene, browsing: Browsing) -> None:
    key = await atrium.key("prod-server")
    await leaks.report(atrium.site.desk, Secret(key.secret.text), found_in=PLACE, address="192.0.2.1")
    ada = await browsing.sign_in(atrium)
    await ada.visit("/activity?changes_only=true")
    await ada.sees("Leak report told of the leaked key prod-server")
