"""The page of keys does nothing that the API refuses, and nothing without the token of its form."""

import pytest

from keyrack.console.forms import FormTokens
from keyrack.manage import keys, sessions
from keyrack.model.keys import Key
from keyrack.model.principals import Mode
from tests.console.browser import Browser, Page
from tests.console.visitors import Office

LIST, NEW = "/console/keys", "/console/keys/new"
FORMS = {"edit": {"name": "other"}, "enable": {}, "rotate": {"overlap_seconds": "0"}, "end": {}, "reveal": {"what": "show"}}


async def all_keys(office: Office) -> list[Key]:
    return [listed.key for listed in await keys.page(office.desk, office.host.owner, limit=100)]


async def token(office: Office, browser: Browser, purpose: str) -> str:
    (secret,) = browser.client.cookies.values()
    member = await sessions.find(office.desk, secret)
    assert member is not None
    return FormTokens(office.host.rack.assembly.signers["form"]).make(member, purpose)


async def test_a_secret_is_on_the_page_that_answers_its_making_and_on_no_other(office: Office) -> None:
    browser = await office.signed_in()
    page = await browser.open(NEW)
    made = Page(await browser.send(LIST, page.fields(LIST) | {"name": "local-dev"}))
    (secret,) = {one.text for one in made.root.all("code") if one.attributes.get("id") == "secret"}
    assert 200 == (await office.host.get("/api/v1/me", secret)).status_code
    assert "no-store" == made.answer.headers["cache-control"]
    assert secret not in str(made.answer.url)
    (key,) = await all_keys(office)
    for path in (LIST, NEW, f"{LIST}/{key.id}/edit", f"{LIST}/{key.id}/permissions", f"{LIST}/{key.id}/rotate", f"{LIST}/{key.id}/end"):
        assert secret not in (await browser.open(path)).answer.text


@pytest.mark.parametrize("action", FORMS)
async def test_a_plain_member_changes_no_key_even_with_a_token(showroom: Office, action: str) -> None:
    issued = await showroom.host.key()
    browser = await showroom.signed_in("Cy")
    fields = FORMS[action] | {"form_token": await token(showroom, browser, f"keys.{action}")}
    assert 403 == (await browser.send(f"{LIST}/{issued.key.id}/{action}", fields)).status_code
    assert issued.key == (await keys.get(showroom.desk, showroom.host.owner, issued.key.id)).key


async def test_a_plain_member_makes_no_key_and_is_not_led_to_the_page(office: Office) -> None:
    browser = await office.signed_in("Cy")
    fields = {"name": "x", "mode": "live", "form_token": await token(office, browser, "keys.create")}
    assert 403 == (await browser.send(LIST, fields)).status_code
    assert [] == await all_keys(office)
    assert LIST not in (await browser.open("/console")).links


@pytest.mark.parametrize("action", FORMS)
async def test_a_form_without_its_token_or_with_another_ones_changes_no_key(showroom: Office, action: str) -> None:
    issued = await showroom.host.key()
    browser = await showroom.signed_in()
    for wrong in ({}, {"form_token": "x"}, {"form_token": await token(showroom, browser, "keys.create")}):
        assert 403 == (await browser.send(f"{LIST}/{issued.key.id}/{action}", FORMS[action] | wrong)).status_code
    assert issued.key == (await keys.get(showroom.desk, showroom.host.owner, issued.key.id)).key


@pytest.mark.parametrize("action", ["edit", "rotate", "end", "permissions"])
async def test_a_key_of_another_workspace_looks_like_none(showroom: Office, action: str) -> None:
    browser = await showroom.signed_in()
    neighbour = await showroom.host.rack.workspaces.create("Neighbour", slug=f"neighbour-{action}")
    owner = await showroom.host.rack.workspaces.operator(neighbour.id)
    theirs = await keys.create(showroom.desk, owner, name="theirs")
    assert 404 == (await browser.open(f"{LIST}/{theirs.key.id}/{action}")).status
    assert 404 == (await browser.open(f"{LIST}/nothing/{action}")).status


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"name": ""}, 400, "Write 1 to 100"),
        ({"name": "a" * 101}, 400, "Write 1 to 100"),
        ({"name": "x", "mode": "other"}, 400, "Choose live or test"),
        ({"name": "x", "all": "", "level.customers": "other"}, 400, "is not a level"),
    ],
)
async def test_a_form_with_a_mistake_comes_back_as_it_was_filled_in(
    showroom: Office, fields: dict[str, str], status: int, says: str
) -> None:
    browser = await showroom.signed_in()
    before = await all_keys(showroom)
    page = await browser.open(NEW)
    again = Page(await browser.send(LIST, page.fields(LIST) | {"level.customers": "read"} | fields))
    assert (status, True) == (again.status, says in again.text)
    assert fields["name"] == again.fields(LIST)["name"]
    assert before == await all_keys(showroom)


async def test_what_cannot_be_rotated_says_why(office: Office) -> None:
    browser = await office.signed_in()
    issued = await office.host.key()
    path = f"{LIST}/{issued.key.id}/rotate"
    page = await browser.open(path)
    await keys.revoke(office.desk, office.host.owner, issued.key.id)
    refused = await browser.submit(page, path)
    assert (409, True) == (refused.status, "ended: create a new key" in refused.text)


async def test_rights_of_several_keys_are_not_changed_through_one_of_them(office: Office) -> None:
    issued = await office.host.key()
    await keys.create(office.desk, office.host.owner, name="second", integration_id=issued.integration.id)
    browser = await office.signed_in()
    path = f"{LIST}/{issued.key.id}/edit"
    refused = await browser.submit(await browser.open(path), path, name="local-dev", all="")
    assert (409, True) == (refused.status, "for all its keys" in refused.text)


async def test_a_cursor_of_other_filters_is_refused(showroom: Office) -> None:
    for number in range(26):
        await showroom.host.key(name=f"many {number}", mode=Mode.TEST)
    browser = await showroom.signed_in()
    page = await browser.open(f"{LIST}?search=many")
    (following,) = (link for link in page.links if "cursor=" in link)
    assert 1 == len((await browser.open(LIST + following)).root.all("table")[0].all("tbody")[0].all("tr"))
    assert 400 == (await browser.open(LIST + following.replace("search=many", "search=few"))).status


@pytest.mark.parametrize("here", ["//evil.example", "https://evil.example", "/../../evil", "\\evil.example", "/keys\r\nX: y", "", "/keys"])
async def test_a_choice_of_light_or_dark_leads_back_into_the_console_and_nowhere_else(showroom: Office, here: str) -> None:
    browser = await showroom.browser()
    answer = await browser.client.post("/console/theme", data={"theme": "dark", "here": here})
    assert 303 == answer.status_code
    assert answer.headers["location"].startswith("/console")
    assert "x" not in answer.headers


@pytest.mark.parametrize("theme", ["", "blue", "dark; Path=/"])
async def test_what_is_no_theme_is_refused(showroom: Office, theme: str) -> None:
    answer = await (await showroom.browser()).client.post("/console/theme", data={"theme": theme})
    assert (400, False) == (answer.status_code, "set-cookie" in answer.headers)
