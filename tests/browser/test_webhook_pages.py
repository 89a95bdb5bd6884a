"""The pages of webhooks as such: sound on every screen whatever a receiver answers, by keyboard alone, and without scripts."""

import pytest
from playwright.async_api import expect

from keyrack.manage import endpoints
from tests.browser.sites import DESKTOP, PHONE, Browsing, Scene
from tests.browser.webhook_scenes import add, attempted, happen
from tests.deliveries.receivers import Receiver, status

ON_TWO_SCREENS = pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
HOSTILE = b"<script>document.title = 'taken'</script>\x00\x1b[31m\xe2\x80\xae" + bytes(range(256)) * 20


@ON_TWO_SCREENS
async def test_pages_are_sound_and_fit_whatever_a_receiver_answers(
    atrium: Scene, browsing: Browsing, receiver: Receiver, size: tuple[int, int], scheme: str
) -> None:
    receiver.answer = lambda _: status(500, "X-Note: <img src=x>\x85", "Content-Type: text/html", body=HOSTILE)
    path = "/" + "a-very-long-path/" * 12 + "%3Cscript%3Ealert(1)%3C/script%3E?q=%22%3E"
    endpoint = await add(atrium, receiver, path, description='<b>bold</b> & "quoted"', in_order=True)
    await happen(atrium, await atrium.key("Zapier"), "<img src=x onerror=alert(1)>")
    (delivery,) = await attempted(atrium, endpoint, 1)
    ada = await browsing.sign_in(atrium, size=size, scheme=scheme)
    one = f"/endpoints/{endpoint.id}"
    pages = ["/endpoints", "/endpoints/new", f"{one}?range=7d", f"{one}/edit", f"{one}/delete", f"/events/{delivery.event_id}"]
    for page in [*pages, f"{one}/deliveries/{delivery.id}"]:
        await ada.open(page)
        assert await ada.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page
    await ada.sees("<script>document.title = 'taken'</script>\\x00\\x1b[31m\\u202e", "Cut off here", "x-note: <img src=x>", "\\x85")
    assert "taken" != await ada.page.title()
    await ada.open(f"{one}/test")
    await ada.press("endpoints.test.submit")
    await ada.look()
    await ada.sees("<script>document.title = 'taken'</script>\\x00\\x1b[31m\\u202e", "Cut off here")
    assert await ada.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_an_endpoint_is_added_tried_and_deleted_by_keyboard_alone(atrium: Scene, browsing: Browsing, receiver: Receiver) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.open("/endpoints/new")
    keyboard = ada.page.keyboard
    await expect(ada.control("endpoints.url")).to_be_focused()
    await keyboard.type(receiver.url)
    await keyboard.press("Enter")
    await ada.sees("The endpoint is ready")
    await ada.control("endpoints.issued.test").focus()
    await keyboard.press("Enter")
    await ada.control("endpoints.test.type").focus()
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    await ada.sees("200 OK")
    await ada.open("/endpoints")
    await ada.control("endpoints.more").focus()
    await keyboard.press("Enter")
    for _ in range(6):
        await keyboard.press("Tab")
        if await ada.control("endpoints.delete").evaluate("(one) => one === document.activeElement"):
            break
    await keyboard.press("Enter")
    await ada.page.locator("dialog[open]").wait_for()
    await keyboard.press("Escape")
    await expect(ada.page.locator("dialog")).to_be_hidden()


async def test_without_scripts_an_endpoint_is_added_tried_and_replayed(atrium: Scene, browsing: Browsing, receiver: Receiver) -> None:
    ada = await browsing.window(atrium.site, scripts=False)
    page = ada.page
    await page.goto(f"{atrium.site.url}/console{await atrium.link()}")
    await ada.control("sign-in").click()
    await page.goto(f"{ada.base_url}/console/endpoints/new")
    await ada.control("endpoints.url").fill(receiver.url)
    await ada.control("endpoints.create.submit").click()
    await ada.control("endpoints.done").click()
    await ada.control("endpoints.test").click()
    await ada.control("endpoints.test.submit").click()
    await expect(page.locator("main")).to_contain_text("200 OK")
    (endpoint,) = await endpoints.page(atrium.site.desk, atrium.operator, limit=2)
    await page.goto(f"{ada.base_url}/console/endpoints/{endpoint.id}/replay")
    await ada.control("endpoints.replay.count").click()
    await expect(page.locator("main")).to_contain_text("No delivery failed since then.")
    await page.goto(f"{ada.base_url}/console/endpoints/{endpoint.id}")
    await ada.control("deliveries.filter").click()
    await page.goto(f"{ada.base_url}/console/endpoints")
    await ada.control("endpoints.filter").click()
    await expect(page.locator("main")).to_contain_text(receiver.url)
