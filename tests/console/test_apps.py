"""Developer's corner, and the apps that somebody has let in."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from keyrack.manage import apps, consents, keys, members, oauth_tokens, sessions
from keyrack.manage.apps import Registered
from keyrack.model.apps import App
from keyrack.model.principals import Principal
from tests.backends import Backend, copy_files
from tests.console.browser import Page
from tests.console.conftest import opened
from tests.console.visitors import Office
from tests.hosts import ALL_RIGHTS

APPS, MINE, ACCESS = "/console/apps", "/console/preferences/apps", "/console/access"
PARTNER = "Northwind & Söhne"
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


async def session_of(office: Office, name: str) -> Principal:
    """Sign a member in."""
    link = await sessions.sign_in_link(office.desk, office.members[name].person_id, office.host.workspace.id)
    session = await sessions.find(office.desk, (await sessions.redeem(office.desk, link.text)).secret.text)
    assert session is not None
    return session


async def let_in(office: Office, made: Registered, name: str) -> str:
    """Have a member let an app in, and return its access token."""
    await members.edit(office.desk, office.host.owner, office.members[name].id, may_use_api=True)
    session = await session_of(office, name)
    challenge = create_s256_code_challenge(VERIFIER)
    fields = {"response_type": "code", "client_id": made.app.client_id, "code_challenge": challenge, "code_challenge_method": "S256"}
    wanted = await consents.asked(office.desk, session, list(fields.items()), "https://acme.test")
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
    assert "/docs/guides/oauth-apps" in str((await browser.open(APPS)).links)
    made = await browser.submit(await browser.open(f"{APPS}/new"), f"{APPS}/new", **fields)
    client_id, secret = shown(made, "client-id"), shown(made, "secret")
    app = await proved(office, client_id, secret)
    listed = await browser.open(APPS)
    assert client_id in listed.text
    assert secret not in listed.text
    at = f"{APPS}/{app.id}/secret"
    rotated = await browser.submit(await browser.open(at), at)
    assert (False, True) == tuple("The one before" in page.text for page in (made, rotated))
    assert app.id == (await proved(office, client_id, shown(rotated, "secret"))).id
    at = f"{APPS}/{app.id}/edit"
    form = await browser.open(at)
    assert (CALLBACK, "yes") == (form.fields(at)["redirect_uris"], form.fields(at)["scope.customers:read"])
    assert 400 == (await browser.submit(form, at, redirect_uris="ftp://x")).status
    saved = await browser.submit(form, at, **{"name": "Mirror", "scope.customers:write": "yes", "partner": "Northwind"})
    assert all(text in saved.text for text in ("The app is saved", "Northwind", "change and delete customers", "0 people in VML"))
    at = f"{APPS}/{app.id}/webhook"
    assert 400 == (await browser.submit(await browser.open(at), at, url="http://10.0.0.1/")).status
    told = await browser.submit(await browser.open(at), at, url="https://app.example/hooks?token=swordfish")
    assert shown(told, "secret").startswith("whsec_")
    details = await browser.open(f"{APPS}/{app.id}")
    (endpoint,) = [link for link in details.links if link.startswith("/console/endpoints/")]
    assert ("https://app.example/hooks?…" in details.text, 200) == (True, (await browser.open(endpoint)).status)
    calls = await browser.open(f"/console/logs?app={app.id}")
    assert ("Mirror" in calls.text, 200) == (True, calls.status)
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


async def test_admin_sees_which_apps_act_for_whom_and_shuts_them_out(office: Office) -> None:
    desk, owner = office.desk, office.host.owner
    made = await apps.create(desk, owner, name="Deal mirror", redirect_uris=[CALLBACK], scopes=["customers:read"], partner=PARTNER)
    first = await let_in(office, made, "Cy")
    key = await keys.create(desk, await session_of(office, "Bo"), name="nightly", rights=ALL_RIGHTS)
    browser, colleague = await office.signed_in("Ada"), await office.signed_in("Cy")
    listed = await browser.open(f"{ACCESS}?what=apps&partner={quote(PARTNER)}")
    assert all(text in listed.text for text in ("Deal mirror", f"App of {PARTNER}", "Read customers", "Cy Park"))
    (at,) = [link for link in listed.links if link.startswith(f"{ACCESS}/apps/")]
    assert (403, "Nothing matches") == ((await colleague.open(at)).status, word_in(await browser.open(f"{ACCESS}?what=tokens&search=x")))
    await browser.submit(await browser.open(at), at)
    assert 401 == (await office.host.get("/api/v1/customers", first)).status_code
    assert "ended by Ada Park" in (await browser.open(f"{ACCESS}?state=ended")).text
    second = await let_in(office, made, "Cy")
    at = f"{APPS}/{made.app.id}/uninstall"
    assert 403 == (await colleague.open(at)).status
    assert "let in by 1 person" in (await browser.submit(await browser.open(at), at)).text
    third = await let_in(office, made, "Cy")
    at = f"{ACCESS}/revoke?partner={quote(PARTNER)}"
    assert "What 1 app was let do" in (await browser.open(at)).text
    done = await browser.submit(await browser.open(at), f"{ACCESS}/revoke", for_good="")
    assert "0 tokens, 1 app and 0 keys have ended" in done.text
    assert [401, 401] == [(await office.host.get("/api/v1/customers", one)).status_code for one in (second, third)]
    at = f"{ACCESS}/revoke?member={office.members['Bo'].id}"
    known = await browser.submit(await browser.open(at), f"{ACCESS}/revoke")
    assert ("nightly" in known.text, True) == (True, f"/console/keys/{key.key.id}/rotate" in known.links)


def word_in(page: Page) -> str:
    """What a list says that found nothing."""
    return "Nothing matches" if "Nothing matches" in page.text else page.text
