"""Pages point out what a key was never used for, and take it with one click that another one undoes."""

import pytest

from keyrack.manage import events, integrations
from keyrack.manage.keys import Issued
from keyrack.model.permissions import Level, Rights
from tests.console.visitors import Office

KEYS = "/console/keys"
DAY = 24 * 3600
BOTH = Rights(permissions={"customers": Level.WRITE, "onboardings": Level.WRITE})


async def used(office: Office, rights: Rights = BOTH, path: str = "/customers") -> Issued:
    """Make a key, and use it for one thing."""
    issued = await office.host.key(rights, name="Zapier")
    assert 200 == (await office.host.get(f"/api/v1{path}", issued)).status_code
    await office.host.rack.assembly.moving.turn()
    return issued


def narrowing(issued: Issued) -> str:
    return f"/console/integrations/{issued.integration.id}/narrow"


async def held(office: Office, issued: Issued) -> dict[str, Level]:
    return dict((await integrations.get(office.desk, office.host.owner, issued.integration.id)).rights.permissions)


async def test_list_of_keys_points_it_out_after_a_week_and_one_click_takes_it(office: Office) -> None:
    issued = await used(office)
    browser = await office.signed_in()
    assert narrowing(issued) not in (await browser.open(KEYS)).actions
    office.host.clock.pass_seconds(8 * DAY)
    browser = await office.signed_in()
    page = await browser.open(KEYS)
    assert "Has never used customers:write and 1 more" in page.text
    narrowed = await browser.submit(page, narrowing(issued))
    assert "customers:write, onboardings:write" in narrowed.text
    assert "It keeps customers:read." in narrowed.text
    assert {"customers": Level.READ} == await held(office, issued)
    (event, *_) = await events.page(office.desk, office.host.owner, limit=1, kind="integration.updated")
    assert "Ada Park" == event.actor.name
    undone = await browser.submit(narrowed, narrowing(issued).replace("narrow", "widen"))
    assert (200, "Zapier may do again what it could before." in undone.text) == (undone.status, True)
    assert BOTH.permissions == await held(office, issued)
    assert undone.answer.url.path == KEYS


@pytest.mark.parametrize("where", ["/console/keys/{key}/permissions", "/console/integrations/{integration}"])
async def test_page_of_a_key_and_of_an_integration_say_what_would_be_left(office: Office, where: str) -> None:
    issued = await used(office)
    path = where.format(key=issued.key.id, integration=issued.integration.id)
    browser = await office.signed_in()
    page = await browser.open(path)
    assert "Since it was made it was not used for customers:write, onboardings:write." in page.text
    assert "Narrowed, it keeps customers:read." in page.text
    await browser.submit(page, narrowing(issued))
    assert "was not used for" not in (await browser.open(path)).text
    again = await browser.submit(page, narrowing(issued))
    assert "There is nothing to take from" in again.text


async def test_nothing_is_said_of_a_key_that_was_never_used_or_only_asked_who_it_is(office: Office) -> None:
    issued = await used(office, path="/me")
    office.host.clock.pass_seconds(8 * DAY)
    browser = await office.signed_in()
    for path in (KEYS, f"{KEYS}/{issued.key.id}/permissions"):
        assert narrowing(issued) not in (await browser.open(path)).actions


async def test_who_may_not_edit_narrows_nothing(office: Office) -> None:
    issued = await used(office)
    admin, plain = await office.signed_in(), await office.signed_in("Cy")
    form = (await admin.open(f"{KEYS}/{issued.key.id}/permissions")).fields(narrowing(issued))
    assert 403 == (await plain.send(narrowing(issued), form)).status_code
    own = (await plain.open("/console")).fields("/console/sign-out")
    assert 403 == (await plain.send(narrowing(issued), own)).status_code
    assert 403 == (await admin.send(narrowing(issued), form, site="cross-site")).status_code
    assert BOTH.permissions == await held(office, issued)


async def test_undoing_gives_back_nothing_after_another_change(office: Office) -> None:
    issued = await used(office)
    browser = await office.signed_in()
    narrowed = await browser.submit(await browser.open(f"{KEYS}/{issued.key.id}/permissions"), narrowing(issued))
    office.host.clock.pass_seconds(1)
    await integrations.edit(office.desk, office.host.owner, issued.integration.id, permissions={"onboardings": Level.READ})
    undone = await browser.submit(narrowed, narrowing(issued).replace("narrow", "widen"))
    assert "was changed in between" in undone.text
    assert {"onboardings": Level.READ} == await held(office, issued)


async def test_idle_keys_are_listed_alone(office: Office) -> None:
    forgotten = await office.host.key(name="forgotten")
    browser = await office.signed_in()
    assert "No idle keys" in (await browser.open(f"{KEYS}?state=idle")).text
    office.host.clock.pass_seconds(31 * DAY)
    await office.host.key(name="prod-server")
    page = await (await office.signed_in()).open(f"{KEYS}?state=idle")
    assert (True, False) == (forgotten.key.prefix in page.text, "prod-server" in page.text)
