"""Keys that somebody made and may have kept are counted when they go, and listed to be rotated."""

from keyrack.manage import keys, sessions
from keyrack.model.principals import Principal
from tests.console.visitors import Office

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
    assert "2 keys that they made keep working, and they may have a copy of each" in asked.text
    removed = await browser.submit(asked, path)
    assert "Bo Park is no longer a member. 2 keys that they made work on" in removed.text
    assert (True, True, False) == tuple(name in removed.root.all("table")[0].text for name in ("Zapier", "CRM sync", "prod-server"))
    assert "Made by Bo Park" in removed.text
    for issued in made:
        rotate = f"{KEYS}/{issued.key.id}/rotate"
        await browser.submit(await browser.open(rotate), rotate)
    assert "No key matches" in (await browser.open(f"{KEYS}?maker={office.members['Bo'].id}")).text


async def test_who_made_no_key_goes_without_a_word_of_keys(office: Office) -> None:
    browser = await office.signed_in()
    path = f"/console/members/{office.members['Cy'].id}/remove"
    asked = await browser.open(path)
    assert "keep working" not in asked.text
    assert "/console/members" == (await browser.submit(asked, path)).answer.url.path
