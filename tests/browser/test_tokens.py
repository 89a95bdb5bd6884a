"""Personal preferences and Access, every page and control of them."""

from tests.browser.films import ON_EVERY_SCREEN
from tests.browser.sites import Browsing, Scene
from tests.browser.visitor import Visitor

NORTHWIND = "Northwind"


async def furnished(atrium: Scene) -> None:
    """Let everybody use the API; Cy works for a partner."""
    for name in atrium.members:
        partner = NORTHWIND if name == "Cy" else None
        await atrium.site.rack.members.edit(atrium.workspace.id, atrium.members[name].id, may_use_api=True, partner=partner)


async def generated(visitor: Visitor) -> None:
    """Generate a default token, and come back to the list."""
    await visitor.open("/preferences/api")
    await visitor.press("tokens.generate")
    await visitor.press("tokens.generate.submit")
    await visitor.look()
    await visitor.press("tokens.done")


@ON_EVERY_SCREEN
async def test_a_member_looks_after_their_tokens(atrium: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    await furnished(atrium)
    cy = await browsing.sign_in(atrium, "Cy", size=size, scheme=scheme)
    await generated(cy)
    await cy.press("tokens.new")
    await cy.fill("tokens.name", "Zapier")
    await cy.fill("tokens.expires", "2099-01-01")
    await cy.page.locator('[name="level.customers"][value="read"]').check()
    await cy.press("tokens.create.submit")
    await cy.sees("365 days at most")
    await cy.look()
    await cy.open("/preferences/api/new")
    await cy.fill("tokens.name", "Zapier")
    await cy.page.locator('[name="level.customers"][value="read"]').check()
    await cy.press("tokens.create.submit")
    await cy.sees("Copy your new token")
    await cy.look()
    await cy.press("tokens.secret.copy")
    await cy.press("tokens.curl.copy")
    await cy.press("tokens.done")
    await cy.press("tokens.generate")
    await cy.control("tokens.end-named").uncheck()
    await cy.press("tokens.generate.submit")
    await cy.press("tokens.done")
    await cy.press("tokens.revoke", of="Zapier")
    await cy.press("tokens.revoke.submit")
    await cy.sees("Zapier has ended")
    await cy.open("/preferences/access")
    await cy.press("access.revoke-mine")
    await cy.press("tokens.revoke.submit")
    await cy.sees("You hold no tokens")
    await generated(cy)
    await cy.open("/preferences/access")
    await cy.press("access.end-mine")
    await cy.press("access.end-mine.submit")
    await cy.sees("1 token has ended")


@ON_EVERY_SCREEN
async def test_an_admin_ends_what_others_hold(atrium: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    await furnished(atrium)
    key = await atrium.key("Northwind sync")
    for name in ("Bo", "Cy"):
        await generated(await browsing.sign_in(atrium, name))
    ada = await browsing.sign_in(atrium, size=size, scheme=scheme)
    await ada.open(f"/integrations/{key.key.integration_id}/edit")
    await ada.fill("integrations.partner", NORTHWIND)
    await ada.press("integrations.edit.submit")
    await ada.open("/access")
    await ada.press("access.more", of="Bo Park")
    await ada.press("access.revoke")
    await ada.press("tokens.revoke.submit")
    await ada.sees("of Bo Park has ended")
    await ada.choose("access.state", "ended")
    await ada.sees("Bo Park")
    await ada.open("/access")
    await ada.choose("access.who", "former")
    await ada.sees("Nothing matches")
    await ada.press("access.clear")
    await ada.choose("access.partner", NORTHWIND)
    await ada.sees("Cy Park")
    await ada.press("access.revoke-partner")
    await ada.sees("1 personal token of 1 member", "1 key of Northwind sync")
    await ada.control("access.for-good").uncheck()
    await ada.press("access.revoke.submit")
    await ada.sees("Nothing that Northwind holds is accepted any more", "Nothing calls in anybody’s name")


async def test_keys_that_somebody_knows_are_looked_at_before_they_are_locked_out(atrium: Scene, browsing: Browsing) -> None:
    await furnished(atrium)
    bo = await browsing.sign_in(atrium, "Bo")
    await generated(bo)
    await bo.open("/keys/new")
    await bo.fill("keys.create.name", "made by Bo")
    await bo.press("keys.create.submit")
    ada = await browsing.sign_in(atrium)
    await ada.open("/access?search=bo+park")
    await ada.press("access.more", of="Bo Park")
    await ada.press("access.revoke-person")
    await ada.press("access.revoke.keys")
    await ada.sees("made by Bo")
    await ada.open("/access?search=bo+park")
    await ada.press("access.more", of="Bo Park")
    await ada.press("access.logs")
    await ada.open("/members")
    await ada.press("members.more", of="Cy Park")
    await ada.press("members.edit")
    await ada.fill("members.partner", "Southwind")
    await ada.fill("members.access-until", "2099-05-01")
    await ada.press("members.edit.submit")
    await ada.sees("Southwind", "access until")


async def test_lists_are_filtered_without_javascript(atrium: Scene, browsing: Browsing) -> None:
    await furnished(atrium)
    await generated(await browsing.sign_in(atrium, "Cy"))
    ada = await browsing.window(atrium.site, scripts=False)
    await ada.page.goto(f"{atrium.site.url}/console{await atrium.link()}")
    await ada.control("sign-in").click()
    await ada.page.goto(f"{atrium.site.url}/console/access")
    await ada.fill("access.search", "nobody")
    await ada.control("access.filter").click()
    await ada.page.get_by_text("Nothing matches").wait_for()
