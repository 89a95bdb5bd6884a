"""Pivot's help page on integrations, walked click by click.

1. As owner or admin: Organization Admin > Integrations, which nobody else finds. "Add New Integration" (on an empty list: the first one).
2. Basic details: a name, and org-level None, Reader or Admin. "Next".
3. Space access: a role in each space that it shall reach. "Save": the integration is there, and its key is shown, this once.
4. The list: name, the key in a column of its own, access, last use. `•••` offers Edit Integration, Rotate API Key, Manage Space Access and
   Delete Integration; each holds at once, and what breaks is said before.
"""

import re
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from keyrack.model.permissions import OrgAccess, Rights, SpaceRole
from keyrack.model.spaces import Space
from tests.browser.films import ON_EVERY_SCREEN
from tests.browser.sites import PHONE, Browsing, Scene
from tests.browser.visitor import Visitor


async def space(scene: Scene, name: str = "Launch") -> Space:
    return await scene.site.rack.spaces.create(scene.workspace.id, name)


async def ask(scene: Scene, secret: str, path: str, **body: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=scene.site.url, headers={"Authorization": f"Bearer {secret}"}) as client:
        return await (client.post(f"/api/v1{path}", json=body) if body else client.get(f"/api/v1{path}"))


async def code(scene: Scene, secret: str, path: str = "/me") -> str | None:
    problem: str | None = (await ask(scene, secret, path)).json().get("code")
    return problem


async def without_scripts(scene: Scene, browsing: Browsing) -> Visitor:
    visitor = await browsing.window(scene.site, scripts=False)
    await visitor.page.goto(f"{scene.site.url}/console{await scene.link()}")
    await visitor.control("sign-in").click()
    return visitor


async def shown_secret(visitor: Visitor) -> str:
    await visitor.press("integrations.secret.copy")
    await expect(visitor.control("integrations.secret.copy")).to_have_text("Copied")
    copied: str = await visitor.page.evaluate("navigator.clipboard.readText()")
    return copied


@ON_EVERY_SCREEN
async def test_an_integration_is_added_in_three_steps(pivot: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    launch = await space(pivot)
    hidden = await space(pivot, "Board")
    ada = await browsing.sign_in(pivot, size=size, scheme=scheme)
    if size == PHONE:
        await ada.press("menu.open")
    await ada.sees("Organization Admin")
    await ada.press("nav.keys")
    await ada.sees("Integrations", "No integrations yet")
    await ada.press("integrations.create-first")
    await ada.fill("integrations.name", "Reporting")
    await ada.choose("integrations.org-access", "reader")
    await ada.press("integrations.next")
    await ada.sees("Space access of Reporting", "Launch", "Board")
    await ada.choose("integrations.role", "contributor", of="Launch")
    await ada.press("integrations.save")
    await ada.sees("Reporting", "Copy the API key", "This is the only time that it is shown")
    secret = await shown_secret(ada)
    assert secret.startswith("pivot_")
    await ada.press("integrations.curl.copy")
    assert secret in await ada.page.evaluate("navigator.clipboard.readText()")
    assert 200 == (await ask(pivot, secret, "/customers")).status_code
    assert "insufficient_permission" == (await ask(pivot, secret, "/customers", name="Aurora")).json()["code"]
    assert 201 == (await ask(pivot, secret, f"/spaces/{launch.id}/messages", body="Hello")).status_code
    assert "not_found" == await code(pivot, secret, f"/spaces/{hidden.id}/messages")
    await ada.press("integrations.done")
    await ada.sees("Reporting", secret[:10], "Reader", "1 space")
    assert secret not in await ada.page.content()


async def test_going_back_keeps_what_was_typed_and_a_mistake_is_told_beside_its_field(pivot: Scene, browsing: Browsing) -> None:
    await space(pivot)
    ada = await browsing.sign_in(pivot)
    await ada.open("/integrations")
    await ada.press("integrations.create")
    await ada.fill("integrations.name", "   ")
    await ada.choose("integrations.org-access", "admin")
    await ada.press("integrations.next")
    await expect(ada.control("integrations.name")).to_have_attribute("aria-invalid", "true")
    await ada.fill("integrations.name", "Automation")
    await ada.press("integrations.next")
    await ada.choose("integrations.role", "manager", of="Launch")
    await ada.press("integrations.back")
    await expect(ada.control("integrations.name")).to_have_value("Automation")
    await expect(ada.control("integrations.org-access").and_(ada.page.locator('[value="admin"]'))).to_be_checked()
    await ada.press("integrations.next")
    await expect(ada.control("integrations.role", of="Launch")).to_have_value("manager")
    await ada.press("trail")
    await ada.sees("No integrations yet")


async def test_the_wizard_works_without_scripts_over_several_pages_of_spaces(pivot: Scene, browsing: Browsing) -> None:
    spaces = [await space(pivot, f"Team {number:02}") for number in range(30)]
    ada = await without_scripts(pivot, browsing)
    page = ada.page
    await page.goto(f"{pivot.site.url}/console/integrations/new")
    await ada.fill("integrations.name", "Sync")
    await ada.control("integrations.next").click()
    await ada.control("integrations.role", of="Team 29").select_option("viewer")
    await ada.control("integrations.spaces.older").click()
    await ada.control("integrations.role", of="Team 00").select_option("contributor")
    await ada.control("integrations.spaces.newer").click()
    await expect(ada.control("integrations.role", of="Team 29")).to_have_value("viewer")
    await ada.sees("Roles are chosen in 2 spaces")
    await ada.fill("integrations.spaces.find", "Team 1")
    await ada.control("integrations.spaces.search").click()
    await ada.misses("Team 29", "Team 00")
    await ada.control("integrations.role", of="Team 11").select_option("manager")
    await ada.control("integrations.save").click()
    await ada.sees("Copy the API key")
    secret = await page.locator("#secret").inner_text()
    answers = [await code(pivot, secret, f"/spaces/{spaces[number].id}/messages") for number in (29, 0, 11, 12)]
    assert [None, None, None, "not_found"] == answers


async def test_an_integration_that_could_reach_nothing_is_warned_of_and_can_be_made_all_the_same(pivot: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pivot)
    await ada.open("/integrations/new")
    await ada.fill("integrations.name", "Later")
    await ada.press("integrations.next")
    await ada.sees("This organization has no spaces yet")
    await ada.press("integrations.save")
    await ada.sees("Later can reach nothing")
    await ada.press("integrations.save-anyway")
    await ada.sees("Copy the API key", "Later can reach nothing")
    await ada.press("integrations.see")
    await ada.sees("Later can reach nothing", "It has no role in a space")


async def test_name_and_access_are_edited_and_hold_at_once(pivot: Scene, browsing: Browsing) -> None:
    issued = await pivot.key("Reporting", Rights(OrgAccess.READER))
    ada = await browsing.sign_in(pivot)
    await ada.open("/integrations")
    await ada.press("integrations.more", of="Reporting")
    await ada.sees("Edit Integration", "Rotate API Key", "Manage Space Access", "Delete Integration")
    await ada.press("integrations.edit")
    await ada.fill("integrations.name", "Reports")
    await ada.choose("integrations.org-access", "none")
    await ada.press("integrations.edit.submit")
    await ada.sees("Reports is saved", "Reports can reach nothing", issued.key.prefix)
    assert "insufficient_permission" == await code(pivot, issued.secret.text, "/customers")
    assert "Reports" in (await ask(pivot, issued.secret.text, "/me")).text


async def test_rotating_says_what_breaks_and_the_old_key_is_refused_at_once(pivot: Scene, browsing: Browsing) -> None:
    issued = await pivot.key("Reporting", Rights(OrgAccess.READER))
    ada = await browsing.sign_in(pivot, size=PHONE)
    await ada.open("/integrations")
    await ada.press("integrations.more", of="Reporting")
    await ada.press("integrations.rotate")
    await ada.sees(f"Every connection that uses {issued.key.prefix}… breaks at once", "in the last hour")
    await ada.press("cancel")
    assert await code(pivot, issued.secret.text) is None
    await ada.press("integrations.more", of="Reporting")
    await ada.press("integrations.rotate")
    await ada.press("integrations.rotate.submit")
    successor = await shown_secret(ada)
    assert ["key_revoked", None] == [await code(pivot, secret) for secret in (issued.secret.text, successor)]
    await ada.press("integrations.done")
    await ada.sees("Reporting", successor[:10])
    await ada.misses(issued.key.prefix)


async def test_space_access_is_managed(pivot: Scene, browsing: Browsing) -> None:
    launch, board = await space(pivot), await space(pivot, "Board")
    issued = await pivot.key("Sync", Rights(spaces={launch.id: SpaceRole.VIEWER}))
    ada = await browsing.sign_in(pivot)
    await ada.open("/integrations")
    await ada.press("integrations.more", of="Sync")
    await ada.press("integrations.spaces")
    await expect(ada.control("integrations.role", of="Launch")).to_have_value("viewer")
    await ada.choose("integrations.role", "", of="Launch")
    await ada.choose("integrations.role", "contributor", of="Board")
    await ada.press("integrations.spaces.save")
    await ada.sees("The space access of Sync is saved", "Board\nContributor")
    assert "not_found" == await code(pivot, issued.secret.text, f"/spaces/{launch.id}/messages")
    assert await code(pivot, issued.secret.text, f"/spaces/{board.id}/messages") is None
    await ada.press("integrations.space")
    await ada.sees("Who is in this space", "Sync", "Contributor")


async def test_deleting_says_what_breaks_and_leaves_nothing_but_the_name_on_what_was_written(pivot: Scene, browsing: Browsing) -> None:
    launch = await space(pivot)
    issued = await pivot.key("Chatty", Rights(spaces={launch.id: SpaceRole.CONTRIBUTOR}))
    reader = await pivot.key("Reader", Rights(OrgAccess.ADMIN, spaces={launch.id: SpaceRole.VIEWER}))
    await ask(pivot, issued.secret.text, f"/spaces/{launch.id}/messages", body="Deployed")
    ada = await browsing.sign_in(pivot, scheme="dark")
    await ada.open("/integrations")
    await ada.press("integrations.more", of="Chatty")
    await ada.press("integrations.delete")
    await ada.sees("Delete Chatty?", f"Every connection that uses {issued.key.prefix}… breaks at once", "permanent", "under its name")
    await ada.press("integrations.delete.submit")
    await ada.sees("Chatty is deleted")
    assert "key_revoked" == await code(pivot, issued.secret.text)
    (message,) = (await ask(pivot, reader.secret.text, f"/spaces/{launch.id}/messages")).json()["data"]
    assert {"id": issued.integration.id, "name": "Chatty", "kind": "key"} == message["author"]
    events = (await ask(pivot, reader.secret.text, "/events?type=message.created")).json()["data"]
    assert ["Chatty"] == [event["actor"]["name"] for event in events]


async def test_the_list_is_searched_and_ordered(pivot: Scene, browsing: Browsing) -> None:
    for name in ("beta", "Alpha", "Gamma"):
        await pivot.key(name, Rights(OrgAccess.READER))
    ada = await browsing.sign_in(pivot)
    await ada.open("/integrations")
    names = ada.control("integrations.open")
    await expect(names).to_have_text(["Gamma", "Alpha", "beta"])
    by_name = ada.control("sort").filter(has_text="Name")
    for direction, ordered in (("ascending", ["Alpha", "beta", "Gamma"]), ("descending", ["Gamma", "beta", "Alpha"])):
        await by_name.click()
        await expect(names).to_have_text(ordered)
        await expect(ada.page.locator("th", has=by_name)).to_have_attribute("aria-sort", direction)
    await by_name.click()
    await ada.look()
    await ada.fill("integrations.search", "PH")
    await expect(names).to_have_text(["Alpha"])
    await ada.fill("integrations.search", "nothing")
    await ada.sees("No integration matches")
    await ada.press("integrations.clear")
    await ada.press("integrations.open", of="beta")
    await ada.sees("beta", "In the last hour", "0 calls")
    await ada.press("integrations.delete")
    await ada.press("cancel")
    await ada.press("integrations.rotate")
    await ada.press("cancel")
    await ada.press("integrations.spaces")
    await ada.press("cancel")
    await ada.press("integrations.edit")
    await ada.press("cancel")
    await ada.sees("beta", "In the last hour")


async def test_on_a_phone_the_order_is_chosen_and_stays_while_searching(pivot: Scene, browsing: Browsing) -> None:
    for name in ("beta", "Alpha", "Gamma"):
        await pivot.key(name, Rights(OrgAccess.READER))
    ada = await browsing.sign_in(pivot, size=PHONE)
    await ada.open("/integrations")
    await ada.choose("sort.choose", "-name")
    await expect(ada.control("integrations.open")).to_have_text(["Gamma", "beta", "Alpha"])
    await ada.fill("integrations.search", "a")
    await expect(ada.page).to_have_url(re.compile("search=a&sort=-name"))


async def test_without_scripts_the_list_is_searched_by_a_button(pivot: Scene, browsing: Browsing) -> None:
    for name in ("Alpha", "Beta"):
        await pivot.key(name, Rights(OrgAccess.READER))
    ada = await without_scripts(pivot, browsing)
    await ada.page.goto(f"{pivot.site.url}/console/integrations")
    await ada.fill("integrations.search", "alp")
    await ada.control("integrations.filter").click()
    await expect(ada.control("integrations.open")).to_have_text(["Alpha"])


async def test_a_brand_with_levels_and_modes_offers_them_too(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.open("/keys")
    await ada.press("tab.integrations")
    await ada.press("integrations.create")
    await ada.fill("integrations.name", "Zapier")
    await ada.choose("integrations.mode", "test")
    await ada.choose("keys.level", "read", of="Customers and their contacts")
    await ada.press("integrations.next")
    await ada.press("integrations.save")
    secret = await shown_secret(ada)
    assert secret.startswith("atrium_test_")
    assert await code(atrium, secret, "/customers") is None
    assert "insufficient_permission" == await code(atrium, secret, "/onboardings")
    await ada.press("integrations.see")
    await ada.sees("Customers\nRead", "Test")
    await ada.press("integrations.rotate")
    await ada.choose("integrations.rotate.mode", "live")
    await ada.press("integrations.rotate.submit")
    live = await shown_secret(ada)
    assert [None, None] == [await code(atrium, one) for one in (secret, live)]


@pytest.mark.parametrize("path", ["", "/new"])
async def test_who_is_no_admin_finds_no_integrations(pivot: Scene, browsing: Browsing, path: str) -> None:
    cy = await browsing.sign_in(pivot, "Cy")
    await expect(cy.page.get_by_role("navigation", name="Pages")).not_to_contain_text("Integrations")
    await cy.open(f"/integrations{path}", status=403)
    await cy.sees("org-level Admin")
