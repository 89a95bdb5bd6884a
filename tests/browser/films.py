"""Help pages as films: somebody who reads a page and does what each sentence says, on every kind of screen."""

from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.sites import DESKTOP, PHONE, Browsing, Scene
from tests.browser.visitor import Visitor

# A film takes a quarter of a minute, so `make test` shows it on the narrow, dark screen, which most other suites of pages are not on;
# `make fuzz` has the other three.
ON_EVERY_SCREEN = pytest.mark.parametrize(
    ("size", "scheme"),
    [
        pytest.param(PHONE, "dark", id="phone-dark"),
        pytest.param(DESKTOP, "light", id="desktop-light", marks=pytest.mark.fuzz),
        pytest.param(DESKTOP, "dark", id="desktop-dark", marks=pytest.mark.fuzz),
        pytest.param(PHONE, "light", id="phone-light", marks=pytest.mark.fuzz),
    ],
)


class Film:
    """A reader in a browser, beside whom the program runs that uses the key."""

    def __init__(self, scene: Scene, visitor: Visitor) -> None:
        self.scene = scene
        self.visitor = visitor
        self.see = visitor.sees
        self.miss = visitor.misses

    @classmethod
    async def begin(cls, scene: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> "Film":
        """Sign the workspace's owner in."""
        return cls(scene, await browsing.sign_in(scene, size=size, scheme=scheme))

    async def click(self, control: str, of: str = "") -> None:
        """Click what the page calls by this name; `of` is a text in its row. Nothing but a click, as people do it."""
        await self.visitor.control(control, of).first.click()

    async def find(self, *controls: str) -> None:
        """Click these in the sidebar, one after the other: on a phone it has to be opened."""
        for control in controls:
            if await self.visitor.control("menu.open").count() and not await self.visitor.page.locator("#sidebar:popover-open").count():
                await self.click("menu.open")
            await self.click(control)

    async def write(self, control: str, text: str) -> None:
        """Write into a field."""
        await self.visitor.fill(control, text)

    async def choose(self, control: str, value: str, of: str = "") -> None:
        """Choose an option."""
        await self.visitor.choose(control, value, of)

    async def reads(self, control: str, text: str, of: str = "") -> None:
        """Expect these very words on a control, whatever their case."""
        await expect(self.visitor.control(control, of).first).to_have_text(text, ignore_case=True)

    async def copied(self, control: str) -> str:
        """Click a copy button, and return what is in the clipboard then."""
        await self.click(control)
        await expect(self.visitor.control(control)).to_have_text("Copied")
        text: str = await self.visitor.page.evaluate("navigator.clipboard.readText()")
        return text

    async def fits(self) -> None:
        """Expect the page to be no wider than its screen, and to be sound."""
        assert await self.visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), self.visitor.page.url
        await self.visitor.look()

    async def call(self, secret: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send a call, as the program does."""
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(base_url=f"{self.scene.site.url}/api/v1", headers=headers) as client:
            return await client.request(method, path, json=body)
