"""Every list of the console is sorted by the headings of its table, and goes on in the order that was asked for."""

import pytest

from keyrack.model.members import Role
from keyrack.model.permissions import OrgAccess, Rights
from tests.console.browser import Element, Page
from tests.console.visitors import Office

LISTS = {
    "/console/keys": ("name", "created_at"),
    "/console/integrations": ("name", "created_at"),
    "/console/members": ("name", "created_at"),
    "/console/spaces": ("name", "created_at"),
    "/console/invitations": ("created_at", "expires_at"),
}


def sorting(page: Page) -> dict[str, Element]:
    """The headings that sort, by what they lead to."""
    return {head.all("a")[0].attributes["href"]: head for head in page.root.all("th") if head.all("a")}


async def furnish(office: Office) -> None:
    for name in ("beta", "Alpha", "Gamma"):
        await office.host.key(Rights(OrgAccess.READER), name=name)
        await office.host.rack.spaces.create(office.host.workspace.id, name)
        office.host.clock.pass_seconds(1)
    browser = await office.signed_in()
    for name in ("dee", "eve"):
        await browser.submit(await browser.open("/console/invitations/new"), "/console/invitations", email=f"{name}@acme.example")


@pytest.mark.parametrize("path", LISTS)
async def test_headings_lead_to_both_directions_and_say_which_one_it_is(office: Office, path: str) -> None:
    await furnish(office)
    browser = await office.signed_in()
    page = await browser.open(path)
    (current,) = [head for head in sorting(page).values() if "aria-sort" in head.attributes]
    assert "descending" == current.attributes["aria-sort"]
    for column in LISTS[path]:
        seen = []
        for sort in (column, f"-{column}"):
            page = await browser.open(f"{path}?sort={sort}")
            (head,) = [head for head in sorting(page).values() if "aria-sort" in head.attributes]
            assert ("descending" if sort.startswith("-") else "ascending") == head.attributes["aria-sort"]
            seen.append([row.all("td")[0].text.split()[0] for row in page.root.all("tr") if row.all("td")])
        assert seen[0] == seen[1][::-1]
        assert seen[0] == sorted(seen[0], key=str.lower) or column != "name"


async def test_order_stays_with_filters_and_pages_and_a_cursor_of_another_is_refused(office: Office) -> None:
    for number in range(27):
        await office.host.rack.members.add(
            office.host.workspace.id, email=f"m{number}@acme.example", name=f"Many {number:02}", role=Role.MEMBER
        )
    browser = await office.signed_in()
    page = await browser.open("/console/members?search=many&sort=name")
    assert "name" == page.fields("/console/members")["sort"]
    (following,) = [link for link in page.links if "cursor=" in link]
    assert "search=many&sort=name&cursor=" in following
    last = await browser.open(f"/console/members{following}")
    assert [True, True] == [f"Many {number}" in last.text for number in (25, 26)]
    assert "Many 24" not in last.text
    assert 400 == (await browser.open(f"/console/members{following.replace('sort=name', 'sort=-name')}")).status
    assert all("cursor=" not in address for address in sorting(last))
