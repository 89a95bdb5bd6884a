"""The pages of integrations do nothing that the API refuses, nothing by halves, and nothing without the token of their form."""

import re

import anyio
import pytest

from keyrack.console.forms import FormTokens
from keyrack.manage import integrations, keys, sessions
from keyrack.model.integrations import Integration
from keyrack.model.permissions import Level, OrgAccess, Rights, SpaceRole
from keyrack.model.principals import Mode
from tests.console.browser import Browser, Page
from tests.console.visitors import Office

LIST, NEW = "/console/integrations", "/console/integrations/new"
FORMS = {"edit": {"name": "other"}, "spaces": {"go": "save"}, "rotate": {"mode": "live"}, "delete": {}}


async def all_integrations(office: Office) -> list[Integration]:
    return await integrations.page(office.desk, office.host.owner, limit=100)


async def token(office: Office, browser: Browser, purpose: str) -> str:
    (secret,) = browser.client.cookies.values()
    member = await sessions.find(office.desk, secret)
    assert member is not None
    return FormTokens(office.host.rack.assembly.signers["form"]).make(member, purpose)


async def space(office: Office, name: str = "Launch") -> str:
    return (await office.host.rack.spaces.create(office.host.workspace.id, name)).id


async def made(office: Office, name: str = "Sync", **rights: SpaceRole) -> keys.Issued:
    return await office.host.key(Rights(OrgAccess.READER, spaces=rights), name=name)


async def step(browser: Browser, page: Page, go: str, **changed: str) -> Page:
    return Page(await browser.send(NEW, page.fields(NEW) | changed | {"go": go}))


def secret_in(page: Page) -> str:
    (secret,) = (one.text for one in page.root.all("code") if one.attributes.get("id") == "secret")
    return secret


def rows(page: Page) -> list[str]:
    return [row.text for table in page.root.all("tbody") for row in table.all("tr")]


async def test_saving_makes_the_integration_and_its_first_key_with_what_all_steps_said(office: Office) -> None:
    launch, board = await space(office), await space(office, "Board")
    browser = await office.signed_in()
    details = await step(
        browser,
        await browser.open(NEW),
        "next",
        **{"name": " Reporting ", "org_access": "reader", "level.customers": "write", "mode": "test"},
    )
    assert [] == await all_integrations(office)
    issued = await step(browser, details, "save", **{f"role.{launch}": "manager"})
    (integration,) = await all_integrations(office)
    expected = Rights(OrgAccess.READER, {"customers": Level.WRITE}, {launch: SpaceRole.MANAGER})
    assert ("Reporting", expected) == (integration.name, integration.rights)
    secret = secret_in(issued)
    assert secret.startswith("acme_test_")
    answers = [(await office.host.get(f"/api/v1/spaces/{one}/messages", secret)).status_code for one in (launch, board)]
    assert [200, 404] == answers
    for path in (LIST, f"{LIST}/{integration.id}", f"{LIST}/{integration.id}/rotate"):
        assert secret not in (await browser.open(path)).answer.text


async def test_a_space_that_was_deleted_meanwhile_leaves_nothing_made_and_the_other_choices_standing(office: Office) -> None:
    launch, board = await space(office), await space(office, "Board")
    browser = await office.signed_in()
    access = await step(browser, await browser.open(NEW), "next", name="Sync")
    await office.host.rack.spaces.delete(office.host.workspace.id, launch)
    again = await step(browser, access, "save", **{f"role.{launch}": "viewer", f"role.{board}": "viewer"})
    assert (409, True) == (again.status, "was deleted meanwhile" in again.text)
    assert [] == await all_integrations(office)
    await step(browser, again, "save")
    assert [{board: SpaceRole.VIEWER}] == [one.rights.spaces for one in await all_integrations(office)]


async def test_back_and_forth_loses_nothing(showroom: Office) -> None:
    launch = await space(showroom)
    browser = await showroom.signed_in()
    page = await step(browser, await browser.open(NEW), "next", **{"name": "Sync", "org_access": "admin", "level.customers": "read"})
    page = await step(browser, page, "back", **{f"role.{launch}": "manager"})
    fields = page.fields(NEW)
    assert ("Sync", "admin", "read") == (fields["name"], fields["org_access"], fields["level.customers"])
    page = await step(browser, page, "next")
    assert "manager" == page.fields(NEW)[f"role.{launch}"]


async def test_what_could_reach_nothing_is_made_only_when_said_twice(office: Office) -> None:
    browser = await office.signed_in()
    access = await step(browser, await browser.open(NEW), "next", name="Later")
    warned = await step(browser, access, "save")
    assert "Later can reach nothing" in warned.text
    assert [] == await all_integrations(office)
    await step(browser, warned, "anyway")
    assert ["Later"] == [one.name for one in await all_integrations(office)]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, "Write 1 to 100"),
        ({"name": "a" * 101}, "Write 1 to 100"),
        ({"name": "x", "org_access": "owner"}, "Choose none, reader or admin"),
        ({"name": "x", "mode": "other"}, "Choose live or test"),
        ({"name": "x", "level.customers": "other"}, "is not a level"),
        ({"name": "x", "org_access": "reader", "role.anything": "emperor"}, "Choose one of the roles"),
    ],
)
@pytest.mark.parametrize("go", ["next", "save"])
async def test_a_mistake_in_any_step_makes_nothing_and_is_told(showroom: Office, fields: dict[str, str], says: str, go: str) -> None:
    browser = await showroom.signed_in()
    before = await all_integrations(showroom)
    page = await step(browser, await browser.open(NEW), go, **fields)
    assert before == await all_integrations(showroom)
    if go == "save" or "role.anything" not in fields:
        assert (400, True) == (page.status, says in page.text)


async def test_roles_that_others_changed_meanwhile_stay(office: Office) -> None:
    launch, board, support = [await space(office, name) for name in ("Launch", "Board", "Support")]
    issued = await made(office, **{launch: SpaceRole.VIEWER, board: SpaceRole.VIEWER})
    browser = await office.signed_in()
    path = f"{LIST}/{issued.integration.id}/spaces"
    page = await browser.open(path)
    await integrations.set_space_role(office.desk, office.host.owner, issued.integration.id, support, SpaceRole.MANAGER)
    await integrations.set_space_role(office.desk, office.host.owner, issued.integration.id, board, SpaceRole.CONTRIBUTOR)
    saved = await browser.submit(page, path, **{f"role.{launch}": "", "go": "save"})
    assert "is saved" in saved.text
    (integration,) = await all_integrations(office)
    assert {board: SpaceRole.CONTRIBUTOR, support: SpaceRole.MANAGER} == integration.rights.spaces


async def test_rotating_counts_the_calls_that_will_fail(office: Office) -> None:
    issued = await made(office)
    browser = await office.signed_in()
    path = f"{LIST}/{issued.integration.id}/rotate"
    assert "0 calls in the last hour" in (await browser.open(path)).text
    for _ in range(3):
        await office.host.get("/api/v1/customers", issued)
    # The job's own turn may be moving these lines at this moment.
    for _ in range(50):
        if "0 calls in the last hour" not in (asked := await browser.open(path)).text:
            break
        await anyio.sleep(0.1)
    assert "3 calls in the last hour" in asked.text
    assert "3 calls in the last hour" in (await browser.open(f"{LIST}/{issued.integration.id}/delete")).text


async def test_rotating_ends_the_keys_of_one_mode(office: Office) -> None:
    live = await made(office)
    test = await keys.create(office.desk, office.host.owner, name="ci", mode=Mode.TEST, integration_id=live.integration.id)
    browser = await office.signed_in()
    path = f"{LIST}/{live.integration.id}/rotate"
    issued = await browser.submit(await browser.open(path), path, mode="live")
    codes = [(await office.host.get("/api/v1/customers", key)).json().get("code") for key in (live, test, secret_in(issued))]
    assert ["key_revoked", None, None] == codes


async def test_a_deleted_integration_is_gone_from_every_page(office: Office) -> None:
    launch = await space(office)
    issued = await made(office, "Chatty", **{launch: SpaceRole.MANAGER})
    browser = await office.signed_in()
    path = f"{LIST}/{issued.integration.id}/delete"
    gone = await browser.submit(await browser.open(path), path)
    assert "Chatty is deleted" in gone.text
    assert "No integrations yet" in gone.text
    assert "Nobody is in this space" in (await browser.open(f"/console/spaces/{launch}")).text
    assert [404] * 3 == [(await browser.open(f"{LIST}/{issued.integration.id}{below}")).status for below in ("", "/edit", "/spaces")]


@pytest.mark.parametrize("action", FORMS)
async def test_a_plain_member_changes_no_integration_even_with_a_token(showroom: Office, action: str) -> None:
    issued = await made(showroom)
    browser = await showroom.signed_in("Cy")
    path = f"{LIST}/{issued.integration.id}/{action}"
    assert 403 == (await browser.open(path)).status
    fields = FORMS[action] | {"form_token": await token(showroom, browser, f"integrations.{action}")}
    assert 403 == (await browser.send(path, fields)).status_code
    assert issued.integration == await integrations.get(showroom.desk, showroom.host.owner, issued.integration.id)
    assert 200 == (await showroom.host.get("/api/v1/customers", issued)).status_code


async def test_a_plain_member_makes_no_integration_and_is_led_to_none(office: Office) -> None:
    browser = await office.signed_in("Cy")
    for go in ("next", "back", "save", "anyway"):
        fields = {"name": "x", "org_access": "reader", "go": go, "form_token": await token(office, browser, "integrations.create")}
        assert 403 == (await browser.send(NEW, fields)).status_code
    assert [] == await all_integrations(office)
    assert [403, 403] == [(await browser.open(path)).status for path in (LIST, NEW)]
    assert not [link for link in (await browser.open("/console")).links if link.startswith(LIST)]


@pytest.mark.parametrize("action", FORMS)
async def test_a_form_without_its_token_or_with_another_ones_changes_nothing(showroom: Office, action: str) -> None:
    issued = await made(showroom)
    browser = await showroom.signed_in()
    path = f"{LIST}/{issued.integration.id}/{action}"
    for wrong in ({}, {"form_token": "x"}, {"form_token": await token(showroom, browser, "integrations.create")}):
        assert 403 == (await browser.send(path, FORMS[action] | wrong)).status_code
    assert issued.integration == await integrations.get(showroom.desk, showroom.host.owner, issued.integration.id)


@pytest.mark.parametrize("below", ["", *(f"/{action}" for action in FORMS)])
async def test_an_integration_of_another_workspace_looks_like_none(showroom: Office, below: str) -> None:
    browser = await showroom.signed_in()
    neighbour = await showroom.host.rack.workspaces.create("Neighbour", slug=f"neighbour{below.replace('/', '-')}")
    owner = await showroom.host.rack.workspaces.operator(neighbour.id)
    theirs = await keys.create(showroom.desk, owner, name="theirs")
    assert 404 == (await browser.open(f"{LIST}/{theirs.integration.id}{below}")).status
    assert 404 == (await browser.open(f"{LIST}/nothing{below}")).status
    if below:
        fields = FORMS[below[1:]] | {"form_token": await token(showroom, browser, f"integrations.{below[1:]}")}
        assert 404 == (await browser.send(f"{LIST}/{theirs.integration.id}{below}", fields)).status_code


@pytest.mark.parametrize("sort", ["", "created_at", "name", "-name", "nothing"])
async def test_the_list_goes_on_in_each_order_and_shows_everything_once(office: Office, sort: str) -> None:
    names = [f"{'B' if number % 2 else 'a'}ot {number:02}" for number in range(28)]
    for name in names:
        await integrations.create(office.desk, office.host.owner, name=name, rights=Rights(OrgAccess.READER))
    browser = await office.signed_in()
    page = await browser.open(f"{LIST}?sort={sort}")
    (following,) = (link for link in page.links if "cursor=" in link)
    shown = [re.findall(r"[aB]ot \d\d", row)[0] for row in [*rows(page), *rows(await browser.open(LIST + following))]]
    assert sorted(names) == sorted(shown)
    if sort.endswith("name"):
        assert sorted(names, key=str.lower, reverse=sort.startswith("-")) == shown
    assert 400 == (await browser.open(LIST + following.replace("cursor=", "search=other&cursor="))).status


async def test_an_integration_with_many_keys_is_one_line_with_the_newest_of_them(office: Office) -> None:
    first = await made(office)
    for number in range(7):
        last = await keys.create(office.desk, office.host.owner, name=f"{number}", integration_id=first.integration.id)
    browser = await office.signed_in()
    (row,) = rows(await browser.open(LIST))
    assert last.key.prefix in row
    assert "and 7 more" in " ".join(row.split())
    page = await browser.open(f"{LIST}/{first.integration.id}/delete")
    assert "one of its 8 keys breaks at once" in page.text
