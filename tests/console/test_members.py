"""The pages of members and invitations: the steps of each person, and that nobody does there what they may not do.

An admin invites: Members → Invite → email, role → the link to hand over, or a mail; then the list of those who wait: new link, take back.
An admin looks after a member: the row's menu → edit access, role, link for a password, deactivate and activate, remove. An owner hands
over. A plain member finds no such page; opening one names who can help.
"""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from keyrack.console.forms import FormTokens
from keyrack.manage import invitations, members, sessions
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights, SpaceRole
from tests.backends import Backend
from tests.console.browser import Browser, Page
from tests.console.conftest import opened
from tests.console.test_sign_in import PASSWORD, with_password
from tests.console.visitors import Office
from tests.hosts import BRAND

MEMBERS, INVITATIONS = "/console/members", "/console/invitations"
OF_CY = ["edit", "role", "deactivate", "remove", "password", "activate"]


async def forged(office: Office, browser: Browser, purpose: str, **fields: str) -> dict[str, str]:
    """The fields of a form that no page has shown to whoever sends it."""
    (secret,) = browser.client.cookies.values()
    member = await sessions.find(office.desk, secret)
    assert member is not None
    return {"form_token": FormTokens(office.host.rack.assembly.signers["form"]).make(member, purpose), **fields}


async def state(office: Office) -> list[Member]:
    return await members.page(office.desk, office.host.owner, limit=10)


async def get(office: Office, name: str) -> Member:
    return await members.get(office.desk, office.host.owner, office.members[name].id)


async def do(office: Office, browser: Browser, name: str, what: str, **fields: str) -> Page:
    path = f"{MEMBERS}/{office.members[name].id}/{what}"
    return await browser.submit(await browser.open(path), path, **fields)


async def test_a_member_without_the_right_sees_no_button_and_is_refused_every_page_and_every_action(office: Office) -> None:
    invited = (await invitations.create(office.desk, office.host.owner, email="dee@acme.example")).invitation
    browser = await office.signed_in("Cy")
    at, before = f"{MEMBERS}/{office.members['Bo'].id}", await state(office)
    actions = {
        f"{at}/edit": ("members.edit", {"org_access": "admin"}),
        f"{at}/role": ("members.role", {"role": "member"}),
        f"{at}/deactivate": ("members.deactivate", {}),
        f"{at}/remove": ("members.remove", {}),
        f"{at}/transfer": ("members.transfer", {}),
        f"{at}/password": ("members.password", {}),
        f"{at}/activate": ("members.activate", {}),
        INVITATIONS: ("invitations.create", {"email": "eve@acme.example", "role": "admin"}),
        f"{INVITATIONS}/{invited.id}/renew": ("invitations.renew", {}),
        f"{INVITATIONS}/{invited.id}/revoke": ("invitations.revoke", {}),
        "/console/settings": ("settings.name", {"name": "Taken"}),
        "/console/settings/revealing": ("settings.revealing", {"revealing": "on"}),
    }
    for path, (purpose, fields) in actions.items():
        answer = await browser.send(path, await forged(office, browser, purpose, **fields))
        assert 403 == answer.status_code, path
        assert {f"/console/{end}" for end in ("sign-out", "theme")} == Page(answer).actions, path
    for path in (MEMBERS, INVITATIONS, f"{INVITATIONS}/new", *(path for path in actions if not path.endswith(("/activate", "/renew")))):
        page = await browser.open(path)
        assert (403, True) == (page.status, "Ada Park" in page.text and "Bo Park" in page.text), path
    links = (await browser.open("/console")).links
    assert not [link for link in links if urlsplit(link).path.startswith((MEMBERS, INVITATIONS, "/console/settings"))]
    assert before == await state(office)
    assert [invited] == await invitations.page(office.desk, office.host.owner, limit=5)


async def test_an_admin_touches_no_owner_and_makes_none(office: Office) -> None:
    browser = await office.signed_in("Bo")
    before = await state(office)
    ada = f"{MEMBERS}/{office.members['Ada'].id}"
    page = await browser.open(MEMBERS)
    assert not [link for link in page.links | page.actions if link.startswith(ada) or link.endswith("/transfer")]
    fields = {"edit": {"org_access": "none"}, "role": {"role": "member"}}
    for what in ("edit", "role", "deactivate", "remove", "transfer", "password"):
        assert 403 == (await browser.open(f"{ada}/{what}")).status, what
        answer = await browser.send(f"{ada}/{what}", await forged(office, browser, f"members.{what}", **fields.get(what, {})))
        assert 403 == answer.status_code, what
    own = f"{MEMBERS}/{office.members['Bo'].id}/role"
    assert 403 == (await browser.send(own, await forged(office, browser, "members.role", role="owner"))).status_code
    invite = await browser.open(f"{INVITATIONS}/new")
    assert "Owner" not in invite.text
    sent = invite.fields(INVITATIONS) | {"email": "eve@acme.example", "role": "owner"}
    assert 403 == (await browser.send(INVITATIONS, sent)).status_code
    assert before == await state(office)


async def test_what_a_member_may_do_is_edited(office: Office) -> None:
    browser = await office.signed_in("Bo")
    fields = {"org_access": "none", "level.customers": "write", "may_use_api": "yes"}
    page = await do(office, browser, "Cy", "edit", **fields)
    assert "What Cy Park may do is changed" in page.text
    cy = await get(office, "Cy")
    assert (OrgAccess.NONE, {"customers": Level.WRITE}, True) == (cy.rights.org_access, dict(cy.rights.permissions), cy.may_use_api)
    again = (await browser.open(f"{MEMBERS}/{cy.id}/edit")).fields(f"{MEMBERS}/{cy.id}/edit")
    assert fields.items() <= again.items()
    refused = await do(office, browser, "Cy", "edit", org_access="everything")
    assert (400, True) == (refused.status, "Choose none, reader or admin" in refused.text)


async def test_where_a_brand_shows_no_levels_nobody_keeps_any_that_no_page_shows(tmp_path: Path) -> None:
    brand = replace(BRAND, edits_levels=False, edits_org_and_spaces=False)
    async with opened(Backend.in_folder(tmp_path), tmp_path, brand=brand) as office:
        browser = await office.signed_in("Ada")
        for org_access, levels in (("reader", {}), ("admin", {ALL: Level.WRITE})):
            assert 200 == (await do(office, browser, "Bo", "edit", org_access=org_access)).status
            bo = await get(office, "Bo")
            assert (org_access, levels) == (bo.rights.org_access, dict(bo.rights.permissions))


async def test_a_role_brings_its_own_access(office: Office) -> None:
    browser = await office.signed_in("Ada")
    assert "Cy Park is admin now" in (await do(office, browser, "Cy", "role", role="admin")).text
    cy = await get(office, "Cy")
    assert (Role.ADMIN, OrgAccess.ADMIN, {ALL: Level.WRITE}) == (cy.role, cy.rights.org_access, dict(cy.rights.permissions))
    assert 400 == (await do(office, browser, "Cy", "role", role="king")).status


async def test_a_deactivated_member_is_signed_out_and_an_activated_one_signs_in_anew(office: Office) -> None:
    browser, cy = await office.signed_in("Bo"), await office.signed_in("Cy")
    assert "is deactivated" in (await do(office, browser, "Cy", "deactivate")).text
    assert 401 == (await cy.open("/console")).status
    page = await browser.open(f"{MEMBERS}?status=inactive")
    assert "Cy Park" in page.text
    await browser.submit(page, f"{MEMBERS}/{office.members['Cy'].id}/activate")
    assert MemberStatus.ACTIVE is (await get(office, "Cy")).status
    assert 401 == (await cy.open("/console")).status
    assert 200 == (await (await office.signed_in("Cy")).open("/console")).status


async def test_removing_says_what_ends_and_ends_it(office: Office) -> None:
    browser, cy = await office.signed_in("Bo"), await office.signed_in("Cy")
    asked = await browser.open(f"{MEMBERS}/{office.members['Cy'].id}/remove")
    assert "every sign-in of Cy Park" in asked.text
    assert "Cy Park is no longer a member" in (await do(office, browser, "Cy", "remove")).text
    assert 401 == (await cy.open("/console")).status
    assert 404 == (await browser.open(f"{MEMBERS}/{office.members['Cy'].id}/edit")).status


async def test_the_last_owner_stays_and_the_page_says_so_beside_the_button(office: Office) -> None:
    browser = await office.signed_in("Ada")
    before = await state(office)
    pages = [await do(office, browser, "Ada", what, **fields) for what, fields in (("role", {"role": "admin"}), ("deactivate", {}))]
    pages.append(await do(office, browser, "Ada", "remove"))
    pages.append(await browser.submit(await browser.open("/console/leave"), "/console/leave"))
    for page in pages:
        assert (409, True) == (page.status, "This is the last owner" in page.text)
        assert [True] == [
            "last owner" in one.text for one in page.root.all("section") if one.attributes.get("data-dialog-body") is not None
        ]
    assert before == await state(office)


async def test_an_owner_hands_over_and_is_an_admin_then(office: Office) -> None:
    browser = await office.signed_in("Ada")
    page = await do(office, browser, "Bo", "transfer")
    assert "Bo Park is the owner now" in page.text
    assert [Role.ADMIN, Role.OWNER] == [(await get(office, name)).role for name in ("Ada", "Bo")]
    assert 403 == (await browser.open(f"{MEMBERS}/{office.members['Cy'].id}/transfer")).status
    left = await browser.submit(await browser.open("/console/leave"), "/console/leave")
    assert "You have left VML" in left.text
    assert 401 == (await browser.open("/console")).status


async def test_the_list_is_searched_filtered_and_comes_in_pages(office: Office) -> None:
    for number in range(30):
        await office.host.rack.members.add(office.host.workspace.id, email=f"p{number}@acme.example", name=f"Person {number}")
    browser = await office.signed_in()
    first = await browser.open(MEMBERS)
    assert 25 == first.text.count("@acme.example")
    (older,) = {link for link in first.links if "cursor=" in link}
    assert 8 == (await browser.open(f"{MEMBERS}{older}")).text.count("@acme.example")
    assert 1 == (await browser.open(f"{MEMBERS}?search=p29@")).text.count("@acme.example")
    assert 1 == (await browser.open(f"{MEMBERS}?role=owner")).text.count("@acme.example")
    assert "Nobody matches" in (await browser.open(f"{MEMBERS}?search=xyz")).text
    assert 400 == (await browser.open(f"{MEMBERS}?role=king")).status


async def test_an_invitation_shows_its_link_once_is_renewed_and_taken_back(office: Office) -> None:
    browser, dee = await office.signed_in("Bo"), await office.browser()
    page = await browser.submit(await browser.open(f"{INVITATIONS}/new"), INVITATIONS, email="dee@acme.example", role="admin")
    first = link_on(page)
    assert (await dee.open(first)).status == 200
    again = await browser.submit(await browser.open(f"{INVITATIONS}/new"), INVITATIONS, email="dee@acme.example")
    assert (409, True) == (again.status, "An invitation of this email waits" in again.text)
    (one,) = await invitations.page(office.desk, office.host.owner, limit=5)
    second = link_on(await browser.submit(await browser.open(INVITATIONS), f"{INVITATIONS}/{one.id}/renew"))
    assert [410, 200] == [(await dee.open(link)).status for link in (first, second)]
    assert second not in (await browser.open(INVITATIONS)).answer.text
    at = f"{INVITATIONS}/{one.id}/revoke"
    assert "is taken back" in (await browser.submit(await browser.open(at), at)).text
    assert 410 == (await dee.open(second)).status
    assert "dee@acme.example" in (await browser.open(f"{INVITATIONS}?state=over")).text


async def test_what_a_member_may_do_is_chosen_in_the_invitation_and_goes_along_through_its_steps(office: Office) -> None:
    space = await office.host.rack.spaces.create(office.host.workspace.id, "Launch")
    browser = await office.signed_in()
    form = await browser.open(f"{INVITATIONS}/new")
    assert "reader" == form.fields(INVITATIONS)["org_access"]
    chosen = {"email": "dee@acme.example", "org_access": "none", "level.customers": "write"}
    step = await browser.submit(form, INVITATIONS, **chosen, go="spaces")
    back = await browser.submit(step, INVITATIONS, **{f"role.{space.id}": "viewer"}, go="back")
    assert chosen.items() <= back.fields(INVITATIONS).items()
    step = await browser.submit(back, INVITATIONS, go="spaces")
    assert 200 == (await browser.submit(step, INVITATIONS, go="invite")).status
    (one,) = await invitations.page(office.desk, office.host.owner, limit=5)
    assert Rights(permissions={"customers": Level.WRITE}, spaces={space.id: SpaceRole.VIEWER}) == one.rights
    assert "1 category, 1 space" in (await browser.open(INVITATIONS)).text
    admin = await browser.submit(form, INVITATIONS, email="eve@acme.example", role="admin", org_access="none", go="invite")
    assert 200 == admin.status
    assert Role.ADMIN.default_rights == (await invitations.page(office.desk, office.host.owner, limit=1))[0].rights


async def test_with_mail_an_invitation_shows_no_link(mailing: Office) -> None:
    browser = await mailing.signed_in_over_https()
    page = await browser.submit(await browser.open(f"{INVITATIONS}/new"), INVITATIONS, email="dee@acme.example")
    assert "An invitation is on its way to dee@acme.example" in page.text
    assert "_invitation_" not in page.answer.text


async def test_an_admin_hands_a_member_a_link_for_a_new_password(office: Office) -> None:
    await with_password(office, "Cy")
    page = await do(office, await office.signed_in("Bo"), "Cy", "password")
    link = link_on(page)
    cy = await office.browser()
    home = await cy.submit(await cy.open(link), "/console/new-password", password=f"{PASSWORD} new")
    assert "Cy Park" in home.text


def link_on(page: Page) -> str:
    """The link that a page shows to be copied."""
    assert 200 == page.status
    (shown,) = [one for one in page.root.all("code") if one.attributes.get("id") == "link"]
    return shown.text
