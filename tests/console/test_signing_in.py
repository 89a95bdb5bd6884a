"""Sign-in links work once, for whom they were made, and sessions end."""

import asyncio
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from keyrack.manage import sessions
from keyrack.model.members import MemberStatus
from keyrack.model.principals import Kind
from keyrack.model.refusals import NOT_FOUND, SESSION_ENDED, Refused
from tests.console.visitors import SIGN_IN, Office


def link_in(address: str) -> str:
    return parse_qs(urlsplit(address).query)["link"][0]


async def test_a_link_signs_its_person_in(office: Office) -> None:
    browser = await office.browser()
    page = await browser.open(await office.link("Ada"))
    assert {SIGN_IN} == page.actions
    home = await browser.submit(page, SIGN_IN)
    assert "/console" == home.answer.url.path
    assert "Ada Park" in home.text
    assert office.host.workspace.name in home.text


async def test_opening_a_link_does_not_use_it_up(office: Office) -> None:
    address = await office.link()
    for _ in range(3):
        page = await (await office.browser()).open(address)
    browser = await office.browser()
    assert 200 == (await browser.submit(page, SIGN_IN)).status


async def test_a_link_works_once(office: Office) -> None:
    address = await office.link()
    first, second = await office.browser(), await office.browser()
    page = await first.open(address)
    assert 200 == (await first.submit(page, SIGN_IN)).status
    refused = await second.submit(page, SIGN_IN)
    assert 401 == refused.status
    assert "was used before" in refused.text
    assert 401 == (await second.open("/console")).status


async def test_of_fifty_who_use_a_link_at_once_exactly_one_gets_in(office: Office) -> None:
    link = link_in(await office.link())
    browser = await office.browser()
    answers = await asyncio.gather(*(browser.client.post(SIGN_IN, data={"link": link}) for _ in range(50)))
    assert [303] + [401] * 49 == sorted(answer.status_code for answer in answers)
    assert 1 == sum("set-cookie" in answer.headers for answer in answers)


async def test_an_expired_link_is_refused(office: Office) -> None:
    browser = await office.browser()
    refused = await browser.submit(await browser.open(await office.link(valid_seconds=0)), SIGN_IN)
    assert (401, True) == (refused.status, "has expired" in refused.text)


async def test_a_link_without_an_end_waits_until_it_is_used(office: Office) -> None:
    later = replace(office.desk, now=lambda: office.desk.now() + 10 * 365 * 24 * 3600 * 1000)
    link = link_in(await office.link(valid_seconds=None))
    session, secret = await sessions.redeem(later, link)
    assert office.members["Ada"].person_id == session.person_id
    assert secret.text not in repr(secret)


@pytest.mark.parametrize("garbled", ["", "x", "acme_link_" + "a" * 36, "ä" * 50, "a" * 5000, "acme_link_\x00"])
async def test_a_garbled_link_is_refused_with_a_page_that_says_so(showroom: Office, garbled: str) -> None:
    browser = await showroom.browser()
    answer = await browser.client.post(SIGN_IN, data={"link": garbled})
    assert answer.status_code in (400, 401)
    assert answer.headers["content-type"].startswith("text/html")
    assert "set-cookie" not in answer.headers


async def test_a_link_that_lost_a_place_on_the_way_still_works_when_it_is_copied_whole(office: Office) -> None:
    link = link_in(await office.link())
    browser = await office.browser()
    assert 401 == (await browser.send(SIGN_IN, {"link": link[:-1]})).status_code
    assert 200 == (await browser.send(SIGN_IN, {"link": f" {link}\n"})).status_code


async def test_a_link_is_made_for_members_only(office: Office) -> None:
    with pytest.raises(Refused) as refused:
        await sessions.sign_in_link(office.desk, "nobody", office.host.workspace.id, 60)
    assert NOT_FOUND is refused.value.refusal


async def test_a_form_of_another_site_signs_nobody_in(office: Office) -> None:
    link = link_in(await office.link())
    browser = await office.browser()
    assert 403 == (await browser.send(SIGN_IN, {"link": link}, site="cross-site")).status_code
    assert 200 == (await browser.send(SIGN_IN, {"link": link})).status_code


async def test_signing_out_ends_the_session_and_not_only_the_cookie(office: Office) -> None:
    browser = await office.signed_in()
    kept = dict(browser.client.cookies)
    await browser.submit(await browser.open("/console"), "/console/sign-out")
    assert not browser.client.cookies
    thief = await office.browser()
    thief.client.cookies.update(kept)
    assert 401 == (await thief.open("/console")).status


async def test_a_session_ends_by_the_clock(office: Office) -> None:
    session, secret = await sessions.redeem(office.desk, link_in(await office.link()))
    found = await sessions.find(office.desk, secret.text)
    assert found is not None
    assert (Kind.SESSION, office.members["Ada"].id, "Ada Park") == (found.kind, found.member_id, found.credential_name)
    assert found.until == session.expires_at <= session.created_at + sessions.SESSION_SECONDS_MAX * 1000
    assert await sessions.find(replace(office.desk, now=lambda: session.expires_at), secret.text) is None


async def test_a_member_who_was_let_go_is_signed_out(office: Office) -> None:
    browser = await office.signed_in("Cy")
    await office.host.rack.members.remove(office.host.workspace.id, office.members["Cy"].id)
    assert 401 == (await browser.open("/console")).status


async def test_a_deactivated_member_is_signed_out_for_good_and_their_links_end(office: Office) -> None:
    link = link_in(await office.link("Cy"))
    browser = await office.signed_in("Cy")
    edit = office.host.rack.members.edit
    await edit(office.host.workspace.id, office.members["Cy"].id, status=MemberStatus.INACTIVE)
    assert 401 == (await browser.open("/console")).status
    await edit(office.host.workspace.id, office.members["Cy"].id, status=MemberStatus.ACTIVE)
    assert 401 == (await browser.open("/console")).status
    with pytest.raises(Refused) as refused:
        await sessions.redeem(office.desk, link)
    assert SESSION_ENDED is refused.value.refusal


async def test_a_session_of_a_deleted_workspace_is_over(office: Office) -> None:
    browser = await office.signed_in()
    await office.host.rack.workspaces.delete(office.host.workspace.id)
    assert 401 == (await browser.open("/console")).status


@pytest.mark.parametrize("text", ["", "x", "acme_session_" + "0" * 36, "ä", "\x00" * 40])
async def test_what_is_no_session_is_nobody(showroom: Office, text: str) -> None:
    assert await sessions.find(showroom.desk, text) is None


async def test_a_key_is_no_session_and_a_session_is_no_key(office: Office) -> None:
    browser = await office.signed_in()
    issued = await office.host.key()
    assert await sessions.find(office.desk, issued.secret.text) is None
    (secret,) = browser.client.cookies.values()
    assert 401 == (await office.host.get("/api/v1/customers", secret)).status_code
