"""The page of usage, where people look for it."""

import pytest

from atrium.spaces.meters import MESSAGES
from tests.browser.sites import DESKTOP, PHONE, Browsing, Scene


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
async def test_its_page_is_sound_and_shows_what_was_used(atrium: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    await atrium.site.rack.count(MESSAGES, 900_000, workspace_id=atrium.workspace.id)
    await atrium.site.rack.count(MESSAGES, 1_000_000, workspace_id=atrium.workspace.id, mode="test")
    ada = await browsing.sign_in(atrium, size=size, scheme=scheme)
    await ada.open("/usage")
    await ada.sees("900,000 of 1,000,000 messages", "Used up", "1,000 calls in a second, 5,000 at once")
    assert await ada.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_it_is_found_in_the_sidebar_and_from_the_plan(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.press("nav.usage")
    await ada.sees("0 of 1,000,000 messages")
    await ada.open("/settings")
    await ada.press("settings.usage")
    await ada.sees("Rate limits")
    cy = await browsing.sign_in(atrium, "Cy")
    await cy.press("nav.usage")
    await cy.sees("0 of 1,000,000 messages")
