"""Pivotal's quickstart, done from its first sentence to its last: from an empty workspace to what is visible in the product."""

import re

from playwright.async_api import expect

from tests.browser.films import ON_EVERY_SCREEN, Film
from tests.browser.sites import Browsing, Scene
from tests.browser.test_atrium import CONTACT, CUSTOMER, ONBOARDING


@ON_EVERY_SCREEN
async def test_every_sentence_comes_true(pivotal: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    film = await Film.begin(pivotal, browsing, size, scheme)
    key = await _create_a_key(film, "local-dev", "live")
    assert re.fullmatch("pivotal_[0-9A-Za-z]+", key)
    test_key = await _create_a_key(film, "ci", "test")
    assert test_key.startswith("pivotal_test_")
    await film.fits()
    # "Confirm the key works. Hit /me. It echoes the key's identity and the workspace it belongs to."
    me = (await film.call(key, "GET", "/me")).json()
    assert ("api_key_identity", "local-dev", "live") == (me["object"], me["key_name"], me["mode"])
    assert (pivotal.workspace.id, pivotal.workspace.slug) == (me["org_id"], me["org_slug"])
    assert key.startswith(me["key_prefix"])
    await _create_what_the_page_creates(film, key)
    await _see_it(film)
    await _swap_the_key(film, key)


async def _create_a_key(film: Film, name: str, mode: str) -> str:
    # "Open Admin > API Keys inside your workspace and click Create key."
    await film.find("nav-group", "nav.keys")
    await film.see("Admin", "API Keys")
    create = "keys.create" if await film.visitor.control("keys.create").count() else "keys.create-first"
    await film.reads(create, "Create key")
    await film.click(create)
    # "Pick a name (local-dev, prod-server, ci) and the environment."
    await film.write("keys.create.name", name)
    await film.see("Environment", "Live", "Test")
    await film.choose("keys.create.mode", mode)
    await film.fits()
    await film.click("keys.create.submit")
    # "Copy the key once": "the cleartext is shown exactly once at create time", and "Pivotal stores only a hash".
    await film.see("This is the only time that it is shown", "keeps only a hash")
    secret = await film.copied("keys.secret.copy")
    await film.click("keys.done")
    await film.see(name, secret[:12])
    assert secret not in await film.visitor.page.content()
    return secret


async def _create_what_the_page_creates(film: Film, key: str) -> None:
    # "Create a customer": "slug is the URL-safe handle. Pivotal also returns a display_id."
    customer = (await film.call(key, "POST", "/customers", CUSTOMER)).json()
    assert ("customer", 245, "aurora") == tuple(customer[name] for name in ("object", "display_id", "slug"))
    # "Attach a primary contact": "the 245 is the customer's display_id; the customer's cuid works just as well."
    for name in ("245", customer["id"]):
        found = await film.call(key, "GET", f"/customers/{name}/contacts")
        assert (200, []) == (found.status_code, found.json()["data"])
    assert 201 == (await film.call(key, "POST", "/customers/245/contacts", CONTACT)).status_code
    # "Open an onboarding".
    assert 201 == (await film.call(key, "POST", "/onboardings", ONBOARDING | {"customer_id": "245"})).status_code


async def _see_it(film: Film) -> None:
    # "Refresh /customers/aurora in the Pivotal UI. You should see Mira on the customer card and the loyalty launch onboarding in the
    # sidebar."
    page = film.visitor.page
    await film.find("home")
    await page.goto(f"{film.scene.site.url}/customers/aurora")
    await film.see("Aurora Outfitters", "Mira Chen")
    await expect(page.locator("aside")).to_contain_text("Loyalty launch")
    await film.fits()
    # "The activity feed will show an entry for each API call — the calling key's name is the actor."
    await page.goto(f"{film.scene.site.url}/activity")
    for deed in ("created the customer Aurora Outfitters", "created the contact Mira Chen", "created the onboarding Loyalty launch"):
        await film.see(f"local-dev {deed}")
    await film.see("local-dev read /api/v1/me")
    await page.goto(f"{film.scene.site.url}/console/keys")


async def _swap_the_key(film: Film, key: str) -> None:
    # "Rotate by creating a new key, swapping it in your services, then revoking the old one — there is no downtime."
    successor = await _create_a_key(film, "prod-server", "live")
    assert [200, 200] == [(await film.call(one, "GET", "/me")).status_code for one in (key, successor)]
    await film.reads("keys.end", "Revoke local-dev", of="local-dev")
    await film.click("keys.end", of="local-dev")
    await film.see("Revoke local-dev?", "permanent")
    await film.click("keys.end.submit")
    await film.see("local-dev has ended")
    # "If you get a 401, double-check the header format."
    refused = await film.call(key, "GET", "/me")
    assert (401, "key_revoked") == (refused.status_code, refused.json()["code"])
    assert 200 == (await film.call(successor, "GET", "/me")).status_code
