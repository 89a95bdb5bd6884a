"""What somebody sets for themselves, and how a workspace is set."""

import pytest

from keyrack.manage import members, sessions, workspaces
from keyrack.model.members import Role
from keyrack.model.principals import Principal
from keyrack.model.workspaces import Workspace
from tests.console.browser import Page
from tests.console.test_sign_in import PASSWORD, sign_in, with_password
from tests.console.visitors import Office

PREFERENCES, SETTINGS, REVEALING = "/console/preferences", "/console/settings", "/console/settings/revealing"


async def test_a_name_is_changed_for_everybody_to_see(office: Office) -> None:
    browser = await office.signed_in("Cy")
    page = await browser.submit(await browser.open(PREFERENCES), PREFERENCES, name="Cyrus Park")
    assert "Your name is changed" in page.text
    assert "Cyrus Park" in (await (await office.signed_in()).open("/console/members")).text
    refused = await browser.submit(page, PREFERENCES, name="  ")
    assert (400, True) == (refused.status, "1 to 100 printable" in refused.text)


async def test_a_password_is_changed_by_who_knows_it_and_ends_the_other_sign_ins(office: Office) -> None:
    email = await with_password(office)
    browser, other = await office.browser(), await office.signed_in()
    await sign_in(browser, email)
    page, action = await browser.open(PREFERENCES), f"{PREFERENCES}/password"
    wrong = await browser.submit(page, action, current="wrong", password="four green herons")
    assert (401, True) == (wrong.status, "This is not your password" in wrong.text)
    short = await browser.submit(page, action, current=PASSWORD, password="short")
    assert (400, True) == (short.status, "10 to 200 characters" in short.text)
    done = await browser.submit(page, action, current=PASSWORD, password="four green herons")
    assert "Your password is changed" in done.text
    assert [200, 401] == [(await one.open("/console")).status for one in (browser, other)]
    assert 200 == (await sign_in(await office.browser(), email, "four green herons")).status


async def test_who_has_no_password_chooses_one_without_another(office: Office) -> None:
    browser = await office.signed_in("Cy")
    page = await browser.open(PREFERENCES)
    assert "current" not in page.fields(f"{PREFERENCES}/password")
    assert 200 == (await browser.submit(page, f"{PREFERENCES}/password", password=PASSWORD)).status
    assert 200 == (await sign_in(await office.browser(), office.members["Cy"].email)).status


async def test_signed_out_everywhere_is_signed_out_in_each_browser(office: Office) -> None:
    first, second, other = await office.signed_in("Ada"), await office.signed_in("Ada"), await office.signed_in("Bo")
    page = await first.submit(await first.open("/console/preferences"), "/console/sign-out/everywhere")
    assert "2 sign-ins have ended" in page.text
    assert [401, 401, 200] == [(await one.open("/console")).status for one in (first, second, other)]


async def test_others_are_signed_out_and_this_one_stays(office: Office) -> None:
    first, second = await office.signed_in(), await office.signed_in()
    page = await first.open(PREFERENCES)
    assert 1 == page.text.count("This one")
    assert "1 other sign-in has ended" in (await first.submit(page, f"{PREFERENCES}/sign-outs")).text
    assert [200, 401] == [(await one.open("/console")).status for one in (first, second)]


async def test_sign_ins_tell_where_they_began(office: Office) -> None:
    browser = await office.browser()
    browser.client.headers["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    await browser.submit(await browser.open(await office.link()), "/console/sign-in")
    await office.signed_in()
    page = await browser.open(PREFERENCES)
    assert "Firefox on Linux, from 127.0.0.1" in page.text
    assert "An unknown device, from 127.0.0.1" in page.text
    assert "Gecko" not in page.text


async def second_workspace(office: Office) -> Workspace:
    made = await office.host.rack.workspaces.create("Neighbour", slug="neighbour")
    await office.host.rack.members.add(made.id, email=office.members["Ada"].email, name="Ada Park", role=Role.MEMBER)
    return made


async def test_somebody_in_two_workspaces_goes_from_one_to_the_other(office: Office) -> None:
    browser = await office.signed_in()
    before = dict(browser.client.cookies)
    made = await second_workspace(office)
    page = await browser.open("/console/workspaces")
    assert "Neighbour" in page.text
    fields = page.fields("/console/workspaces") | {"workspace_id": made.id}
    home = Page(await browser.send("/console/workspaces", fields))
    assert "Neighbour" in home.text
    old = await office.browser()
    old.client.cookies.update(before)
    assert 401 == (await old.open("/console")).status


async def test_nobody_goes_into_a_workspace_that_they_are_not_in(office: Office) -> None:
    ada, cy = await office.signed_in(), await office.signed_in("Cy")
    made = await second_workspace(office)
    token = (await cy.open("/console")).fields("/console/sign-out")
    assert 403 == (await cy.send("/console/workspaces", token | {"workspace_id": made.id})).status_code
    fields = (await ada.open("/console/workspaces")).fields("/console/workspaces")
    await members.leave(office.desk, await principal(office, "Ada", made))
    assert 404 == (await ada.send("/console/workspaces", fields | {"workspace_id": made.id})).status_code


async def principal(office: Office, name: str, workspace: Workspace) -> Principal:
    link = await sessions.sign_in_link(office.desk, office.members[name].person_id, workspace.id)
    found = await sessions.find(office.desk, (await sessions.redeem(office.desk, link.text)).secret.text)
    assert found is not None
    return found


async def test_a_workspace_is_renamed_by_an_admin(office: Office) -> None:
    browser = await office.signed_in("Bo")
    page = await browser.submit(await browser.open(SETTINGS), SETTINGS, name="Aurora")
    assert "It is called Aurora now" in page.text
    assert "Standard" in page.text
    assert 400 == (await browser.submit(page, SETTINGS, name=" ")).status


async def revealing(office: Office) -> bool:
    return (await workspaces.get(office.desk, office.host.owner)).revealing


async def test_revealing_is_switched_after_a_password_asked_in_place(office: Office) -> None:
    await with_password(office)
    browser = await office.signed_in()
    page = await browser.open(REVEALING)
    assert "password" in page.fields(REVEALING)
    for word, status in (("", 403), ("wrong", 401)):
        refused = await browser.submit(page, REVEALING, password=word)
        assert (status, "password" in refused.fields(REVEALING)) == (refused.status, True)
        assert not await revealing(office)
    done = await browser.submit(page, REVEALING, password=PASSWORD)
    assert (200, True) == (done.status, await revealing(office))
    fresh = await browser.open(REVEALING)
    assert "password" not in fresh.fields(REVEALING)
    assert "All kept copies are destroyed" in fresh.text
    await browser.submit(fresh, REVEALING)
    assert not await revealing(office)


async def test_who_can_prove_nothing_is_told_how_they_could(showroom: Office) -> None:
    page = await (await showroom.signed_in()).open(REVEALING)
    assert "Choose a password first" in page.text
    assert REVEALING not in page.actions


@pytest.mark.parametrize("path", [PREFERENCES, "/console/workspaces", "/console/leave"])
async def test_every_member_has_their_own_pages_and_nobody_else_has(showroom: Office, path: str) -> None:
    assert 200 == (await (await showroom.signed_in("Cy")).open(path)).status
    assert 401 == (await (await showroom.browser()).open(path)).status
