"""Pipedrive's help page "Managing API Access, Token Integration, and Secure Revocation", done from its first sentence to its last.

What it says of private SaaS integrations by OAuth is not walked here.
"""

import pytest

from tests.browser.films import ON_EVERY_SCREEN, Film
from tests.browser.sites import Browsing, Scene, Sites


@pytest.fixture
async def pipedrive(sites: Sites) -> Scene:
    """A workspace of the test's own, in Atrium as Pipedrive, whose owner may use the API."""
    scene = await (await sites.of("pipedrive")).workspace()
    await scene.site.rack.members.edit(scene.workspace.id, scene.members["Ada"].id, may_use_api=True)
    return scene


@ON_EVERY_SCREEN
async def test_every_sentence_comes_true(pipedrive: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    film = await Film.begin(pipedrive, browsing, size, scheme)
    await _the_resources_are_there(film)
    await _access_is_granted_for_each_account(film, browsing)
    # "Navigate to the settings menu in your account. Select 'Personal Preferences' and go to the 'API' tab."
    await film.find("nav.preferences")
    await film.see("Personal preferences")
    await film.reads("tab.preferences/api", "API")
    await film.click("tab.preferences/api")
    await film.fits()
    await film.click("tokens.generate")
    await film.click("tokens.generate.submit")
    former = await film.copied("tokens.secret.copy")
    assert 200 == (await film.call(former, "GET", "/customers")).status_code
    await film.click("tokens.done")
    # "Generate a new API token to immediately invalidate older ones."
    await film.reads("tokens.generate", "Generate a new token")
    await film.click("tokens.generate")
    await film.see("stops working at once", "in the last hour")
    await film.click("tokens.generate.submit")
    await film.see("The token before has ended")
    await film.fits()
    token = await film.copied("tokens.secret.copy")
    # "This blocks access to anyone using the previous token."
    blocked = await film.call(former, "GET", "/customers")
    assert (401, "token_revoked") == (blocked.status_code, blocked.json()["code"])
    # "Ensure all integrations and applications are updated to use the new token to restore functionality."
    assert 200 == (await film.call(token, "GET", "/customers")).status_code
    await film.click("tokens.done")
    await film.see(token[:18])
    # "Maintaining multiple accounts for unified management": everything that somebody holds is on one page.
    await film.click("tab.preferences/access")
    await film.see("VML", token[:18])
    await film.fits()


async def _the_resources_are_there(film: Film) -> None:
    page = film.visitor.page
    for place, control, words, path in (
        # "Explore the Pipedrive API Endpoints for understanding available functionalities."
        ("preferences/api", "tokens.reference", "API Endpoints", "/docs/api/explorer"),
        # "Visit the Pipedrive Developer's Corner to access technical documentation and guidance."
        ("preferences/api", "tokens.docs", "Developer's Corner", "/docs"),
        # "While Pipedrive does not directly offer pre-built solutions for private SaaS integrations, you can find guidance via their
        # Developer's Corner": both stand there, too.
        ("apps", "apps.docs", "How apps work", "/docs/guides/oauth-apps"),
        ("apps", "apps.reference", "API Endpoints", "/docs/api/explorer"),
    ):
        await page.goto(f"{film.scene.site.url}/console/{place}")
        await film.reads(control, words)
        await film.click(control)
        await page.wait_for_url(f"**{path}**")
    await page.goto(f"{film.scene.site.url}/console")


async def _access_is_granted_for_each_account(film: Film, browsing: Browsing) -> None:
    # "Have the admin add the required users to the account and assign appropriate permissions for API access."
    email = f"dee-{film.scene.workspace.id}@acme.example"
    await film.find("nav.members")
    await film.click("members.invite")
    await film.write("invitations.email", email)
    await film.choose("invitations.may-use-api", "yes")
    await film.fits()
    await film.click("invitations.submit")
    link = await film.visitor.page.locator("#link").inner_text()
    dee = await browsing.window(film.scene.site)
    await dee.open(link.partition("/console")[2])
    await dee.fill("invitation.name", "Dee")
    await dee.fill("invitation.password", "three blue herons")
    await dee.press("invitation.accept")
    await dee.open("/preferences/api")
    await dee.sees("Generate a token")
    # "Repeat these steps for every account where access is needed": each account grants it by itself.
    other = await film.scene.site.workspace()
    await film.scene.site.rack.members.add(other.workspace.id, email=email, name="Dee")
    await dee.open("/workspaces")
    await dee.press("workspaces.switch")
    await dee.open("/preferences/api", status=403)
    # "If the admin is unavailable or unknown": the people who can let somebody in are named.
    await dee.sees("You may not use the API here", "These people can help", "Ada Park")


async def test_company_without_keys_shows_none(pipedrive: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pipedrive)
    await ada.open("/preferences/api")
    await ada.misses("API Keys", "Integrations")
