"""Members, invitations, one's own preferences and the workspace's settings, click by click."""

import pytest
from playwright.async_api import expect

from keyrack.manage import keys, members, sessions, workspaces
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.permissions import OrgAccess
from tests.browser.sites import PHONE, Browsing, Scene
from tests.browser.test_sign_in import PASSWORD, reset_link
from tests.browser.visitor import Visitor


async def present(scene: Scene, name: str) -> Member:
    """Return a member as they are now."""
    return await members.get(scene.site.desk, scene.operator, scene.members[name].id)


async def copied(visitor: Visitor, control: str) -> str:
    """Copy a link that is shown once, and return its path below the console."""
    await visitor.press(control)
    text: str = await visitor.page.evaluate("navigator.clipboard.readText()")
    return text.partition("/console")[2]


async def test_somebody_is_invited_into_spaces(atrium: Scene, browsing: Browsing) -> None:
    for name in ("Launch", "Board"):
        await atrium.site.rack.spaces.create(atrium.workspace.id, name)
    email = f"dee-{atrium.workspace.slug}@acme.example"
    ada = await browsing.sign_in(atrium)
    await ada.open("/invitations/new")
    await ada.fill("invitations.email", email)
    await ada.press("invitations.spaces")
    await ada.sees(f"Spaces of {email}", "Launch", "Board")
    await ada.choose("integrations.role", "contributor", of="Launch")
    await ada.press("invitations.back")
    await expect(ada.control("invitations.email")).to_have_value(email)
    await ada.sees("They get a role in 1 space")
    await ada.press("invitations.spaces")
    await expect(ada.control("integrations.role", of="Launch")).to_have_value("contributor")
    await ada.press("invitations.submit")
    link = await copied(ada, "invitations.link.copy")
    await ada.open("/invitations")
    await ada.sees("Reader, 1 space")
    dee = await browsing.window(atrium.site, size=PHONE)
    await dee.open(link)
    await dee.sees("as member, with a role in 1 space")
    await dee.fill("invitation.name", "Dee Park")
    await dee.fill("invitation.password", PASSWORD)
    await dee.press("invitation.accept")
    await dee.open("/spaces")
    await dee.sees("Launch")
    await dee.misses("Board")


async def test_somebody_is_invited_with_a_link_that_is_copied_renewed_and_taken_back(atrium: Scene, browsing: Browsing) -> None:
    ada, email = await browsing.sign_in(atrium), f"dee-{atrium.workspace.id}@acme.example"
    await ada.press("nav.members")
    await ada.press("tab.invitations")
    await ada.press("invitations.first")
    await ada.fill("invitations.email", email)
    await ada.choose("invitations.role", "admin")
    await ada.press("invitations.submit")
    await ada.sees(f"Hand this link to {email}", "No mail goes out from here")
    first = await copied(ada, "invitations.link.copy")
    await ada.press("invitations.link.done")
    await ada.press("invitations.new")
    await ada.fill("invitations.email", email)
    await ada.press("invitations.submit")
    await expect(ada.control("invitations.email")).to_have_attribute("aria-invalid", "true")
    await ada.press("cancel")
    await ada.press("tab.invitations")
    await ada.press("invitations.more", of=email)
    await ada.press("invitations.renew")
    second = await copied(ada, "invitations.link.copy")
    dee = await browsing.window(atrium.site)
    await dee.open(first, status=410)
    await dee.open(second)
    await ada.press("invitations.link.done")
    await ada.press("invitations.more", of=email)
    await ada.press("invitations.revoke")
    await ada.press("invitations.revoke.submit")
    await dee.open(second, status=410)
    await ada.choose("invitations.state", "over")
    await ada.sees(email, "Taken back")


async def test_a_member_is_found_narrowed_and_given_another_role(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.open("/members")
    rows = ada.page.locator("tbody tr")
    await ada.fill("members.search", "cy park")
    await expect(rows).to_have_count(1)
    await ada.press("members.more", of="Cy Park")
    await ada.press("members.edit")
    await ada.choose("members.org-access", "none")
    await ada.choose("keys.level", "read", of="Customers and their contacts")
    await ada.control("members.may-use-api").check()
    await ada.press("members.edit.submit")
    await ada.sees("What Cy Park may do is changed", "1 category")
    cy = await present(atrium, "Cy")
    assert (OrgAccess.NONE, True) == (cy.rights.org_access, cy.may_use_api)
    await ada.press("members.more", of="Cy Park")
    await ada.press("members.role")
    await ada.choose("members.role.choose", "admin")
    await ada.press("members.role.submit")
    await ada.sees("Cy Park is admin now")
    await ada.choose("members.role-filter", "member")
    await ada.sees("Nobody matches")
    await ada.press("members.clear")
    await ada.choose("members.status", "active")
    await expect(rows).to_have_count(3)
    await ada.press("members.invite")


async def test_a_member_is_deactivated_activated_and_removed(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium, size=PHONE, scheme="dark")
    await ada.open("/members")
    await ada.press("members.more", of="Cy Park")
    await ada.press("members.deactivate")
    await ada.press("members.deactivate.submit")
    await ada.sees("Cy Park is deactivated")
    await ada.press("members.more", of="Cy Park")
    await ada.press("members.activate")
    await ada.sees("Cy Park is active again")
    await ada.press("members.more", of="Cy Park")
    await ada.press("members.remove")
    await ada.press("members.remove.submit")
    await ada.sees("Cy Park is no longer a member")


async def test_keys_of_who_is_to_be_removed_are_looked_at_first(atrium: Scene, browsing: Browsing) -> None:
    bo = await sessions.sign_in_link(atrium.site.desk, atrium.members["Bo"].person_id, atrium.workspace.id)
    maker = await sessions.find(atrium.site.desk, (await sessions.redeem(atrium.site.desk, bo.text)).secret.text)
    assert maker is not None
    await keys.create(atrium.site.desk, maker, name="Zapier")
    await atrium.key("prod-server")
    ada = await browsing.sign_in(atrium)
    await ada.open("/members")
    await ada.press("members.more", of="Bo Park")
    await ada.press("members.remove")
    await ada.sees("1 key that they made or were shown keeps working, and they may have a copy of it")
    await ada.press("members.remove.keys")
    await ada.sees("Zapier", "Made by Bo Park")
    await ada.misses("prod-server")
    await ada.choose("keys.maker", "")
    await ada.sees("prod-server")


async def test_a_link_for_a_new_password_is_handed_over(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.open("/members")
    await ada.press("members.more", of="Cy Park")
    await ada.press("members.password")
    await ada.press("members.password.submit")
    link = await copied(ada, "members.password.copy")
    await ada.press("members.password.done")
    cy = await browsing.window(atrium.site)
    await cy.open(link)
    await cy.sees("Choose a new password")


async def test_the_last_owner_is_told_why_they_stay_and_hands_over_then(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.open("/members")
    await ada.press("members.leave")
    await ada.press("leave.submit")
    await expect(ada.page.locator("section").get_by_role("alert")).to_contain_text("This is the last owner")
    await ada.open("/members")
    await ada.press("members.more", of="Bo Park")
    await ada.press("members.transfer")
    await ada.press("members.transfer.submit")
    await ada.sees("Bo Park is the owner now")
    assert [Role.ADMIN, Role.OWNER] == [(await present(atrium, name)).role for name in ("Ada", "Bo")]
    await ada.press("preferences")
    await ada.press("preferences.leave")
    await ada.press("leave.submit")
    await ada.sees("You have left VML")


async def test_a_plain_member_is_told_who_can_help(atrium: Scene, browsing: Browsing) -> None:
    cy = await browsing.sign_in(atrium, "Cy", size=PHONE)
    assert not await cy.control("nav.members").count()
    await cy.open("/members", status=403)
    await cy.sees("These people can help", "Ada Park", "Bo Park")
    await cy.misses("Cy Park can")


async def test_somebody_sets_their_name_their_password_and_ends_their_other_sign_ins(atrium: Scene, browsing: Browsing) -> None:
    cy, other = await browsing.sign_in(atrium, "Cy"), await browsing.sign_in(atrium, "Cy")
    await cy.press("preferences")
    await cy.fill("preferences.name", "Cyrus Park")
    await cy.press("preferences.name.submit")
    await cy.sees("Your name is changed", "Cyrus Park")
    await cy.press("preferences.end-others")
    await cy.sees("1 other sign-in has ended")
    await other.open("/keys", status=401)
    for current, new in (("", PASSWORD), (PASSWORD, "four green herons")):
        if current:
            await cy.fill("preferences.current", current)
        await cy.fill("preferences.password", new)
        await cy.press("preferences.password.submit")
        await cy.sees("Your password is changed")
    await cy.press("preferences.end-all")
    await cy.sees("You are signed out everywhere")


async def test_somebody_goes_from_one_workspace_to_another(atrium: Scene, browsing: Browsing) -> None:
    rack = atrium.site.rack
    made = await rack.workspaces.create("Neighbour", slug=f"neighbour-{atrium.workspace.slug}")
    await rack.members.add(made.id, email=atrium.members["Ada"].email, name="Ada Park")
    ada = await browsing.sign_in(atrium)
    await ada.press("workspaces")
    await ada.press("workspaces.close")
    await ada.press("workspaces")
    await ada.press("workspaces.switch")
    await expect(ada.page.locator("h1")).to_have_text("Neighbour")


async def test_a_workspace_is_renamed_and_shows_secrets_again_after_a_proof(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.press("nav.settings")
    await ada.fill("settings.name", "Aurora")
    await ada.press("settings.name.submit")
    await ada.sees("It is called Aurora now")
    await ada.press("settings.api")
    await ada.press("cancel")
    await ada.press("settings.revealing")
    await ada.press("proof.choose")
    await ada.sees("Personal preferences")
    await ada.open(await reset_link(atrium, "Ada"))
    await ada.fill("new-password.password", PASSWORD)
    await ada.press("new-password.submit")
    asked = await browsing.sign_in(atrium)
    await asked.open("/settings/revealing")
    await asked.fill("proof.password", "wrong")
    await asked.press("settings.revealing.submit")
    await expect(asked.control("proof.password")).to_have_attribute("aria-invalid", "true")
    await asked.fill("proof.password", PASSWORD)
    await asked.press("settings.revealing.submit")
    await asked.sees("shown again to admins who ask")
    assert (await workspaces.get(atrium.site.desk, atrium.operator)).revealing


@pytest.mark.parametrize("path", ["/members", "/invitations", "/invitations/new", "/preferences", "/settings", "/settings/revealing"])
async def test_every_page_of_people_is_sound_and_fits_a_phone(atrium: Scene, browsing: Browsing, path: str) -> None:
    ada = await browsing.sign_in(atrium, size=PHONE, scheme="dark")
    await ada.open(path)
    assert await ada.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_people_are_looked_after_without_scripts(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.window(atrium.site, scripts=False)
    page, at = ada.page, f"{atrium.site.url}/console"
    await page.goto(at + await atrium.link())
    await ada.control("sign-in").click()
    await ada.control("nav.members").click()
    await ada.fill("members.search", "Cy Park")
    await ada.control("members.filter").click()
    await ada.control("members.more").click()
    await ada.control("members.deactivate").click()
    await ada.control("members.deactivate.submit").click()
    await expect(page.locator("body")).to_contain_text("Cy Park is deactivated")
    assert MemberStatus.INACTIVE is (await present(atrium, "Cy")).status
    await page.goto(f"{at}/invitations")
    await ada.choose("invitations.state", "over")
    await ada.control("invitations.filter").click()
    await expect(page.locator("body")).to_contain_text("Invitations come here")
    await ada.control("workspaces").click()
    await expect(page.locator("h1")).to_have_text("Your workspaces")
