"""Coming in, click by click: with a password, with a link to choose one, by an invitation, and as the first person of all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from keyrack.manage import invitations, mail, passwords, set_ups
from keyrack.testing import FrozenClock
from tests.browser.sites import PHONE, Browsing, Scene, Site, served
from tests.manage.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider, providing

PASSWORD = "three blue herons"


@pytest.fixture
async def equipped(tmp_path: Path) -> AsyncIterator[tuple[Site, Provider]]:
    """A site on which nobody can sign in yet, which sends mail, and has an OpenID provider."""
    provider = Provider(FrozenClock().now)
    async with providing(provider):
        openid = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET, "oidc_name": "Acme ID"}
        sending = {"base_url": "http://rack.example", "mail_from": "rack@acme.example", "smtp_url": "smtp://127.0.0.1:9"}
        async with served(tmp_path, "atrium", **openid, **sending) as site:
            yield site, provider


async def reset_link(scene: Scene, name: str) -> str:
    """Make a link with which a member chooses a password: its path below the console."""
    secret = await passwords.reset_link(scene.site.desk, scene.operator, scene.members[name].id)
    return mail.link_url("", mail.PASSWORD_PATH, secret).removeprefix("/console")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_a_password_is_chosen_with_a_link_and_signs_in_where_somebody_wanted_to_go(
    atrium: Scene, browsing: Browsing, scripts: bool
) -> None:
    ada = await browsing.window(atrium.site, size=PHONE, scheme="dark", scripts=scripts)
    page, at = ada.page, f"{atrium.site.url}/console"
    await page.goto(at + await reset_link(atrium, "Ada"))
    await ada.fill("new-password.password", PASSWORD)
    await ada.control("new-password.submit").click()
    await expect(page.locator("h1")).to_have_text("VML")
    await ada.control("menu.open").click()
    await ada.control("sign-out").click()
    await page.goto(f"{at}/keys")
    await ada.fill("sign-in.email", atrium.members["Ada"].email)
    await ada.fill("sign-in.password", "wrong")
    await ada.control("sign-in.submit").click()
    await expect(page.get_by_role("alert")).to_have_text("No sign-in has this email and password.")
    await ada.fill("sign-in.password", PASSWORD)
    await ada.control("sign-in.submit").click()
    await expect(page.locator("h1")).to_have_text("API & Webhooks")


async def test_every_page_before_a_sign_in_is_sound(atrium: Scene, browsing: Browsing) -> None:
    somebody = await browsing.window(atrium.site)
    await somebody.open("/keys", status=401)
    await somebody.press("sign-in.forgot")
    await somebody.sees("Ask an owner or admin")
    await somebody.press("forgot.back")
    await somebody.open(await reset_link(atrium, "Cy"))
    await somebody.open("/invitation?link=x", status=410)
    await somebody.open("/sign-in?link=atrium_link_x")
    await somebody.press("sign-in")
    await somebody.press("refusal.sign-in")


async def test_the_first_person_sets_up_a_workspace_asks_for_a_password_and_signs_in_elsewhere(
    equipped: tuple[Site, Provider], browsing: Browsing
) -> None:
    site, provider = equipped
    mira = await browsing.window(site)
    await mira.open("/sign-in")
    await mira.sees("Nobody can sign in here yet", "keyrack people set-up")
    await mira.open(mail.link_url("", mail.SET_UP_PATH, await set_ups.link(site.desk)).removeprefix("/console"))
    await mira.fill("set-up.workspace", "Aurora")
    await mira.fill("set-up.name", "Mira Chen")
    await mira.fill("set-up.email", "mira@aurora.example")
    await mira.fill("set-up.password", "aurora")
    await mira.press("set-up.submit")
    await expect(mira.control("set-up.password")).to_have_attribute("aria-invalid", "true")
    await expect(mira.control("set-up.workspace")).to_have_value("Aurora")
    await mira.fill("set-up.password", PASSWORD)
    await mira.press("set-up.submit")
    await mira.sees("Aurora", "Mira Chen")
    await mira.press("sign-out")
    await mira.press("sign-in.forgot")
    await mira.fill("forgot.email", "mira@aurora.example")
    await mira.press("forgot.submit")
    await mira.sees("If mira@aurora.example belongs to somebody here, a mail with a link is on its way")
    await mira.press("forgot.back")
    await mira.control("sign-in.openid").click()
    await mira.page.wait_for_url(f"{provider.issuer}/authorization_endpoint?**")
    assert f"client_id={CLIENT_ID}" in mira.page.url


async def test_somebody_who_is_invited_joins(atrium: Scene, browsing: Browsing) -> None:
    email = f"dee-{atrium.workspace.id}@acme.example"
    invited = await invitations.create(atrium.site.desk, atrium.operator, email=email)
    assert invited.secret is not None
    dee = await browsing.window(atrium.site)
    await dee.open(mail.link_url("", mail.INVITATION_PATH, invited.secret).removeprefix("/console"))
    await dee.fill("invitation.name", "Dee Park")
    await dee.fill("invitation.password", PASSWORD)
    await dee.press("invitation.accept")
    await dee.sees("VML", "Dee Park", "Reader")


async def test_who_signs_in_through_a_provider_proves_there_that_it_is_them(equipped: tuple[Site, Provider], browsing: Browsing) -> None:
    site, provider = equipped
    ada = await browsing.sign_in(await site.workspace())
    await ada.open("/settings")
    await ada.press("settings.revealing")
    await ada.control("proof.openid").click()
    await ada.page.wait_for_url(f"{provider.issuer}/authorization_endpoint?**prompt=login**")
