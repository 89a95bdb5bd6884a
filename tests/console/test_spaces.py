"""The pages of spaces: who is in one, people beside integrations, and nobody learns of a space that they are not in."""

import pytest

from keyrack.manage import spaces
from keyrack.model.permissions import OrgAccess, Rights, SpaceRole
from tests.console.browser import Page
from tests.console.test_integrations import token
from tests.console.visitors import Office

LIST, NEW = "/console/spaces", "/console/spaces/new"


async def space(office: Office, name: str = "Launch") -> str:
    return (await office.host.rack.spaces.create(office.host.workspace.id, name)).id


async def join(office: Office, space_id: str, name: str, role: SpaceRole) -> None:
    await office.host.rack.spaces.set_role(office.host.workspace.id, space_id, office.members[name].id, role)


async def test_people_and_integrations_stand_beside_each_other_with_their_roles(office: Office) -> None:
    launch = await space(office)
    await join(office, launch, "Cy", SpaceRole.VIEWER)
    await office.host.key(Rights(spaces={launch: SpaceRole.CONTRIBUTOR}), name="Sync")
    browser = await office.signed_in()
    page = await browser.open(f"{LIST}/{launch}")
    assert "Cy Park Person Viewer" in page.text
    assert "Sync Integration Contributor" in page.text
    assert "Cy Park" not in (await browser.open(f"{LIST}/{launch}?kind=integration")).text
    assert "Sync" not in (await browser.open(f"{LIST}/{launch}?kind=member")).text
    assert "Launch 1 1" in (await browser.open(LIST)).text


async def test_who_is_in_no_space_sees_none_and_who_is_in_one_sees_that(office: Office) -> None:
    launch, board = await space(office), await space(office, "Board")
    browser = await office.signed_in("Cy")
    page = await browser.open(LIST)
    assert "You are in no space yet" in page.text
    assert NEW not in page.links
    await join(office, launch, "Cy", SpaceRole.VIEWER)
    page = await browser.open(LIST)
    assert ("Launch" in page.text, "Board" in page.text) == (True, False)
    one = await browser.open(f"{LIST}/{launch}")
    assert 200 == one.status
    assert not {link for link in one.links if link.startswith(f"{LIST}/{launch}/")}
    assert 404 == (await browser.open(f"{LIST}/{board}")).status


async def test_a_manager_who_is_no_admin_changes_roles_and_no_more(office: Office) -> None:
    launch = await space(office)
    await join(office, launch, "Cy", SpaceRole.MANAGER)
    issued = await office.host.key(Rights(spaces={launch: SpaceRole.VIEWER}), name="Sync")
    browser = await office.signed_in("Cy")
    path = f"{LIST}/{launch}/roles/{issued.integration.id}"
    assert path in (await browser.open(f"{LIST}/{launch}")).links
    changed = await browser.submit(await browser.open(path), path, role="contributor")
    assert "Sync is contributor here from now on." in changed.text
    fields = (await browser.open(path)).fields(path)
    removed = Page(await browser.send(path, fields | {"go": "remove"}))
    assert "Sync is no longer in this space." in removed.text
    assert [403] * 3 == [(await browser.open(f"{LIST}/{launch}/{below}")).status for below in ("edit", "delete", "roles")]


@pytest.mark.parametrize(
    ("path", "purpose", "fields"),
    [
        ("", "spaces.create", {"name": "x"}),
        ("/{space}/edit", "spaces.edit", {"name": "x"}),
        ("/{space}/delete", "spaces.delete", {}),
        ("/{space}/roles", "spaces.add", {"holder": "{holder}", "role": "viewer"}),
        ("/{space}/roles/{holder}", "spaces.role", {"role": "manager"}),
        ("/{space}/roles/{holder}", "spaces.role", {"go": "remove"}),
    ],
)
async def test_a_viewer_changes_nothing_even_with_a_token(office: Office, path: str, purpose: str, fields: dict[str, str]) -> None:
    launch = await space(office)
    await join(office, launch, "Cy", SpaceRole.VIEWER)
    issued = await office.host.key(Rights(OrgAccess.READER, spaces={launch: SpaceRole.VIEWER}), name="Sync")
    browser = await office.signed_in("Cy")
    before = await spaces.holders(office.desk, office.host.owner, launch, limit=10)
    named = {"space": launch, "holder": issued.integration.id}
    sent = {name: value.format(**named) for name, value in fields.items()} | {"form_token": await token(office, browser, purpose)}
    assert 403 == (await browser.send(LIST + path.format(**named), sent)).status_code
    assert before == await spaces.holders(office.desk, office.host.owner, launch, limit=10)
    assert ["Launch"] == [one.name for one in await spaces.page(office.desk, office.host.owner, limit=10)]


async def test_a_name_that_cannot_be_is_told_beside_its_field(office: Office) -> None:
    launch = await space(office)
    browser = await office.signed_in()
    page = await browser.submit(await browser.open(NEW), LIST, name=" ")
    assert (400, True) == (page.status, "Write 1 to 100" in page.text)
    path = f"{LIST}/{launch}/edit"
    page = await browser.submit(await browser.open(path), path, name="a" * 101)
    assert (400, True) == (page.status, "Write 1 to 100" in page.text)


async def test_who_is_added_to_a_space_is_chosen_with_a_role(office: Office) -> None:
    launch = await space(office)
    browser = await office.signed_in()
    sent = {"form_token": await token(office, browser, "spaces.add"), "holder": office.members["Bo"].id, "role": "viewer"}
    for wrong, says in (
        ({"holder": ""}, "Choose a person or an integration."),
        ({"role": "emperor"}, "Choose viewer, contributor or manager."),
    ):
        page = Page(await browser.send(f"{LIST}/{launch}/roles", sent | wrong))
        assert (400, True) == (page.status, says in page.text)
    page = Page(await browser.send(f"{LIST}/{launch}/roles", sent))
    assert "Bo Park is viewer here from now on." in page.text


async def test_a_space_of_another_workspace_looks_like_none(office: Office) -> None:
    neighbour = await office.host.other_workspace()
    theirs = await office.host.rack.spaces.create(neighbour.workspace.id, "Theirs")
    browser = await office.signed_in()
    assert "Theirs" not in (await browser.open(LIST)).text
    assert [404] * 4 == [(await browser.open(f"{LIST}/{theirs.id}{below}")).status for below in ("", "/edit", "/delete", "/roles")]
