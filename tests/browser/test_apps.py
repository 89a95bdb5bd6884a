"""Developer's corner, the page on which an app is let in, and the list of those that were: every page and control of them."""

import re
from urllib.parse import urlencode

from keyrack.manage import keys, sessions
from keyrack.model.permissions import Level, Rights
from tests.browser.films import ON_EVERY_SCREEN
from tests.browser.sites import Browsing, Scene
from tests.browser.visitor import Visitor

CHALLENGE = "c" * 43


def asking(client_id: str, base_url: str) -> str:
    """The address to which an app leads a member's browser."""
    asked = {"response_type": "code", "client_id": client_id, "redirect_uri": f"{base_url}/healthz", "code_challenge": CHALLENGE}
    return f"/authorize?{urlencode({**asked, 'code_challenge_method': 'S256', 'state': 'xyz'})}"


async def registered(ada: Visitor) -> str:
    """Register an app as an admin does, and return its client id."""
    await ada.open("/apps")
    await ada.press("apps.metadata.copy")
    await ada.press("apps.new")
    await ada.look()
    await ada.fill("apps.name", "Deal mirror")
    await ada.fill("apps.redirect-uris", "http://127.0.0.1/healthz")
    await ada.fill("apps.homepage", "https://app.example")
    await ada.page.locator('[name="scope.customers:read"]').check()
    await ada.press("apps.create.submit")
    await ada.look()
    await ada.press("apps.client-id.copy")
    await ada.press("apps.secret.copy")
    client_id = await ada.page.locator("#client-id").inner_text()
    await ada.press("apps.done")
    await ada.sees("Deal mirror", client_id)
    return client_id


async def answered(visitor: Visitor, control: str, leads_to: str) -> None:
    """Answer the app, and arrive at its redirect URI: what is missing there, an icon, is no fault of the console."""
    await visitor.control(control).click()
    await visitor.page.wait_for_url(leads_to)
    await visitor.page.wait_for_load_state("networkidle")
    visitor.complaints.clear()


@ON_EVERY_SCREEN
async def test_an_app_is_registered_let_in_and_shut_out(atrium: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    await atrium.site.rack.members.edit(atrium.workspace.id, atrium.members["Cy"].id, may_use_api=True)
    ada = await browsing.sign_in(atrium, size=size, scheme=scheme)
    client_id = await registered(ada)
    await ada.look()
    cy = await browsing.sign_in(atrium, "Cy", size=size, scheme=scheme)
    await cy.open("/preferences/apps")
    await cy.sees("No app acts for you")
    at = asking(client_id, re.sub(r"/console.*", "", cy.page.url))
    await cy.open(at)
    await cy.sees("Let Deal mirror act for you?", "Read customers")
    await cy.look()
    assert "https://app.example" == await cy.control("consents.homepage").get_attribute("href")
    await answered(cy, "consents.deny", "**/healthz?error=access_denied*")
    await cy.open(at)
    await cy.choose("consents.workspace", atrium.workspace.id)
    await answered(cy, "consents.allow", "**/healthz?code=*&state=xyz&iss=*")
    await cy.open("/preferences/apps")
    await cy.look()
    await cy.press("grants.revoke")
    await cy.look()
    await cy.press("grants.revoke.submit")
    await cy.sees("acts for you no more")
    await manages(ada)


async def manages(ada: Visitor) -> None:
    """Look after the app: change it, give it a webhook and another secret, and delete it."""
    await ada.open("/apps")
    await ada.press("apps.more")
    await ada.press("apps.edit")
    await ada.look()
    await ada.fill("apps.partner", "Northwind")
    await ada.press("apps.own")
    await ada.control("apps.own-scope").first.check()
    await ada.press("apps.edit.submit")
    await ada.sees("The app is saved", "Northwind", "For itself", "0 people in VML")
    await ada.look()
    await ada.press("apps.webhook")
    await ada.fill("apps.webhook.url", "https://app.example/hooks")
    await ada.look()
    await ada.press("apps.webhook.submit")
    await ada.press("apps.webhook.secret.copy")
    await ada.press("apps.webhook.done")
    await ada.press("apps.endpoint")
    await ada.sees("app.uninstalled")
    await ada.open("/apps")
    await ada.press("apps.open")
    await ada.press("apps.logs")
    await ada.choose("logs.app", "")
    await ada.open("/apps")
    await ada.press("apps.more")
    await ada.press("apps.rotate")
    await ada.press("apps.rotate.submit")
    await ada.press("apps.done")
    await ada.press("apps.more")
    await ada.press("apps.delete")
    await ada.press("apps.delete.submit")
    await ada.sees("Deal mirror is deleted", "No apps yet")


@ON_EVERY_SCREEN
async def test_admin_finds_and_shuts_out_what_acts_for_others(
    atrium: Scene, browsing: Browsing, size: tuple[int, int], scheme: str
) -> None:
    desk = atrium.site.desk
    for name in ("Bo", "Cy"):
        await atrium.site.rack.members.edit(atrium.workspace.id, atrium.members[name].id, may_use_api=True)
    ada = await browsing.sign_in(atrium, size=size, scheme=scheme)
    client_id = await registered(ada)
    for name in ("Bo", "Cy"):
        visitor = await browsing.sign_in(atrium, name, size=size, scheme=scheme)
        await visitor.open(asking(client_id, re.sub(r"/console.*", "", visitor.page.url)))
        await answered(visitor, "consents.allow", "**/healthz?code=*")
    link = await sessions.sign_in_link(desk, atrium.members["Bo"].person_id, atrium.workspace.id)
    bo = await sessions.find(desk, (await sessions.redeem(desk, link.text)).secret.text)
    assert bo is not None
    await keys.create(desk, bo, name="Nightly export", rights=Rights(permissions={"customers": Level.READ}))
    await ada.open("/apps")
    await ada.press("apps.open")
    await ada.sees("2 people in VML")
    await ada.press("apps.uninstall")
    await ada.press("cancel")
    await ada.open("/apps")
    await ada.press("apps.open")
    await ada.press("apps.grants")
    await ada.sees("Bo Park", "Cy Park", "Deal mirror")
    await ada.look()
    await ada.choose("access.what", "tokens")
    await ada.sees("Nothing matches")
    await ada.choose("access.what", "")
    await ada.press("access.more", of="Bo Park")
    await ada.press("access.revoke-person")
    await ada.sees("What 1 app was let do")
    await ada.press("access.revoke.keys")
    await ada.sees("Nightly export")
    await ada.look()
    await ada.press("access.key-rotate")
    await ada.press("cancel")
    await ada.open(f"/access/keys?member={atrium.members['Bo'].id}")
    await ada.press("access.key-end")
    await ada.press("keys.end.submit")
    await ada.open(f"/access/keys?member={atrium.members['Bo'].id}")
    await ada.press("access.back")
    await ada.press("access.more", of="Cy Park")
    await ada.press("access.app-logs")
    await ada.open("/access")
    await ada.press("access.more", of="Cy Park")
    await ada.press("access.uninstall")
    await ada.look()
    await ada.press("apps.uninstall.submit")
    await ada.sees("was let in by 2 people", "Nothing calls in anybody’s name")
    await ada.open("/apps")
    await ada.press("apps.open")
    await ada.misses("Uninstall here")


async def test_an_app_that_cannot_keep_a_secret_gets_none(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.open("/keys")
    await ada.press("nav.apps")
    await ada.press("apps.new")
    await ada.fill("apps.name", "Command line")
    await ada.fill("apps.redirect-uris", "http://127.0.0.1/done")
    await ada.control("apps.scope").first.check()
    await ada.control("apps.public").check()
    await ada.press("apps.create.submit")
    await ada.misses("Client secret")
    await ada.press("apps.done")
    await ada.sees("None: a public app")
