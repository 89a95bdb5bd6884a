"""Personal preferences: the API tab, what somebody holds everywhere; and for admins what others hold."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keyrack.manage import integrations, members, tokens
from keyrack.model.members import MemberStatus, Role
from keyrack.model.workspaces import Workspace
from tests.backends import Backend, copy_files
from tests.console.browser import Browser, Page
from tests.console.conftest import opened
from tests.console.visitors import Office

API, MINE, ACCESS, PREFERENCES = "/console/preferences/api", "/console/preferences/access", "/console/access", "/console/preferences"
NORTHWIND = "Northwind & Söhne"


@pytest.fixture
async def office(tmp_path: Path, migrated_files: Path) -> AsyncIterator[Office]:
    """The console of a workspace of the test's own: what its pages call is proven on each kind of database in `tests/manage`."""
    copy_files(migrated_files, tmp_path)
    async with opened(Backend.in_folder(tmp_path), tmp_path) as one:
        yield one


async def let_in(office: Office, name: str, **fields: object) -> None:
    """Let a member use the API."""
    await members.edit(office.desk, office.host.owner, office.members[name].id, may_use_api=True, **fields)


def secret_on(page: Page) -> str:
    """The secret that a page shows."""
    (found,) = [one.text for one in page.root.all("code") if one.attributes.get("id") == "secret"]
    return found


async def generated(browser: Browser, **changed: str) -> str:
    """Generate a token as a member does, from the tab on."""
    page = await browser.open(f"{API}/generate")
    issued = await browser.submit(page, f"{API}/generate", **changed)
    assert 200 == issued.status, issued.text
    return secret_on(issued)


async def status(office: Office, secret: str) -> int:
    """What a call with a token is answered."""
    return (await office.host.get("/api/v1/customers", secret)).status_code


async def test_member_generates_a_new_token_and_the_old_one_is_refused(office: Office) -> None:
    await let_in(office, "Cy")
    browser = await office.signed_in("Cy")
    assert API in (await browser.open("/console")).links | (await browser.open(PREFERENCES)).links
    first = await generated(browser)
    assert "works from now on" in (await browser.open(API)).text or first.startswith("acme_pat_")
    page = await browser.open(API)
    assert first[:13] in page.text
    assert first not in page.text
    second = await generated(browser)
    assert [401, 200] == [await status(office, one) for one in (first, second)]


async def test_named_tokens_end_with_the_box_that_comes_ticked(office: Office) -> None:
    await let_in(office, "Cy")
    browser = await office.signed_in("Cy")
    await generated(browser)
    named = await made(browser, "Zapier")
    page = await browser.open(f"{API}/generate")
    assert "yes" == page.fields(f"{API}/generate")["end_named"]
    fields = page.fields(f"{API}/generate")
    del fields["end_named"]
    kept = secret_on(Page(await browser.send(f"{API}/generate", fields)))
    assert [200, 200] == [await status(office, one) for one in (named, kept)]
    await generated(browser)
    assert [401, 401] == [await status(office, one) for one in (named, kept)]


async def made(browser: Browser, name: str, **fields: str) -> str:
    """Make a named token that reads customers."""
    page = await browser.open(f"{API}/new")
    issued = await browser.submit(page, f"{API}/new", name=name, **{"level.customers": "read", **fields})
    assert 200 == issued.status, issued.text
    return secret_on(issued)


async def test_form_sent_again_makes_no_second_token(office: Office) -> None:
    await let_in(office, "Cy")
    browser = await office.signed_in("Cy")
    page = await browser.open(f"{API}/generate")
    first = secret_on(await browser.submit(page, f"{API}/generate"))
    again = await browser.submit(page, f"{API}/generate")
    assert "was made the first time" in again.text
    assert 200 == await status(office, first)


async def test_named_token_asks_for_what_it_may_do_and_until_when(office: Office) -> None:
    await let_in(office, "Cy")
    browser = await office.signed_in("Cy")
    page = await browser.open(f"{API}/new")
    for wrong, told in (
        ({"name": "x"}, "Say what the token may do"),
        ({"name": "x", "level.customers": "write"}, "Nobody can give more"),
        ({"name": " ", "level.customers": "read"}, "1 to 100 printable"),
        ({"name": "x", "level.customers": "read", "expires_at": "2199-01-01"}, "365 days at most"),
    ):
        refused = await browser.submit(page, f"{API}/new", **wrong)
        assert refused.status in (400, 403)
        assert told in refused.text
    await made(browser, "Zapier")
    listed = await browser.open(API)
    assert "Zapier" in listed.text
    (revoke,) = [link for link in listed.links if link.endswith("/revoke")]
    gone = await browser.submit(await browser.open(revoke), revoke)
    assert "Zapier has ended" in gone.text


async def test_tab_is_for_members_who_may_use_the_api_and_others_learn_who_can_let_them(office: Office) -> None:
    browser = await office.signed_in("Cy")
    page = await browser.open(PREFERENCES)
    assert API not in page.links
    assert "You may not use the Acme API" in page.text
    for who in ("Ada Park", "Bo Park"):
        assert who in page.text
    refused = await browser.open(API)
    assert (403, True) == (refused.status, "Ada Park" in refused.text)
    sent = await browser.send(f"{API}/generate", page.fields("/console/sign-out"))
    assert 403 == sent.status_code
    await let_in(office, "Cy")
    assert API in (await browser.open(PREFERENCES)).links


async def test_token_of_somebody_else_is_not_revoked_from_ones_own_page(office: Office) -> None:
    for name in ("Bo", "Cy"):
        await let_in(office, name)
    theirs = await generated(await office.signed_in("Cy"))
    bo = await office.signed_in("Bo")
    await generated(bo)
    (held,) = await tokens.page(office.desk, office.host.owner, limit=9, member_id=office.members["Cy"].id)
    for at in (API, MINE):
        assert 404 == (await bo.open(f"{at}/{held.token.id}/revoke")).status
    assert 200 == await status(office, theirs)


async def neighbour(office: Office, name: str = "Cy") -> Workspace:
    """Make another workspace of the same person, who may use its API."""
    workspace = await office.host.rack.workspaces.create("Neighbour", slug="neighbour")
    await office.host.rack.members.add(
        workspace.id, email=office.members[name].email, name=f"{name} Park", role=Role.MEMBER, may_use_api=True
    )
    return workspace


async def test_person_in_two_companies_sees_and_ends_everything_they_hold(office: Office) -> None:
    await let_in(office, "Cy")
    there = await neighbour(office)
    browser = await office.signed_in("Cy")
    here = await generated(browser)
    page = await browser.open("/console/workspaces")
    await browser.send("/console/workspaces", page.fields("/console/workspaces") | {"workspace_id": there.id})
    elsewhere, named = await generated(browser), await made(browser, "Zapier")
    mine = await browser.open(MINE)
    assert ["VML", "Neighbour"] == [name for name in ("VML", "Neighbour") if name in mine.text]
    (first,) = [link for link in mine.links if link.endswith("/revoke")][:1]
    await browser.submit(await browser.open(first), first)
    assert 2 == [await status(office, one) for one in (here, elsewhere, named)].count(200)
    ended = await browser.submit(await browser.open(f"{MINE}/end"), f"{MINE}/end")
    assert "2 tokens have ended" in ended.text
    assert [401, 401, 401] == [await status(office, one) for one in (here, elsewhere, named)]


async def test_default_token_lists_its_persons_workspaces_and_no_other_credential_does(office: Office) -> None:
    await let_in(office, "Cy")
    there = await neighbour(office)
    browser = await office.signed_in("Cy")
    default = await generated(browser)
    named = await made(browser, "narrow")
    key = (await office.host.key()).secret.text
    found = {}
    for name, secret in (("default", default), ("named", named), ("key", key)):
        answer = (await office.host.get("/api/v1/me/workspaces", secret)).json()["data"]
        found[name] = [(one["name"], one["is_current"], one["role"]) for one in answer]
    here = office.host.workspace.name
    assert {"default": [("Neighbour", False, "member"), (here, True, "member")], "named": [(here, True, "member")]} == {
        name: found[name] for name in ("default", "named")
    }
    assert [(here, True, None)] == found["key"]
    member = (await office.host.rack.members.list(there.id))[0]
    await members.edit(office.desk, await office.host.rack.workspaces.operator(there.id), member.id, status=MemberStatus.INACTIVE)
    assert [here] == [one["name"] for one in (await office.host.get("/api/v1/me/workspaces", default)).json()["data"]]


async def test_admin_locks_a_former_partner_out_in_one_action(office: Office) -> None:
    desk, owner = office.desk, office.host.owner
    await let_in(office, "Cy", partner=NORTHWIND)
    await let_in(office, "Bo")
    partner_key = await office.host.key(name="Northwind sync")
    await integrations.edit(desk, owner, partner_key.key.integration_id, partner=NORTHWIND)
    other_key = await office.host.key(name="ours")
    theirs, ours = await generated(await office.signed_in("Cy")), await generated(await office.signed_in("Bo"))
    ada = await office.signed_in("Ada")
    listed = await ada.open(f"{ACCESS}?partner={NORTHWIND.replace('&', '%26').replace(' ', '+')}")
    assert "Cy Park" in listed.text
    assert "Bo Park (" not in listed.text
    (path,) = [link for link in listed.links if "partner=" in link and "/revoke?" in link]
    asked = await ada.open(path)
    for told in ("1 personal token of 1 member", "1 key of Northwind sync"):
        assert told in asked.text
    done = await ada.submit(asked, f"{ACCESS}/revoke")
    assert "Nothing that Northwind & Söhne holds is accepted any more" in done.text
    assert [401, 401, 200, 200] == [await status(office, one) for one in (theirs, partner_key.secret.text, ours, other_key.secret.text)]
    assert 403 == (await (await office.signed_in("Cy")).open(API)).status


async def test_person_is_locked_out_and_the_keys_that_they_know_are_listed(office: Office) -> None:
    await let_in(office, "Bo")
    bo = await office.signed_in("Bo")
    token = await generated(bo)
    page = await bo.open("/console/keys/new")
    await bo.submit(page, "/console/keys", name="made by Bo")
    ada = await office.signed_in("Ada")
    path = f"{ACCESS}/revoke?member={office.members['Bo'].id}"
    asked = await ada.open(path)
    assert "1 key goes on" in asked.text
    done = await ada.submit(asked, f"{ACCESS}/revoke")
    assert 401 == await status(office, token)
    assert "Keys that Bo Park may have" in done.text
    assert "made by Bo" in done.text


async def test_former_and_inactive_members_are_found_by_one_filter(office: Office) -> None:
    for name in ("Bo", "Cy"):
        await let_in(office, name)
        await generated(await office.signed_in(name))
    await members.remove(office.desk, office.host.owner, office.members["Cy"].id)
    ada = await office.signed_in("Ada")
    gone = await ada.open(f"{ACCESS}?who=former&state=ended")
    assert ("Former member" in gone.text, "bo@" in gone.text.lower()) == (True, False)
    assert "Nothing matches" in (await ada.open(f"{ACCESS}?who=former")).text
    assert "cy@" not in (await ada.open(f"{ACCESS}?who=active")).text.lower()


async def test_admin_revokes_one_token_of_somebody(office: Office) -> None:
    await let_in(office, "Cy")
    token = await generated(await office.signed_in("Cy"))
    ada = await office.signed_in("Ada")
    page = await ada.open(ACCESS)
    (path,) = [link for link in page.links if link.endswith("/revoke")]
    assert "has ended" in (await ada.submit(await ada.open(path), path)).text
    assert 401 == await status(office, token)


@pytest.mark.parametrize("path", [ACCESS, f"{ACCESS}/revoke?partner=x", f"{ACCESS}/x/revoke"])
async def test_access_of_others_is_for_admins(office: Office, path: str) -> None:
    await let_in(office, "Cy")
    assert 403 == (await (await office.signed_in("Cy")).open(path)).status


async def test_admin_takes_no_right_from_an_owner(office: Office) -> None:
    await let_in(office, "Ada")
    token = await generated(await office.signed_in("Ada"))
    bo = await office.signed_in("Bo")
    asked = await bo.open(f"{ACCESS}/revoke?member={office.members['Ada'].id}")
    refused = await bo.submit(asked, f"{ACCESS}/revoke")
    assert (403, True) == (refused.status, "Only an owner" in refused.text)
    assert 200 == await status(office, token)


async def test_partner_and_last_day_are_set_where_a_members_access_is_edited(office: Office) -> None:
    ada = await office.signed_in("Ada")
    path = f"/console/members/{office.members['Cy'].id}/edit"
    page = await ada.open(path)
    done = await ada.submit(page, path, partner=NORTHWIND, access_until="2099-05-01", may_use_api="yes")
    assert (True, True) == (NORTHWIND in done.text, "access until" in done.text)
    member = await office.host.rack.members.find(office.host.workspace.id, office.members["Cy"].id)
    assert member is not None
    assert (NORTHWIND, 4_081_363_199_999, True) == (member.partner, member.access_until, member.may_use_api)
    again = await ada.open(path)
    assert "2099-05-01" == again.fields(path)["access_until"]
    assert 400 == (await ada.submit(again, path, access_until="2020-01-01")).status
    await ada.submit(again, path, access_until="", partner="")
    cleared = await office.host.rack.members.find(office.host.workspace.id, member.id)
    assert cleared is not None
    assert (None, None) == (cleared.partner, cleared.access_until)


async def test_invitation_lets_somebody_use_the_api(office: Office) -> None:
    ada = await office.signed_in("Ada")
    page = await ada.open("/console/invitations/new")
    invited = await ada.submit(page, "/console/invitations", email="dee@acme.example", may_use_api="yes", go="invite")
    (link,) = [one.text for one in invited.root.all("code") if one.attributes.get("id") == "link"]
    dee = await office.browser()
    offer = await dee.open(link)
    await dee.submit(offer, "/console/invitation", name="Dee", password="three blue herons")
    assert 200 == (await dee.open(API)).status
