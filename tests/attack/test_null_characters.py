"""A null character, which PostgreSQL neither stores nor looks for, is refused and breaks nothing."""

from tests.console.visitors import Office

ADDRESSES = (
    "members/%00/edit",
    "members?search=%00",
    "keys?search=%00",
    "keys/%00/reveal",
    "integrations/%00",
    "invitations/%00/revoke",
    "spaces/%00",
    "logs/%00",
    "logs?key=%00",
)


async def test_addresses_with_a_null_character_are_those_of_nothing(office: Office) -> None:
    browser = await office.signed_in()
    answers = {address: (await browser.client.get(f"/console/{address}")).status_code for address in ADDRESSES}
    assert dict.fromkeys(ADDRESSES, 404) == answers


async def test_forms_with_a_null_character_are_refused(office: Office) -> None:
    stranger, ada = await office.browser(), await office.signed_in()
    assert 400 == (await stranger.send("/console/sign-in", {"email": "a\0@acme.example", "password": "nine blue herons"})).status_code
    page = await ada.open("/console/spaces/new")
    assert 400 == (await ada.submit(page, "/console/spaces", name="a\0b")).status
    assert 400 == (await ada.send("/console/spaces", page.fields("/console/spaces") | {"name": "Ops", "role.\0": "viewer"})).status_code
