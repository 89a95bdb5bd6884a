"""Keys that somebody made and may have kept are counted when they go, and listed to be rotated."""

from dataclasses import replace

from keyrack.manage import keys, revealing, sessions
from keyrack.model.principals import Principal
from tests.console.visitors import Office
from tests.hosts import ADMIN_RIGHTS

KEYS = "/console/keys"


async def principal(office: Office, name: str) -> Principal:
    link = await sessions.sign_in_link(office.desk, office.members[name].person_id, office.host.workspace.id)
    found = await sessions.find(office.desk, (await sessions.redeem(office.desk, link.text)).secret.text)
    assert found is not None
    return found


async def test_keys_of_who_is_removed_are_counted_and_listed_until_they_are_rotated(office: Office) -> None:
    bo = await principal(office, "Bo")
    made = [await keys.create(office.desk, bo, name=name) for name in ("Zapier", "CRM sync")]
    ended = await keys.create(office.desk, bo, name="old laptop")
    await keys.revoke(office.desk, bo, ended.key.id)
    await office.host.key(name="prod-server")
    browser = await office.signed_in()
    path = f"/console/members/{office.members['Bo'].id}/remove"
    asked = await browser.open(path)
    assert "2 keys that they made or were shown keep working, and they may have a copy of each" in asked.text
    removed = await browser.submit(asked, path)
    assert "Bo Park is no longer a member. 2 keys that they made or were shown work on" in removed.text
    assert (True, True, False) == tuple(name in removed.root.all("table")[0].text for name in ("Zapier", "CRM sync", "prod-server"))
    assert "Made by Bo Park" in removed.text
    for issued in made:
        rotate = f"{KEYS}/{issued.key.id}/rotate"
        await browser.submit(await browser.open(rotate), rotate)
    assert "No key matches" in (await browser.open(f"{KEYS}?maker={office.members['Bo'].id}")).text


async def test_key_that_somebody_was_shown_counts_as_one_that_they_know(office: Office) -> None:
    bo = replace(await principal(office, "Bo"), proved_at=office.host.clock.now())
    await revealing.switch(office.desk, bo, True)
    shown, other = await office.host.key(name="prod-server"), await office.host.key(name="nightly")
    await revealing.reveal(office.desk, bo, shown.key.id)
    browser = await office.signed_in()
    listed = await browser.open(f"{KEYS}?maker={office.members['Bo'].id}")
    assert (True, False, True) == tuple(name in listed.text for name in ("prod-server", other.key.name, "Known to one member"))
    admin = (await office.host.key(ADMIN_RIGHTS)).secret.text
    found = (await office.host.get(f"/api/v1/keys?known_to={office.members['Bo'].id}", admin)).json()["data"]
    assert ["prod-server"] == [one["name"] for one in found]


async def test_who_made_no_key_goes_without_a_word_of_keys(office: Office) -> None:
    browser = await office.signed_in()
    path = f"/console/members/{office.members['Cy'].id}/remove"
    asked = await browser.open(path)
    assert "keep working" not in asked.text
    assert "/console/members" == (await browser.submit(asked, path)).answer.url.path
