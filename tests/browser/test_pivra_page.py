"""Pivra's help page "API keys", done from its first sentence to its last. Its curl lines are sent in `tests/pages/test_pivra.py`."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.films import ON_EVERY_SCREEN, Film
from tests.browser.sites import Browsing, Scene, Sites

SECRET = re.compile("pivra_sk_[0-9A-Za-z]{36}")


@pytest.fixture
async def pivra(sites: Sites) -> Scene:
    """A workspace of the test's own, in Atrium as Pivra."""
    return await (await sites.of("pivra")).workspace()


@ON_EVERY_SCREEN
async def test_every_sentence_comes_true(pivra: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    film = await Film.begin(pivra, browsing, size, scheme)
    secret = await _create(film)
    # "Create the new key first, update your integration, then revoke the old one to avoid downtime."
    successor = await _another(film)
    await _revoke(film, secret, successor)
    await _starter_and_above(film)


async def _create(film: Film) -> str:
    # "Go to Settings → Security. Scroll to the API Keys section."
    await film.find("nav-group", "nav.keys")
    await film.see("Settings", "Security")
    await expect(film.visitor.page.get_by_role("heading", name="API Keys", exact=True)).to_be_visible()
    await film.fits()
    # "Enter a label (e.g. "Zapier integration", "CRM sync", "Internal dashboard"). Click Create."
    await expect(film.visitor.page.get_by_label("Label", exact=True)).to_be_visible()
    await film.write("keys.create.name", "Zapier integration")
    await film.reads("keys.create.submit", "Create")
    await film.click("keys.create.submit")
    # "Copy the key immediately — it is shown only once and cannot be retrieved again."
    await film.see("This is the only time that it is shown")
    await film.fits()
    secret = await film.copied("keys.secret.copy")
    assert SECRET.fullmatch(secret)
    await film.click("keys.done")
    await film.see("Zapier integration", secret[:13])
    assert secret not in await film.visitor.page.content()
    assert 200 == (await film.call(secret, "GET", "/me")).status_code
    return secret


async def _another(film: Film) -> str:
    await film.write("keys.create.name", "CRM sync")
    await film.click("keys.create.submit")
    secret = await film.copied("keys.secret.copy")
    await film.click("keys.done")
    return secret


async def _revoke(film: Film, secret: str, successor: str) -> None:
    # "Go to Settings → Security → API Keys. Find the key by its label. Click Revoke."
    await film.reads("keys.end", "Revoke Zapier integration", of="Zapier integration")
    await film.click("keys.end", of="Zapier integration")
    # "Any integration using that key will fail until you replace it with a new one."
    await film.see("Any integration using", "stops working at once", "Disable instead")
    await film.fits()
    # "Confirm — the key stops working immediately."
    await film.click("keys.end.submit")
    await film.see("Zapier integration has ended")
    refused = await film.call(secret, "GET", "/me")
    assert (401, "key_revoked") == (refused.status_code, refused.json()["code"])
    assert 200 == (await film.call(successor, "GET", "/me")).status_code
    # "Restrict to your server IP where possible."
    await film.click("keys.more", of="CRM sync")
    await film.click("keys.edit")
    await film.write("keys.ip-ranges", "203.0.113.0/24")
    await film.fits()
    await film.click("keys.edit.submit")
    await film.see("Your own address, 127.0.0.1, is in none of its ranges")
    assert "address_not_allowed" == (await film.call(successor, "GET", "/me")).json()["code"]


async def _starter_and_above(film: Film) -> None:
    # "Available on: Starter plan and above."
    scene = film.scene
    await scene.site.rack.workspaces.set_plan(scene.workspace.id, "free")
    await film.find("nav.keys")
    await film.see("The plan Free does not include the API. It is available on Starter and above.")
    await film.reads("plan.ask", "support@pivra.ai")
    await expect(film.visitor.control("keys.create.submit")).to_have_count(0)
    await film.fits()
    await scene.site.rack.workspaces.set_plan(scene.workspace.id, "pro")
    await film.find("nav.keys")
    await expect(film.visitor.control("keys.create.submit")).to_have_count(1)
