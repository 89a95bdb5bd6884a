"""The API reference in a browser: its list is narrowed, its samples stand behind tabs, and calls are sent with the reader's own key."""

import json

import pytest
from playwright.async_api import expect

from tests.browser.sites import PHONE, Browsing, Scene


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), ((1280, 860), "dark")])
async def test_reference_suits_every_screen(atrium: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    reader = await browsing.window(atrium.site, size=size, scheme=scheme)
    for path in ("/docs/api/explorer", "/docs/api/customers/create-customer", "/docs/api/keys/list-keys"):
        await reader.visit(path)
        assert await reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


async def test_list_of_endpoints_is_narrowed_by_words_noun_and_permission(atrium: Scene, browsing: Browsing) -> None:
    reader = await browsing.window(atrium.site)
    await reader.visit("/docs/api/explorer")
    endpoints = reader.control("docs.endpoint")
    everything = await endpoints.count()
    await reader.choose("docs.explorer.permission", "customers:write")
    await reader.sees("6 endpoints")
    await reader.fill("docs.explorer.words", "create customer")
    await expect(endpoints.first).to_contain_text("/api/v1/customers")
    await reader.choose("docs.explorer.tag", "keys")
    await reader.sees("0 endpoints")
    await reader.choose("docs.explorer.permission", "")
    await reader.fill("docs.explorer.words", "rotate")
    await reader.sees("1 endpoint")
    assert everything > 60
    await reader.look()
    await reader.press("docs.endpoint")
    assert reader.page.url.endswith("/docs/api/keys/rotate-key")


async def test_samples_stand_behind_tabs_that_remember_the_language(atrium: Scene, browsing: Browsing) -> None:
    reader = await browsing.window(atrium.site)
    await reader.visit("/docs/api/customers/create-customer")
    await reader.sees("curl http")
    await reader.misses("from keyrack.client")
    await reader.control("docs.language").nth(1).click()
    await reader.sees("from keyrack.client")
    await reader.misses("curl http")
    await reader.page.keyboard.press("ArrowRight")
    await reader.sees("@keyrack/client")
    await reader.look()
    await reader.visit("/docs/api/keys/create-key")
    await reader.sees("from keyrack.client")


async def test_call_is_sent_with_the_readers_key_which_nothing_keeps(atrium: Scene, browsing: Browsing) -> None:
    secret = (await atrium.key("from the docs")).secret.text
    reader = await browsing.window(atrium.site)
    await reader.visit("/docs/api/customers/create-customer")
    await reader.fill("docs.try.key", secret)
    await reader.fill("docs.try.body", json.dumps({"name": "Tried in the docs", "slug": "tried"}))
    await reader.control("docs.try.send").click()
    await reader.sees("201", "Tried in the docs")
    await reader.look()
    await reader.visit("/docs/api/customers/get-customer")
    assert "" == await reader.control("docs.try.key").input_value()
    await reader.fill("docs.try.key", secret)
    await reader.fill("docs.try.path", "tried")
    await reader.control("docs.try.send").click()
    await reader.sees("Tried in the docs")
    await reader.visit("/docs/api/customers/list-customers")
    await reader.fill("docs.try.key", secret)
    await reader.control("docs.try.query").first.fill("1")
    await reader.control("docs.try.send").click()
    await reader.sees("has_more")
    kept = await reader.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])")
    assert secret not in kept


async def test_reference_is_whole_without_scripts(atrium: Scene, browsing: Browsing) -> None:
    reader = await browsing.window(atrium.site, scripts=False)
    await reader.page.goto(f"{atrium.site.url}/docs/api/customers/create-customer")
    await reader.sees("curl http", "from keyrack.client", "@keyrack/client")
    await expect(reader.control("docs.try.send")).to_have_count(0)
    await reader.page.goto(f"{atrium.site.url}/docs/api/explorer")
    assert await reader.control("docs.endpoint").count() > 60
