"""The pages of spaces, click by click: made, renamed, people and integrations let in, their roles changed and taken, and deleted."""

from playwright.async_api import expect

from keyrack.model.permissions import OrgAccess, Rights
from tests.browser.sites import PHONE, Browsing, Scene


async def test_a_space_is_made_and_people_and_integrations_get_roles_in_it(pivot: Scene, browsing: Browsing) -> None:
    await pivot.key("Sync", Rights(OrgAccess.READER))
    ada = await browsing.sign_in(pivot)
    await ada.press("nav.spaces")
    await ada.press("spaces.create-first")
    await ada.fill("spaces.name", "Launch")
    await ada.press("spaces.create.submit")
    await ada.sees("Launch was made", "Ada Park", "Manager")
    await ada.press("spaces.add")
    await ada.fill("spaces.add.search", "sync")
    await expect(ada.control("spaces.add.holder").locator("option")).to_have_text(
        ["Choose a person or an integration", "Sync (integration)"]
    )
    await ada.control("spaces.add.holder").select_option(label="Sync (integration)")
    await ada.choose("spaces.add.role", "contributor")
    await ada.press("spaces.add.submit")
    await ada.sees("Sync is contributor here from now on", "Ada Park")
    await ada.choose("spaces.kind", "integration")
    await ada.misses("Ada Park Person")
    await ada.press("spaces.role", of="Sync")
    await ada.choose("spaces.role.choose", "viewer")
    await ada.press("spaces.role.submit")
    await ada.sees("Sync is viewer here from now on")
    await ada.press("spaces.integration")
    await ada.sees("Launch\nViewer")


async def test_a_role_is_taken_and_a_space_is_renamed_and_deleted(pivot: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pivot, size=PHONE, scheme="dark")
    for name in ("Launch", "Board"):
        await ada.open("/spaces/new")
        await ada.fill("spaces.name", name)
        await ada.press("spaces.create.submit")
    await ada.press("spaces.role", of="Ada Park")
    await ada.press("spaces.role.remove")
    await ada.sees("Ada Park is no longer in this space", "Nobody is in this space")
    await ada.press("spaces.edit")
    await ada.fill("spaces.name", "Board of directors")
    await ada.press("spaces.edit.submit")
    await ada.sees("The space is called Board of directors now")
    await ada.press("trail")
    await ada.press("spaces.create")
    await ada.press("cancel")
    await ada.fill("spaces.search", "nothing")
    await ada.sees("No space matches")
    await ada.press("spaces.clear")
    await ada.press("spaces.open", of="Board")
    await ada.choose("spaces.kind", "member")
    await ada.sees("Nobody of this kind")
    await ada.press("spaces.holders.clear")
    await ada.press("spaces.delete")
    await ada.sees("Everybody loses their role in it at once")
    await ada.press("spaces.delete.submit")
    await ada.sees("Board of directors is deleted", "Launch")


async def test_without_scripts_lists_are_filtered_by_a_button(pivot: Scene, browsing: Browsing) -> None:
    for name in ("Launch", "Board"):
        await pivot.site.rack.spaces.create(pivot.workspace.id, name)
    ada = await browsing.window(pivot.site, scripts=False)
    await ada.page.goto(f"{pivot.site.url}/console{await pivot.link()}")
    await ada.control("sign-in").click()
    await ada.control("nav.spaces").click()
    await ada.fill("spaces.search", "laun")
    await ada.control("spaces.filter").click()
    await expect(ada.control("spaces.open")).to_have_text(["Launch"])
    await ada.control("spaces.open").click()
    await ada.control("spaces.kind").select_option("integration")
    await ada.control("spaces.holders.filter").click()
    await ada.sees("Nobody of this kind")
    await ada.control("spaces.add").click()
    await ada.fill("spaces.add.search", "Bo Park")
    await ada.control("spaces.add.filter").click()
    await expect(ada.control("spaces.add.holder").locator("option")).to_have_count(2)
