"""Developer's corner, the page on which an app is let in, and the list of those that were: every page and control of them."""

import re
from urllib.parse import urlencode

import pytest

from tests.browser.sites import DESKTOP, PHONE, Browsing, Scene
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


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
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
    await ada.open("/apps")
    await ada.press("apps.rotate")
    await ada.press("apps.rotate.submit")
    await ada.press("apps.done")
    await ada.press("apps.delete")
    await ada.press("apps.delete.submit")
    await ada.sees("Deal mirror is deleted", "No apps yet")


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
