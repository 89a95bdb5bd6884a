"""The console in a frame of another site, in a browser that keeps no cookies of other sites, as all of them will be."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Frame, Locator, Page, async_playwright, expect

from keyrack.model.permissions import ALL, Level, OrgAccess, Rights
from tests.browser.chromium import launch
from tests.browser.sites import Scene, Site, served


@asynccontextmanager
async def hosting(page: Callable[[], str]) -> AsyncIterator[int]:
    """Serve one page of a host, as it is at each moment, and say at which port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        text = page().encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(text) + text)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


def control(frame: Frame, name: str) -> Locator:
    """Return a control in a frame, by its name."""
    return frame.locator(f'[data-control="{name}"]')


class Embedding:
    """A host that shows the console in a frame, by a link that it asks for with its key, on a page at `origin`."""

    def __init__(self) -> None:
        self.source = ""
        self.origin = ""
        self.site: Site
        self.scene: Scene

    async def open(self, page: Page, origin: str | None = None) -> Frame:
        """Ask for a link for Ada, open the host's page at an origin, and return the frame in it."""
        issued = await self.scene.key("host", Rights(OrgAccess.ADMIN, {ALL: Level.WRITE}))
        async with httpx.AsyncClient(base_url=self.site.url) as client:
            body = {"member_id": self.scene.members["Ada"].id, "origin": self.origin}
            answer = await client.post("/api/v1/portal-links", json=body, headers={"Authorization": f"Bearer {issued.secret.text}"})
        self.source = answer.json()["url"]
        await page.goto(f"{origin or self.origin}/")
        frame = page.frames[1]
        await frame.wait_for_load_state()
        return frame

    def page(self) -> str:
        """The host's page."""
        return (
            f'<!doctype html><title>Host</title><h1>Host</h1><iframe title="Keys" width="1290" height="700" src="{self.source}"></iframe>'
        )


@pytest.fixture
async def embedding(tmp_path: Path) -> AsyncIterator[Embedding]:
    """A host on a site of its own: `localhost` is another one than `127.0.0.1`, where the console is."""
    one = Embedding()
    async with hosting(one.page) as port:
        one.origin = f"http://localhost:{port}"
        async with served(tmp_path, "atrium", portal_origins=[one.origin]) as site:
            one.site, one.scene = site, await site.workspace()
            yield one


@pytest.fixture
async def strict() -> AsyncIterator[Browser]:
    """A Chromium that gives no site in a frame the cookies that it has elsewhere."""
    async with async_playwright() as playwright:
        browser = await launch(playwright, "--test-third-party-cookie-phaseout")
        yield browser
        await browser.close()


async def test_the_console_works_in_a_frame_of_the_allowed_origin_and_keeps_its_session_there(
    embedding: Embedding, strict: Browser
) -> None:
    context = await strict.new_context()
    page = await context.new_page()
    frame = await embedding.open(page)
    await expect(frame.locator("h1")).to_have_text("VML")
    assert frame.url == f"{embedding.site.url}/console"
    await frame.locator('[data-control="nav.keys"]').click()
    await frame.locator('[data-control="keys.create"]').click()
    await frame.locator('[data-control="keys.create.name"]').fill("from the frame")
    await frame.locator('[data-control="keys.create.submit"]').click()
    await expect(frame.locator("body")).to_contain_text("Copy your new key")
    await frame.locator('[data-control="nav.home"]').click()
    await frame.locator('[data-control="api.toggle"]').click()
    await frame.locator('[data-control="api.switch"]').click()
    await expect(frame.locator("body")).to_contain_text("The API is switched off.")
    async with context.expect_page() as opened:
        await frame.locator('[data-control="errors"]').click()
    assert "/docs/errors" in (await opened.value).url
    window = await context.new_page()
    answer = await window.goto(f"{embedding.site.url}/console")
    assert answer is not None
    assert 401 == answer.status
    kept = {cookie["name"]: cookie for cookie in await context.cookies()}
    assert {"atrium_portal"} == set(kept)
    assert (True, True, "None") == tuple(kept["atrium_portal"][flag] for flag in ("httpOnly", "secure", "sameSite"))


async def test_no_other_origin_frames_the_console(embedding: Embedding, strict: Browser) -> None:
    page = await (await strict.new_context()).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    other = embedding.origin.replace("localhost", "127.0.0.1")
    frame = await embedding.open(page, other)
    await expect(page.locator("h1")).to_have_text("Host")
    assert frame.url.startswith("chrome-error:")
    assert [one for one in complaints if re.search("frame-ancestors", one)]


async def test_without_scripts_the_link_waits_for_a_click_and_works_once(embedding: Embedding, strict: Browser) -> None:
    page = await (await strict.new_context(java_script_enabled=False)).new_page()
    frame = await embedding.open(page)
    await control(frame, "portal.continue").click()
    await expect(frame.locator("h1")).to_have_text("VML")
    await page.reload()
    again = page.frames[1]
    await control(again, "portal.continue").click()
    await expect(again.locator("h1")).to_have_text("Link no longer works")
