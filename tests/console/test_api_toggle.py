"""The API toggle: asked, confirmed, effective when the answer has arrived, and for admins alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from keyrack.console.forms import FormTokens
from keyrack.manage import events, keys, sessions
from keyrack.model.members import Role
from keyrack.model.principals import Kind, Mode
from tests.backends import Backend
from tests.console.browser import Browser, Page
from tests.console.conftest import opened
from tests.console.visitors import Office
from tests.hosts import BRAND

TOGGLE = "/console/api"


async def switch(browser: Browser) -> Page:
    return await browser.submit(await browser.open(TOGGLE), TOGGLE)


async def codes(office: Office, issued: list[keys.Issued]) -> list[str | None]:
    answers = [await office.host.get("/api/v1/customers", key) for key in issued]
    return [answer.json().get("code") for answer in answers]


@pytest.mark.parametrize("name", ["Ada", "Bo"])
async def test_switched_off_refuses_every_key_when_the_answer_has_arrived_and_on_accepts_them_again(office: Office, name: str) -> None:
    issued = [await office.host.key(name="live"), await office.host.key(name="test", mode=Mode.TEST)]
    assert [None, None] == await codes(office, issued)
    browser = await office.signed_in(name)
    home = await switch(browser)
    assert ["api_disabled"] * 2 == await codes(office, issued)
    assert "API access Off" in home.text
    home = await switch(browser)
    assert [None, None] == await codes(office, issued)
    assert "API access On" in home.text


async def test_the_question_says_how_many_keys_stop_working(office: Office) -> None:
    browser = await office.signed_in()
    assert "has no active key" in (await browser.open(TOGGLE)).text
    first = await office.host.key()
    assert "1 active key of VML stops working at once." in (await browser.open(TOGGLE)).text
    for _ in range(2):
        await office.host.key()
    assert "3 active keys of VML stop working at once." in (await browser.open(TOGGLE)).text
    await keys.revoke(office.desk, office.host.owner, first.key.id)
    assert "2 active keys of VML stop working at once." in (await browser.open(TOGGLE)).text
    await switch(browser)
    assert "2 active keys of VML are accepted again at once." in (await browser.open(TOGGLE)).text


async def test_the_change_stands_in_the_activity_under_the_members_name(office: Office) -> None:
    await switch(await office.signed_in("Bo"))
    (event,) = await events.page(office.desk, office.host.owner, limit=1, kind="workspace.updated")
    assert (Kind.SESSION, "Bo Park", office.members["Bo"].id) == (event.actor.kind, event.actor.name, event.actor.member_id)
    assert event.data["api_enabled"] is False


async def test_a_plain_member_sees_the_state_and_no_button(showroom: Office) -> None:
    home = await (await showroom.signed_in("Cy")).open("/console")
    assert "API access On" in home.text
    assert "Owners and admins can switch it off." in home.text
    assert TOGGLE not in home.links | home.actions


async def test_a_plain_member_is_refused_the_question_and_the_change(showroom: Office) -> None:
    browser = await showroom.signed_in("Cy")
    page = await browser.open(TOGGLE)
    assert 403 == page.status
    assert {"/console/sign-out", "/console/theme"} == page.actions
    (secret,) = browser.client.cookies.values()
    member = await sessions.find(showroom.desk, secret)
    assert member is not None
    forged = FormTokens(showroom.host.rack.assembly.signers["form"]).make(member, "api.switch")
    assert 403 == (await browser.send(TOGGLE, {"form_token": forged, "api": "off"})).status_code
    assert [None] == await codes(showroom, [await showroom.host.key()])


async def test_who_lost_org_level_admin_meanwhile_is_refused(office: Office) -> None:
    browser = await office.signed_in("Bo")
    page = await browser.open(TOGGLE)
    await office.host.rack.members.edit(office.host.workspace.id, office.members["Bo"].id, role=Role.MEMBER)
    assert 403 == (await browser.submit(page, TOGGLE)).status


@pytest.mark.parametrize("token", ["", "x", "W10.x.y", None])
async def test_a_form_without_its_token_changes_nothing(showroom: Office, token: str | None) -> None:
    browser = await showroom.signed_in()
    fields = {"api": "off"} | ({} if token is None else {"form_token": token})
    refused = Page(await browser.send(TOGGLE, fields))
    assert 403 == refused.status
    assert "Open the page again" in refused.text
    assert [None] == await codes(showroom, [await showroom.host.key()])


async def test_a_token_of_another_session_or_another_form_changes_nothing(showroom: Office) -> None:
    first, second = await showroom.signed_in(), await showroom.signed_in()
    foreign = (await first.open(TOGGLE)).fields(TOGGLE)
    assert 403 == (await second.send(TOGGLE, foreign)).status_code
    sign_out = (await second.open("/console")).fields("/console/sign-out")
    assert 403 == (await second.send(TOGGLE, {"api": "off"} | sign_out)).status_code
    assert [None] == await codes(showroom, [await showroom.host.key()])


async def test_a_form_that_another_site_sends_changes_nothing(showroom: Office) -> None:
    browser = await showroom.signed_in()
    fields = (await browser.open(TOGGLE)).fields(TOGGLE)
    assert 403 == (await browser.send(TOGGLE, fields, site="cross-site")).status_code
    assert 403 == (await browser.send(TOGGLE, fields, site="same-site")).status_code
    assert [None] == await codes(showroom, [await showroom.host.key()])


async def test_nobody_who_is_not_signed_in_switches_anything(showroom: Office) -> None:
    browser = await showroom.browser()
    assert 401 == (await browser.open(TOGGLE)).status
    assert 401 == (await browser.send(TOGGLE, {"api": "off"})).status_code


async def test_a_form_that_says_neither_on_nor_off_is_refused(showroom: Office) -> None:
    browser = await showroom.signed_in()
    assert 400 == (await browser.submit(await browser.open(TOGGLE), TOGGLE, api="maybe")).status


async def test_switching_off_what_is_off_is_done_already(office: Office) -> None:
    first, second = await office.signed_in("Ada"), await office.signed_in("Bo")
    pages = [await first.open(TOGGLE), await second.open(TOGGLE)]
    assert 200 == (await first.submit(pages[0], TOGGLE)).status
    assert 200 == (await second.submit(pages[1], TOGGLE)).status
    assert ["api_disabled"] == await codes(office, [await office.host.key()])


async def test_brand_without_the_toggle_shows_it_on_no_page(tmp_path: Path) -> None:
    async with opened(Backend.in_folder(tmp_path), tmp_path, brand=replace(BRAND, api_toggle=False)) as office:
        for name in ("Ada", "Cy"):
            browser = await office.signed_in(name)
            for path in ("", "/logs", *(["/keys", "/integrations"] if name == "Ada" else [])):
                page = await browser.open(f"/console{path}")
                assert TOGGLE not in page.actions
                assert "can switch it" not in page.text
