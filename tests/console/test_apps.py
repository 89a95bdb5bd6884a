"""Developer's corner, and the apps that somebody has let in."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from keyrack.manage import apps, consents, members, oauth_tokens, sessions
from keyrack.manage.apps import Registered
from keyrack.model.apps import App
from tests.backends import Backend, copy_files
from tests.console.browser import Page
from tests.console.conftest import opened
from tests.console.visitors import Office

APPS, MINE = "/console/apps", "/console/preferences/apps"
CALLBACK = "https://app.example/callback"
VERIFIER = "v" * 43


@pytest.fixture
async def office(tmp_path: Path, migrated_files: Path) -> AsyncIterator[Office]:
    """The console of a workspace of the test's own: what its pages call is proven on each kind of database in `tests/oauth`."""
    copy_files(migrated_files, tmp_path)
    async with opened(Backend.in_folder(tmp_path), tmp_path) as one:
        yield one


def shown(page: Page, name: str) -> str:
    """What a page shows to be copied."""
    (found,) = [one.text for one in page.root.all("code") if one.attributes.get("id") == name]
    return found


async def proved(office: Office, client_id: str, secret: str) -> App:
    """The app that a secret proves."""
    return await oauth_tokens.client(office.desk, client_id, secret, "192.0.2.1")


async def let_in(office: Office, made: Registered, name: str) -> str:
    """Have a member let an app in, and return its access token."""
    member = office.members[name]
    await members.edit(office.desk, office.host.owner, member.id, may_use_api=True)
    link = await sessions.sign_in_link(office.desk, member.person_id, office.host.workspace.id)
    session = await sessions.find(office.desk, (await sessions.redeem(office.desk, link.text)).secret.text)
    assert session is not None
    challenge = create_s256_code_challenge(VERIFIER)
    fields = {"response_type": "code", "client_id": made.app.client_id, "code_challenge": challenge, "code_challenge_method": "S256"}
    wanted = await consents.asked(office.desk, list(fields.items()))
    led = await consents.allow(office.desk, session, wanted, office.host.workspace.id, "https://acme.test")
    code = re.search(r"code=([^&]+)", led)
    assert code is not None
    return (await oauth_tokens.redeem(office.desk, made.app, code[1], None, VERIFIER)).access.text


async def test_admin_registers_an_app_rotates_its_secret_and_deletes_it(office: Office) -> None:
    browser = await office.signed_in("Ada")
    assert APPS in (await browser.open("/console")).links
    page = await browser.open(f"{APPS}/new")
    fields = {"name": "Deal mirror", "redirect_uris": CALLBACK, "scope.customers:read": "yes"}
    wrong = await browser.submit(page, f"{APPS}/new", **{**fields, "redirect_uris": "http://app.example/"})
    assert 400 == wrong.status
    assert "begins with https://" in wrong.text
    made = await browser.submit(await browser.open(f"{APPS}/new"), f"{APPS}/new", **fields)
    client_id, secret = shown(made, "client-id"), shown(made, "secret")
    app = await proved(office, client_id, secret)
    listed = await browser.open(APPS)
    assert client_id in listed.text
    assert secret not in listed.text
    at = f"{APPS}/{app.id}/secret"
    rotated = await browser.submit(await browser.open(at), at)
    assert app.id == (await proved(office, client_id, shown(rotated, "secret"))).id
    at = f"{APPS}/{app.id}/delete"
    await browser.submit(await browser.open(at), at)
    assert "No apps yet" in (await browser.open(APPS)).text


async def test_developers_corner_is_for_admins(office: Office) -> None:
    browser = await office.signed_in("Cy")
    assert APPS not in (await browser.open("/console")).links
    assert [403, 403] == [(await browser.open(path)).status for path in (APPS, f"{APPS}/new")]


async def test_member_sees_the_apps_that_they_let_in_and_shuts_one_out(office: Office) -> None:
    made = await apps.create(office.desk, office.host.owner, name="Deal mirror", redirect_uris=[CALLBACK], scopes=["customers:read"])
    token = await let_in(office, made, "Cy")
    stranger = await office.signed_in("Ada")
    assert "No app acts for you" in (await stranger.open(MINE)).text
    browser = await office.signed_in("Cy")
    page = await browser.open(MINE)
    assert "Read customers" in page.text
    (at,) = [link for link in page.links if link.startswith(MINE) and link.endswith("/revoke")]
    assert 404 == (await stranger.open(at)).status
    await browser.submit(await browser.open(at), at)
    assert 401 == (await office.host.get("/api/v1/customers", token)).status_code


async def test_ending_all_of_it_shuts_the_apps_out_too(office: Office) -> None:
    made = await apps.create(office.desk, office.host.owner, name="Deal mirror", redirect_uris=[CALLBACK], scopes=["customers:read"])
    token = await let_in(office, made, "Cy")
    browser = await office.signed_in("Cy")
    at = "/console/preferences/access/end"
    await browser.submit(await browser.open(at), at)
    assert 401 == (await office.host.get("/api/v1/customers", token)).status_code
