"""Pictures of every page, light and dark, on a desktop and a phone, into screenshots/: `make screenshots`."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.browser.chromium import launch
from tests.browser.demo import Demo, demo

FOLDER = Path(__file__).parent.parent.parent / "screenshots"
SIZES = {"desktop": (1280, 860), "phone": (360, 740)}
PAGES = {
    "overview": "",
    "api-toggle": "/api",
    "keys": "/keys",
    "keys-ended": "/keys?state=ended",
    "keys-no-match": "/keys?search=nothing",
    "keys-new": "/keys/new",
    "not-found": "/nothing",
}


async def main(brands: list[str], names: list[str]) -> None:
    """Take the pictures of these brands, of all pages or of the named ones."""
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        for brand in brands:
            with tempfile.TemporaryDirectory(prefix="keyrack-screenshots-") as folder, demo(Path(folder), brand) as running:
                await _brand(browser, running, brand, names)
        await browser.close()


async def _brand(browser: Browser, running: Demo, brand: str, names: list[str]) -> None:
    context = await browser.new_context(reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(running.sign_in_url)
    await _take(page, brand, "sign-in", names)
    await page.get_by_role("button", name="Sign in").click()
    for name, path in PAGES.items():
        await page.goto(f"{running.url}/console{path}")
        await _take(page, brand, name, names)
    await context.close()


async def _take(page: Page, brand: str, name: str, names: list[str]) -> None:
    if names and name not in names:
        return
    for size, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            path = FOLDER / brand / f"{name}-{size}-{scheme}.png"
            await page.screenshot(path=path, full_page=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brand", action="append", help="a brand; all of them where none is named")
    parser.add_argument("--page", action="append", default=[], help="a page; all of them where none is named")
    given = parser.parse_args()
    asyncio.run(main(given.brand or ["atrium", "pivotal", "pivot"], given.page))
