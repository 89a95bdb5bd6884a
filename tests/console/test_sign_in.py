"""Signing in with a password, choosing one with a link, the very first set-up, and joining by invitation: the steps of each person.

Ada knows her password: page → email and password → where she wanted to go. Bo forgot his: page → mail, or an admin's link → new password →
in. The first person: link of the command line → workspace, name, email, password → in, as its owner. Dee is invited: link → name and
password → in. Somebody with a login is invited: link → password, or nothing where they are signed in → in.
"""

from urllib.parse import quote

import pytest

from keyrack.manage import invitations, mail, members, passwords, set_ups, workspaces
from keyrack.model.members import Role
from keyrack.model.principals import operator
from tests.console.browser import Browser, Page
from tests.console.visitors import SIGN_IN, Office

PASSWORD = "three blue herons"
FROM = "192.0.2.9"
FORGOT, NEW, SET_UP, JOIN = "/console/forgot", "/console/new-password", "/console/set-up", "/console/invitation"


async def with_password(office: Office, name: str = "Ada") -> str:
    """Give a member a password, and return their email."""
    link = await passwords.reset_link(office.desk, office.host.owner, office.members[name].id)
    await passwords.reset(office.desk, link.text, new=PASSWORD, address=FROM)
    return office.members[name].email


async def sign_in(browser: Browser, email: str, password: str = PASSWORD, to: str = "") -> Page:
    page = await browser.open(SIGN_IN + (f"?next={quote(to)}" if to else ""))
    return await browser.submit(page, SIGN_IN, email=email, password=password)


async def test_an_email_and_its_password_sign_in(office: Office) -> None:
    email = await with_password(office)
    browser = await office.browser()
    home = await sign_in(browser, email.upper())
    assert (200, "/console") == (home.status, home.answer.url.path)
    assert "Ada Park" in home.text


async def test_who_is_signed_out_signs_in_where_they_wanted_to_look_and_goes_on_there(office: Office) -> None:
    email = await with_password(office)
    browser = await office.browser()
    page = await browser.open("/console/keys?search=zap")
    assert (401, {SIGN_IN}) == (page.status, page.actions)
    there = await browser.submit(page, SIGN_IN, email=email, password=PASSWORD)
    assert "/console/keys?search=zap" == there.answer.url.raw_path.decode()


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/x\r\nset-cookie: a=b"]
)
async def test_a_sign_in_leads_to_no_other_host(showroom: Office, to: str) -> None:
    email = await with_password(showroom)
    browser = await showroom.browser()
    answer = await browser.client.post(SIGN_IN, data={"email": email, "password": PASSWORD, "to": to})
    assert "/console" == answer.headers["location"]


async def test_a_wrong_password_and_an_unknown_email_are_refused_in_the_same_words(showroom: Office) -> None:
    email = await with_password(showroom)
    browser = await showroom.browser()
    wrong = await sign_in(browser, email, "three blue heron")
    unknown = await sign_in(browser, "nobody@acme.example")
    assert [401, 401] == [wrong.status, unknown.status]
    assert "No sign-in has this email and password." in wrong.text
    assert wrong.text == unknown.text
    assert email == wrong.fields(SIGN_IN)["email"]
    assert not wrong.fields(SIGN_IN)["password"]
    assert not browser.client.cookies


async def test_after_many_wrong_passwords_the_page_says_how_long_to_wait(office: Office) -> None:
    email = await with_password(office)
    browser = await office.browser()
    for _ in range(20):
        page = await sign_in(browser, email, "wrong")
    assert 429 == page.status
    assert int(page.answer.headers["retry-after"]) > 0
    assert "try again in" in page.text
    assert 429 == (await sign_in(await office.browser(), email)).status


async def test_signing_in_anew_ends_the_session_that_the_browser_had(office: Office) -> None:
    email = await with_password(office)
    browser = await office.signed_in("Cy")
    before = dict(browser.client.cookies)
    await sign_in(browser, email)
    assert "Ada Park" in (await browser.open("/console")).text
    old = await office.browser()
    old.client.cookies.update(before)
    assert 401 == (await old.open("/console")).status


async def test_a_new_password_is_chosen_with_a_link_that_opening_does_not_use_up(office: Office) -> None:
    email = await with_password(office, "Bo")
    signed_in = await office.signed_in("Bo")
    link = await passwords.reset_link(office.desk, office.host.owner, office.members["Bo"].id)
    address = mail.link_url("http://acme.test", mail.PASSWORD_PATH, link)
    browser = await office.browser()
    for _ in range(2):
        page = await browser.open(address)
    short = await browser.submit(page, NEW, password="short")
    assert (400, True) == (short.status, "10 to 200 characters" in short.text)
    assert link.text == short.fields(NEW)["link"]
    home = await browser.submit(short, NEW, password="four green herons")
    assert "Bo Park" in home.text
    assert 401 == (await signed_in.open("/console")).status
    assert 410 == (await browser.submit(page, NEW, password="five grey herons")).status
    assert [401, 200] == [(await sign_in(browser, email, word)).status for word in (PASSWORD, "four green herons")]


async def test_without_mail_who_forgot_a_password_is_told_who_can_help(showroom: Office) -> None:
    browser = await showroom.browser()
    page = await browser.open(FORGOT)
    assert set() == page.actions
    assert "Ask an owner or admin" in page.text
    assert 409 == (await browser.send(FORGOT, {"email": "ada@acme.example"})).status_code


async def test_with_mail_the_answer_is_the_same_for_everybody(mailing: Office) -> None:
    browser = await mailing.browser()
    page = await browser.open(f"https://acme.example{FORGOT}")
    answers = [await browser.submit(page, FORGOT, email=email) for email in ("ada@acme.example", "xyz@acme.example")]
    assert [200, 200] == [one.status for one in answers]
    assert answers[0].text == answers[1].text.replace("xyz@", "ada@")
    assert 400 == (await browser.submit(page, FORGOT, email="no email")).status


async def test_the_first_person_sets_up_a_workspace_once(office: Office) -> None:
    assert "keyrack people set-up" in (await (await office.browser()).open(SIGN_IN)).text
    link = await set_ups.link(office.desk)
    browser = await office.browser()
    page = await browser.open(mail.link_url("http://acme.test", mail.SET_UP_PATH, link))
    filled = {"workspace_name": "Aurora", "name": "Mira Chen", "email": "mira@aurora.example", "password": PASSWORD}
    for wrong, beside in (({"workspace_name": " "}, "workspace_name"), ({"name": ""}, "name"), ({"password": "short"}, "password")):
        refused = await browser.submit(page, SET_UP, **(filled | wrong))
        assert 400 == refused.status
        assert [f"{beside}-problem"] == [one.attributes["id"] for one in refused.root.all("p") if "problem" in one.attributes.get("id", "")]
    home = await browser.submit(page, SET_UP, **filled)
    assert "Aurora" in home.text
    assert "Mira Chen" in home.text
    other = await office.browser()
    assert 410 == (await other.open(mail.link_url("http://acme.test", mail.SET_UP_PATH, link))).status
    assert 410 == (await other.submit(page, SET_UP, **(filled | {"email": "eve@aurora.example"}))).status


async def invite(office: Office, email: str) -> str:
    invited = await invitations.create(office.desk, office.host.owner, email=email)
    assert invited.secret is not None
    return mail.link_url("http://acme.test", mail.INVITATION_PATH, invited.secret)


async def test_somebody_new_joins_with_a_name_and_a_password(office: Office) -> None:
    address = await invite(office, "dee@acme.example")
    browser = await office.browser()
    page = await browser.open(address)
    assert "dee@acme.example" in page.text
    assert 400 == (await browser.submit(page, JOIN, name="", password=PASSWORD)).status
    assert 400 == (await browser.submit(page, JOIN, name="Dee Park", password="short")).status
    home = await browser.submit(page, JOIN, name="Dee Park", password=PASSWORD)
    assert "Dee Park" in home.text
    assert 410 == (await browser.open(address)).status
    assert 200 == (await sign_in(await office.browser(), "dee@acme.example")).status


async def test_somebody_with_a_login_joins_with_its_password_or_by_being_signed_in(office: Office) -> None:
    email = await with_password(office)
    neighbour = workspaces.made(office.desk, "Neighbour")
    made = await office.host.rack.workspaces.create("Neighbour", slug=neighbour.slug)
    there = operator(made, dict(office.desk.categories))
    for signed_in in (False, True):
        invited = await invitations.create(office.desk, there, email=email)
        assert invited.secret is not None
        browser = await (office.signed_in() if signed_in else office.browser())
        page = await browser.open(mail.link_url("http://acme.test", mail.INVITATION_PATH, invited.secret))
        assert signed_in == ("password" not in page.fields(JOIN))
        if not signed_in:
            assert 401 == (await browser.submit(page, JOIN, password="wrong")).status
        home = await browser.submit(page, JOIN, **({} if signed_in else {"password": PASSWORD}))
        assert "Neighbour" in home.text
        (member,) = await members.page(office.desk, there, limit=5, role=Role.MEMBER)
        await members.remove(office.desk, there, member.id)


async def test_an_invitation_for_somebody_else_is_not_accepted_by_being_signed_in(office: Office) -> None:
    address = await invite(office, "dee@acme.example")
    page = await (await office.signed_in("Cy")).open(address)
    assert {"name", "password"} < set(page.fields(JOIN))


@pytest.mark.parametrize("path", [JOIN, NEW, SET_UP])
async def test_a_link_that_is_none_says_what_to_do(showroom: Office, path: str) -> None:
    browser = await showroom.browser()
    fields = {"link": "x", "password": PASSWORD, "name": "Eve", "workspace_name": "Eve", "email": "eve@acme.example"}
    answer = Page(await browser.send(path, fields))
    assert 410 == answer.status
    assert "not a whole link" in answer.text
    assert not browser.client.cookies
    assert 403 == (await browser.send(path, fields, site="cross-site")).status_code
