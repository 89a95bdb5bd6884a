"""A chatbot in a page of another origin: installed in the console, used by a visitor, and switched off at once."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from keyrack.model.permissions import OrgAccess, Rights
from tests.browser import tools
from tests.browser.sites import EVERYTHING, Browsing, Scene
from tests.browser.test_portal_links import hosting
from tests.browser.visitor import AXE_OPTIONS, Visitor

QUESTION = "How long can I return something?"


class Shop:
    """A customer's own site: a page with the embed code in it, under a policy that lets nothing else in."""

    def __init__(self) -> None:
        self.snippet = ""

    def page(self) -> str:
        """The page, with styles that would spoil whatever they reached."""
        host = (re.search(r'src="([^"]+)/widget\.js"', self.snippet) or [None, "'none'"])[1]
        policy = f"default-src 'none'; style-src 'sha256-none'; script-src {host}; connect-src {host}; base-uri 'none'; form-action 'none'"
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
            f"<title>Shop</title></head><body><main><h1>Our shop</h1></main>{self.snippet}</body></html>"
        )


@pytest.fixture
async def shop() -> AsyncIterator[tuple[Shop, str, str]]:
    """The customer's site, with its address on two origins."""
    one = Shop()
    async with hosting(one.page) as port, hosting(one.page) as other:
        yield one, f"http://localhost:{port}", f"http://localhost:{other}"


async def teach(scene: Scene) -> str:
    """Make a chatbot that knows something, and return its id."""
    key = await scene.key("teacher", Rights(OrgAccess.ADMIN, EVERYTHING.permissions))
    async with httpx.AsyncClient(base_url=scene.site.url, headers={"Authorization": f"Bearer {key.secret.text}"}) as client:
        chatbot = (await client.post("/api/v1/chatbots", json={"name": "Help desk", "greeting": "Hello! Ask me anything."})).json()
        text = "# Returns\n\nYou can return anything within 30 days."
        body = {"chatbot_id": chatbot["id"], "kind": "markdown", "name": "Returns", "text": text}
        source = (await client.post("/api/v1/sources", json=body)).json()
        while source["status"] == "pending":
            await asyncio.sleep(0.1)
            source = (await client.get(f"/api/v1/sources/{source['id']}")).json()
        assert "ready" == source["status"]
    return str(chatbot["id"])


async def leads(scene: Scene) -> list[str]:
    """Return the addresses that were left."""
    key = await scene.key("reader")
    async with httpx.AsyncClient(base_url=scene.site.url, headers={"Authorization": f"Bearer {key.secret.text}"}) as client:
        return [one["email"] for one in (await client.get("/api/v1/leads")).json()["data"]]


async def say(page: Page, text: str) -> None:
    """Write a message and send it by the keyboard."""
    await page.get_by_label("Your message").fill(text)
    await page.keyboard.press("Enter")


def log(page: Page) -> Locator:
    """What was said."""
    return page.get_by_role("log")


async def look(page: Page, axe: str) -> None:
    """Expect that axe finds nothing on the page, in light and in dark."""
    await page.evaluate(axe)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found = await page.evaluate("(options) => axe.run(document, options)", AXE_OPTIONS)
        assert [] == [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]


async def install(ada: Visitor, origin: str) -> str:
    """Make an embed key for one origin, and return the code that is shown."""
    await ada.open("/embed-keys")
    await ada.press("embed.first")
    await ada.fill("embed.name", "Our shop")
    await ada.fill("embed.origins", "https://*.example.com")
    await ada.press("embed.create.submit")
    await ada.sees("has a wildcard")
    await ada.fill("embed.origins", origin)
    await ada.press("embed.create.submit")
    await ada.sees("The embed code is there", "Help desk", origin)
    snippet = str(await ada.page.locator("pre code").text_content())
    assert re.fullmatch(r'<script src="http://[^"]+/widget\.js" data-key="atrium_embed_\w{36}" async></script>', snippet)
    return snippet


async def visit(page: Page, atrium: Scene) -> None:
    """Ask, read the source of the answer, leave an email address, and come back."""
    await page.get_by_role("button", name="Chat with Help desk").click()
    await expect(page.get_by_role("dialog", name="Help desk")).to_be_visible()
    await expect(page.get_by_label("Your message")).to_be_focused()
    await expect(log(page)).to_contain_text("Hello! Ask me anything.")
    await say(page, QUESTION)
    await expect(log(page)).to_contain_text("within 30 days. [1]")
    await page.get_by_text("1 source").click()
    await expect(log(page).get_by_role("listitem")).to_contain_text("Returns")
    await say(page, "Zebra quokka?")
    await page.get_by_label("Leave your email").fill("nia@visitor.example")
    await look(page, tools.axe())
    await page.get_by_role("button", name="Leave my email").click()
    await expect(page.get_by_role("status")).to_contain_text("Somebody will write to you")
    assert ["nia@visitor.example"] == await leads(atrium)
    # Escape closes it, and who comes back finds what was said.
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Chat with Help desk")).to_be_focused()
    await page.reload()
    await page.get_by_role("button", name="Chat with Help desk").click()
    await expect(log(page)).to_contain_text(QUESTION)


async def switch(ada: Visitor, page: Page) -> None:
    """Switch the key off and on while a visit is open, and look at the preview."""
    await ada.press("embed.more")
    await ada.press("embed.disable")
    await ada.sees("switched off")
    await say(page, QUESTION)
    await expect(page.get_by_role("status")).to_contain_text("This chat is switched off.")
    await ada.press("embed.more")
    await ada.press("embed.enable")
    await say(page, QUESTION)
    await expect(log(page).get_by_text("within 30 days")).to_have_count(2)
    async with ada.context.expect_page() as opening:
        await ada.control("embed.preview").click()
    preview = await opening.value
    await preview.get_by_role("button", name="Chat with Help desk").click()
    await say(preview, QUESTION)
    await expect(log(preview)).to_contain_text("within 30 days")
    await preview.close()


async def change(ada: Visitor, page: Page, elsewhere: str, snippet: str) -> None:
    """Give the key to another origin, replace it and delete it."""
    await ada.press("embed.edit")
    await ada.fill("embed.origins", elsewhere)
    await ada.fill("embed.calls", "many")
    await ada.press("embed.edit.submit")
    await ada.sees("Write a number from 1 to 600")
    await ada.fill("embed.calls", "60")
    await ada.press("embed.edit.submit")
    await ada.sees("60 in a minute", elsewhere)
    await say(page, QUESTION)
    await expect(page.get_by_role("status")).to_contain_text("The connection was lost")
    await ada.press("embed.more")
    await ada.press("embed.replace")
    await ada.sees("Every page that has the present embed code is refused")
    await ada.press("embed.replace.submit")
    await ada.press("embed.copy")
    copied = str(await ada.page.evaluate("navigator.clipboard.readText()"))
    assert (True, True) == (copied != snippet, copied.startswith('<script src="http://'))
    await ada.press("embed.more")
    await ada.press("embed.delete")
    await ada.press("embed.delete.submit")
    await ada.sees("No embed code yet")
    await ada.press("embed.new")
    assert 1 == await ada.control("embed.object").count()


async def test_chatbot_is_installed_in_a_page_of_another_origin(
    atrium: Scene, browsing: Browsing, shop: tuple[Shop, str, str], chromium: object
) -> None:
    site, origin, elsewhere = shop
    await teach(atrium)
    ada = await browsing.sign_in(atrium)
    site.snippet = await install(ada, origin)
    page = await ada.context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(origin)
    await visit(page, atrium)
    assert [] == said
    stranger = await ada.context.new_page()
    async with stranger.expect_event("console", lambda message: "Failed to load" in message.text or "CORS" in message.text):
        await stranger.goto(elsewhere)
    await expect(stranger.get_by_role("button")).to_have_count(0)
    await switch(ada, page)
    await change(ada, page, elsewhere, site.snippet)
