"""What a key was never used for is pointed out where people look, taken with one click, and given back with another."""

from dataclasses import replace

import httpx
from playwright.async_api import expect

from keyrack.manage import keys
from keyrack.manage.keys import Issued
from keyrack.model.permissions import Level, OrgAccess, Rights
from tests.browser.sites import PHONE, Browsing, Scene
from tests.browser.visitor import Visitor

BOTH = Rights(permissions={"customers": Level.WRITE, "onboardings": Level.WRITE})
WEEK_MS = 7 * 24 * 3600 * 1000


async def used(scene: Scene, rights: Rights = BOTH) -> Issued:
    """Make a key as of more than a week ago, and use it for one thing."""
    desk = scene.site.desk
    then = replace(desk, now=lambda: desk.now() - WEEK_MS - 60_000)
    issued = await keys.create(then, scene.operator, name="Zapier", rights=rights)
    assert [200, 403] == [await status(scene, issued, path) for path in ("/customers", "/integrations")]
    return issued


async def status(scene: Scene, issued: Issued, path: str) -> int:
    async with httpx.AsyncClient(base_url=f"{scene.site.url}/api/v1") as client:
        return (await client.get(path, headers={"Authorization": f"Bearer {issued.secret.text}"})).status_code


async def see_its_use(visitor: Visitor, path: str, text: str) -> None:
    """Open a page until it knows of the calls, which are a moment old."""
    for _ in range(50):
        await visitor.page.goto(f"{visitor.base_url}/console{path}")
        if await visitor.page.locator("main", has_text=text).count():
            return
        await visitor.page.wait_for_timeout(100)
    raise AssertionError(f"{path} never said {text}")


async def test_a_key_is_narrowed_from_the_list_and_widened_again(atrium: Scene, browsing: Browsing) -> None:
    issued = await used(atrium)
    ada = await browsing.sign_in(atrium, size=PHONE)
    await see_its_use(ada, "/keys", "Has never used")
    await ada.open("/keys")
    await ada.sees("Has never used customers:write and 1 more")
    assert await ada.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await ada.press("keys.narrow")
    await ada.sees("Zapier is narrowed", "customers:write, onboardings:write", "It keeps customers:read")
    assert [200, 403] == [await status(atrium, issued, path) for path in ("/customers", "/onboardings")]
    await ada.press("integrations.widen")
    await ada.sees("Zapier may do again what it could before")
    assert [200, 200] == [await status(atrium, issued, path) for path in ("/customers", "/onboardings")]


async def test_a_page_of_permissions_says_what_would_be_left(atrium: Scene, browsing: Browsing) -> None:
    await used(atrium)
    ada = await browsing.sign_in(atrium, scheme="dark")
    await see_its_use(ada, "/keys", "Has never used")
    await ada.press("keys.permissions")
    await ada.sees("Since it was made it was not used for customers:write, onboardings:write", "Narrowed, it keeps customers:read")
    await ada.press("integrations.narrow")
    await ada.press("integrations.narrowed.done")
    await ada.misses("Has never used")


async def test_org_level_access_is_narrowed_where_that_is_what_people_choose(pivot: Scene, browsing: Browsing) -> None:
    issued = await pivot.key("Reporting", Rights(OrgAccess.ADMIN))
    assert 200 == await status(pivot, issued, "/customers")
    ada = await browsing.sign_in(pivot)
    path = f"/integrations/{issued.integration.id}"
    await see_its_use(ada, path, "It may do more than it was ever used for")
    await ada.open(path)
    await ada.sees("it was not used for org-level Admin", "Narrowed, it keeps org-level Reader")
    await ada.press("integrations.narrow")
    await ada.press("integrations.narrowed.done")
    await expect(ada.page.locator("dl.facts").last).to_contain_text("Reader")
    assert 200 == await status(pivot, issued, "/customers")


async def test_the_widest_list_shows_its_menus_on_every_screen(pinpoint: Scene, browsing: Browsing) -> None:
    await used(pinpoint)
    ada = await browsing.sign_in(pinpoint)
    await see_its_use(ada, "/keys", "Has never used")
    for width in (360, 768, 992, 1024, 1280, 1440):
        await ada.page.set_viewport_size({"width": width, "height": 800})
        await expect(ada.control("keys.more")).to_be_in_viewport(ratio=1)
        assert await ada.page.locator(".table-frame").evaluate("(frame) => frame.scrollWidth <= frame.clientWidth"), width
