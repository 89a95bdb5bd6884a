"""What every page has: ways around it, light and dark, and nothing that breaks on a small screen or without scripts."""

import pytest
from playwright.async_api import expect

from tests.browser.sites import DESKTOP, PHONE, Browsing, Scene

PAGES = ["", "/api", "/keys", "/keys/new", "/keys?state=ended", "/keys?search=nothing"]


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
async def test_every_page_is_sound_and_fits(atrium: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    await atrium.key()
    ada = await browsing.sign_in(atrium, size=size, scheme=scheme)
    for path in PAGES:
        await ada.open(path)
        assert await ada.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    await ada.open("/nothing", status=404)
    await ada.press("back")


@pytest.mark.parametrize("path", ["", "/keys", "/keys/new", "/api"])
async def test_pages_can_be_read_without_scripts(atrium: Scene, browsing: Browsing, path: str) -> None:
    ada = await browsing.window(atrium.site, scripts=False)
    await ada.page.goto(f"{atrium.site.url}/console{await atrium.link()}")
    await ada.control("sign-in").click()
    await ada.page.goto(f"{atrium.site.url}/console{path}")
    await expect(ada.page.locator("h1")).to_be_visible()
    await expect(ada.control("nav.keys")).to_be_visible()


async def test_somebody_chooses_dark_and_it_stays(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    root = ada.page.locator("html")
    async with ada.page.expect_response("**/theme"):
        await ada.control("theme.choose").and_(ada.page.locator('[value="dark"]')).click()
    await expect(root).to_have_attribute("data-theme", "dark")
    await ada.open("/keys")
    await expect(root).to_have_attribute("data-theme", "dark")
    await ada.control("theme.choose").and_(ada.page.locator('[value="system"]')).click()
    await expect(root).not_to_have_attribute("data-theme", "dark")


async def test_on_a_phone_the_menu_opens_closes_and_leads_on(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium, size=PHONE)
    await expect(ada.page.locator("#sidebar")).to_be_hidden()
    await ada.press("menu.open")
    await ada.press("menu.close")
    await expect(ada.page.locator("#sidebar")).to_be_hidden()
    await ada.press("menu.open")
    await ada.press("nav.keys")
    await ada.sees("API & Webhooks")
    await ada.control("product").first.click()
    await ada.sees("API access")


async def test_the_sidebar_leads_to_the_settings_and_back_to_the_product(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await expect(ada.control("nav-group").first).to_have_text("Settings")
    await ada.control("nav-group").first.click()
    assert ada.page.url.endswith("/console/settings")
    await expect(ada.control("home")).to_have_text("Back to Atrium")
    await ada.press("home")
    assert ada.page.url == f"{atrium.site.url}/customers"
    cy = await browsing.sign_in(atrium, "Cy")
    await cy.control("nav-group").first.click()
    assert cy.page.url.endswith("/console/logs")


async def test_a_second_press_while_the_first_is_under_way_sends_nothing(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.open("/keys/new")
    await ada.fill("keys.create.name", "local-dev")
    submit = ada.control("keys.create.submit")
    await submit.evaluate("(button) => { button.click(); button.click(); }")
    await ada.sees("Copy your new key")
    await ada.open("/keys")
    await expect(ada.page.locator("tbody tr")).to_have_count(1)


async def test_the_keyboard_reaches_the_content_first(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.open("/keys")
    await ada.page.keyboard.press("Tab")
    await expect(ada.control("skip")).to_be_focused()
    await ada.page.keyboard.press("Enter")
    await expect(ada.page.locator("main")).to_be_focused()


async def test_times_are_local_and_say_the_exact_utc_when_pointed_at(atrium: Scene, browsing: Browsing) -> None:
    issued = await atrium.key()
    ada = await browsing.sign_in(atrium)
    await ada.open("/keys")
    time = ada.page.locator("tbody time").first
    exact = await time.get_attribute("title")
    assert exact is not None
    assert exact.endswith(" UTC")
    local = await ada.page.evaluate("(at) => new Intl.DateTimeFormat(undefined, {dateStyle: 'medium'}).format(at)", issued.key.created_at)
    await expect(time).to_have_text(local)


async def test_signing_out_leaves_to_the_sign_in_page(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.press("nav.home")
    await ada.press("sign-out")
    await ada.sees("You are signed out", "Sign in to Atrium")
    await ada.open("/keys", status=401)


async def test_the_api_is_switched_off_and_on_in_a_dialog_that_counts_what_stops(atrium: Scene, browsing: Browsing) -> None:
    await atrium.key()
    ada = await browsing.sign_in(atrium)
    await ada.press("api.toggle")
    await ada.sees("1 active key of VML stops working at once")
    await ada.press("cancel")
    await expect(ada.page.locator("dialog")).to_be_hidden()
    await ada.press("api.toggle")
    await ada.press("api.switch")
    await ada.sees("The API is switched off.")
    await ada.open("")
    await ada.misses("The API is switched off.")
    await ada.press("api.toggle")
    await ada.press("api.switch")
    await ada.sees("The API is switched on.")


async def test_the_overview_says_how_to_call_the_api(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.press("curl.copy")
    copied = await ada.page.evaluate("navigator.clipboard.readText()")
    assert f"curl {atrium.site.url}/api/v1/me" in copied
    answer = await ada.page.request.get(await ada.control("errors").evaluate("(link) => link.href"))
    assert 200 == answer.status
