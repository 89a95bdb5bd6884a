"""Atrium's own pages, which signed-in members see: customers, onboardings, spaces and the activity feed."""

from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from atrium.samples import load
from keyrack import SpaceRole
from keyrack.manage.keys import Issued
from tests.browser.sites import DESKTOP, PHONE, Browsing, Scene

CUSTOMER = {"name": "Aurora Outfitters", "slug": "aurora", "domain": "aurora.com", "status": "onboarding"}
CONTACT = {"name": "Mira Chen", "email": "mira@aurora.com", "title": "Head of Ops", "is_primary": True}
ONBOARDING = {"phase": "before_getting_started", "state": "active", "target_launch_date": "2026-07-15T00:00:00Z"}


async def call(scene: Scene, key: Issued, method: str, path: str, body: Any = None) -> Any:
    async with httpx.AsyncClient(base_url=f"{scene.site.url}/api/v1", headers={"Authorization": f"Bearer {key.secret.text}"}) as client:
        answer = await client.request(method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def walk(scene: Scene) -> Issued:
    """Do what the quickstart's curl lines do, with a key of the name that it suggests."""
    key = await scene.key("local-dev")
    await call(scene, key, "GET", "/me")
    customer = await call(scene, key, "POST", "/customers", CUSTOMER)
    await call(scene, key, "POST", f"/customers/{customer['display_id']}/contacts", CONTACT)
    await call(scene, key, "POST", "/onboardings", ONBOARDING | {"customer_id": str(customer["display_id"])})
    return key


async def test_refreshing_the_customer_shows_what_the_quickstart_made(pivotal: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pivotal)
    await ada.visit("/customers/aurora", status=404)
    await ada.press("atrium.missing")
    await ada.sees("No customers yet")
    await walk(pivotal)
    await ada.visit("/customers/aurora")
    await ada.sees("Aurora Outfitters", "Onboarding", "aurora.com", "Mira Chen", "Primary", "Head of Ops · mira@aurora.com")
    beside = ada.page.locator("aside")
    await expect(beside).to_contain_text("Loyalty launch")
    await expect(beside).to_contain_text("Before getting started")
    await expect(beside).to_contain_text("Jul 15, 2026")
    await ada.visit("/customers/245")
    await ada.sees("Aurora Outfitters")


async def test_activity_has_an_entry_for_each_call_under_the_keys_name(pivotal: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pivotal)
    await ada.visit("/activity?changes_only=true")
    await walk(pivotal)
    # Nobody reloads: the feed is kept fresh.
    for what in ("created the customer Aurora Outfitters", "created the contact Mira Chen", "created the onboarding Loyalty launch"):
        await ada.sees(f"local-dev {what}")
    await ada.misses("/api/v1/me")
    await ada.press("atrium.activity.all")
    await ada.sees("local-dev read /api/v1/me")
    await ada.press("atrium.activity.customer")
    await ada.sees("Mira Chen")
    await ada.press("atrium.activity")
    await ada.press("atrium.activity.changes")
    await ada.misses("/api/v1/me")


async def test_long_feed_is_read_to_its_end_without_repeating(pivotal: Scene, browsing: Browsing) -> None:
    key = await pivotal.key("script")
    for number in range(45):
        await call(pivotal, key, "POST", "/customers", {"name": f"Customer {number:02}."})
    ada = await browsing.sign_in(pivotal)
    await ada.visit("/activity?changes_only=true")
    first = await ada.page.locator(".deeds li p:first-child").all_inner_texts()
    await ada.press("atrium.older")
    second = await ada.page.locator(".deeds li p:first-child").all_inner_texts()
    made = [one for one in first + second if "created the customer" in one]
    assert [f"script created the customer Customer {number:02}." for number in reversed(range(45))] == made
    await ada.press("atrium.activity.oldest")
    assert second[-1] == (await ada.page.locator(".deeds li p:first-child").all_inner_texts())[0]
    await ada.press("atrium.older")
    assert first[0] == (await ada.page.locator(".deeds li p:first-child").all_inner_texts())[-1]
    await ada.press("atrium.activity.newest")
    assert first == await ada.page.locator(".deeds li p:first-child").all_inner_texts()
    await ada.visit("/customers")
    await ada.press("atrium.older")
    await expect(ada.page.locator("tbody tr")).to_have_count(20)


async def test_customer_of_another_workspace_looks_missing(pivotal: Scene, browsing: Browsing) -> None:
    other = await pivotal.site.workspace()
    await walk(other)
    ada = await browsing.sign_in(pivotal)
    async with httpx.AsyncClient(base_url=pivotal.site.url, cookies={c["name"]: c["value"] for c in await ada.context.cookies()}) as client:
        theirs, nobodys = [(await client.get(f"/customers/{name}")) for name in ("aurora", "nobody")]
    assert (404, theirs.text) == (nobodys.status_code, nobodys.text)
    await ada.visit("/customers/aurora", status=404)
    await ada.sees("There is no such customer")


async def test_who_is_not_signed_in_is_led_to_the_sign_in(pivotal: Scene, browsing: Browsing) -> None:
    stranger = await browsing.window(pivotal.site)
    await stranger.page.goto(f"{pivotal.site.url}/customers/aurora")
    assert "/console/sign-in?next=/customers/aurora" in stranger.page.url


async def test_what_a_member_may_not_see_is_neither_offered_nor_shown(pivotal: Scene, browsing: Browsing) -> None:
    await walk(pivotal)
    cy = await browsing.sign_in(pivotal, "Cy")
    await cy.visit("/customers")
    await expect(cy.control("atrium.customers")).to_be_visible()
    for control in ("atrium.activity", "atrium.settings"):
        await expect(cy.control(control)).to_have_count(0)
    answer = await cy.page.goto(f"{pivotal.site.url}/activity")
    assert answer is not None
    assert 403 == answer.status


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
async def test_a_page_that_is_refused_says_so_in_the_colours_of_the_brand(
    pivotal: Scene, browsing: Browsing, size: tuple[int, int], scheme: str
) -> None:
    cy = await browsing.sign_in(pivotal, "Cy", size=size, scheme=scheme)
    await cy.visit("/activity", status=403)
    await cy.sees("Pivotal", "write in every category", "Owners and admins of your workspace can let you do more")
    ground = await cy.page.locator(".tile").evaluate("(tile) => getComputedStyle(tile).backgroundColor")
    assert "rgb(91, 70, 214)" == ground
    assert await cy.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await cy.press("refusal.home")
    assert cy.page.url == f"{pivotal.site.url}/customers"


async def test_lists_lead_from_one_thing_to_the_next(atrium: Scene, browsing: Browsing) -> None:
    await load(atrium.site.rack, atrium.workspace.id)
    ada = await browsing.sign_in(atrium)
    await ada.visit("/")
    await ada.press("atrium.customers.status")
    await ada.control("atrium.customers.status").get_by_text("Churned").click()
    await ada.sees("Saltmarsh Brewing")
    await ada.misses("Kestrel")
    await ada.press("atrium.customer")
    await ada.sees("Gareth Pugh", "Taproom pilot")
    await ada.press("atrium.trail")
    await ada.press("atrium.onboardings")
    await ada.control("atrium.onboardings.phase").get_by_text("Testing", exact=True).click()
    await ada.sees("Guest app rollout")
    await ada.press("atrium.onboarding.customer")
    await ada.sees("Tidewater Hotels", "Celeste Moreau", "Staff training")
    await ada.press("atrium.product")
    await ada.press("atrium.settings")
    await ada.press("atrium.settings.keys")
    assert ada.page.url.endswith("/console/keys")
    await ada.visit("/customers")
    await ada.press("atrium.console")
    assert ada.page.url.endswith("/console")


async def test_space_shows_at_once_what_a_program_writes_there(atrium: Scene, browsing: Browsing) -> None:
    space = await atrium.site.rack.spaces.create(atrium.workspace.id, "Launch")
    ada = await browsing.sign_in(atrium)
    await ada.visit("/spaces")
    await ada.press("atrium.space")
    key = await atrium.key("Robot")
    path = f"/spaces/{space.id}"
    await call(atrium, key, "POST", f"{path}/messages", {"body": "The shop is open."})
    await call(atrium, key, "POST", f"{path}/items", {"title": "Call Mira", "assignee_id": atrium.members["Ada"].id})
    await ada.sees("Robot", "The shop is open.", "Call Mira", "Ada Park")
    await ada.fill("atrium.message.body", "Well done!\nThank you.")
    await ada.press("atrium.message.post")
    await ada.sees("Well done!")
    await ada.press("atrium.item.tick")
    await ada.sees("Open again")
    said = await call(atrium, key, "GET", f"{path}/messages")
    written = [("Ada Park", "Well done!\nThank you."), ("Robot", "The shop is open.")]
    assert written == [(one["author"]["name"], one["body"]) for one in said["data"]]
    assert ["done"] == [one["state"] for one in (await call(atrium, key, "GET", f"{path}/items"))["data"]]


async def test_who_may_only_read_a_space_is_offered_no_form(atrium: Scene, browsing: Browsing) -> None:
    rack, workspace_id = atrium.site.rack, atrium.workspace.id
    seen, unseen = [await rack.spaces.create(workspace_id, name) for name in ("Launch", "Salaries")]
    await rack.spaces.set_role(workspace_id, seen.id, atrium.members["Cy"].id, SpaceRole.VIEWER)
    cy = await browsing.sign_in(atrium, "Cy")
    await cy.visit("/spaces")
    await cy.misses("Salaries")
    await cy.press("atrium.space")
    await cy.sees("Nobody has said anything")
    await expect(cy.control("atrium.message.body")).to_have_count(0)
    answer = await cy.page.goto(f"{atrium.site.url}/spaces/{unseen.id}")
    assert answer is not None
    assert 404 == answer.status


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (PHONE, "dark"), ((1280, 860), "dark")])
async def test_pages_suit_phones_and_the_dark(pivotal: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    await walk(pivotal)
    ada = await browsing.sign_in(pivotal, size=size, scheme=scheme)
    for path in ("/customers", "/customers/aurora", "/onboardings", "/spaces", "/activity"):
        await ada.visit(path)
        assert await ada.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


async def test_pages_are_read_without_scripts(pivotal: Scene, browsing: Browsing) -> None:
    await walk(pivotal)
    ada = await browsing.window(pivotal.site, scripts=False)
    await ada.page.goto(f"{pivotal.site.url}/console{await pivotal.link()}")
    await ada.control("sign-in").click()
    await ada.page.goto(f"{pivotal.site.url}/customers")
    await ada.control("atrium.skip").focus()
    await ada.control("atrium.customer").click()
    await expect(ada.page.locator("main")).to_contain_text("Mira Chen")
    await expect(ada.page.locator("aside")).to_contain_text("15 Jul 2026")
    await ada.control("atrium.activity").click()
    await expect(ada.page.locator("main")).to_contain_text("created the customer Aurora Outfitters")
