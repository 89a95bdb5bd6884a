"""A form that is sent again, by a second press or a reload, makes nothing twice: it leads to what the first one has made."""

import asyncio

from keyrack.manage import integrations, invitations, keys, spaces
from tests.console.browser import Browser, Page
from tests.console.visitors import Office

KEYS, INTEGRATIONS, SPACES, INVITATIONS = "/console/keys", "/console/integrations", "/console/spaces", "/console/invitations"


async def test_one_key_is_made_and_its_secret_shown_once(office: Office) -> None:
    browser = await office.signed_in()
    fields = (await browser.open(f"{KEYS}/new")).fields(KEYS) | {"name": "local-dev"}
    first, second = [Page(await browser.send(KEYS, fields)) for _ in range(2)]
    (listed,) = await keys.page(office.desk, office.host.owner, limit=9)
    assert (True, False) == tuple("Copy your new key" in page.text for page in (first, second))
    assert f"local-dev ({listed.key.prefix}…) was made the first time that you pressed" in second.text
    assert 200 == Page(await browser.send(KEYS, (await browser.open(f"{KEYS}/new")).fields(KEYS) | {"name": "local-dev"})).status
    assert 2 == len(await keys.page(office.desk, office.host.owner, limit=9))


async def test_presses_at_the_same_time_make_one_key(office: Office) -> None:
    browser = await office.signed_in()
    fields = (await browser.open(f"{KEYS}/new")).fields(KEYS) | {"name": "local-dev"}
    answers = await asyncio.gather(*(browser.send(KEYS, fields) for _ in range(5)))
    assert {200} == {answer.status_code for answer in answers}
    assert 1 == sum("Copy your new key" in answer.text for answer in answers)
    assert 1 == len(await keys.page(office.desk, office.host.owner, limit=9))


async def test_a_form_that_came_back_with_a_mistake_is_sent_anew(office: Office) -> None:
    browser = await office.signed_in()
    fields = (await browser.open(f"{KEYS}/new")).fields(KEYS)
    again = Page(await browser.send(KEYS, fields | {"name": " "}))
    assert 400 == again.status
    assert "Copy your new key" in Page(await browser.send(KEYS, fields | {"name": "local-dev"})).text


async def test_one_integration_is_made_and_rotated_once(office: Office) -> None:
    browser = await office.signed_in()
    new = f"{INTEGRATIONS}/new"
    fields = (await browser.open(new)).fields(new) | {"name": "Sync", "org_access": "reader", "go": "save"}
    first, second = [Page(await browser.send(new, fields)) for _ in range(2)]
    (made,) = await integrations.page(office.desk, office.host.owner, limit=9)
    assert (True, False) == tuple("Copy the API key" in page.text for page in (first, second))
    assert f"{INTEGRATIONS}/{made.id}" == second.answer.url.path
    rotate = f"{INTEGRATIONS}/{made.id}/rotate"
    fields = (await browser.open(rotate)).fields(rotate)
    first, second = [Page(await browser.send(rotate, fields)) for _ in range(2)]
    assert (True, False) == tuple("Copy the API key" in page.text for page in (first, second))
    assert 1 == len(await keys.page(office.desk, office.host.owner, limit=9, ended=False))


async def test_one_key_is_rotated_once(office: Office) -> None:
    issued = await office.host.key()
    browser = await office.signed_in()
    path = f"{KEYS}/{issued.key.id}/rotate"
    fields = (await browser.open(path)).fields(path)
    first, second = [Page(await browser.send(path, fields)) for _ in range(2)]
    assert (True, False) == tuple("Copy your new key" in page.text for page in (first, second))
    assert "was made the first time" in second.text


async def test_one_space_is_made_and_both_answers_lead_to_it(office: Office) -> None:
    browser = await office.signed_in()
    fields = (await browser.open(f"{SPACES}/new")).fields(SPACES) | {"name": "Launch"}
    answers = [Page(await browser.send(SPACES, fields)) for _ in range(2)]
    (space,) = await spaces.page(office.desk, office.host.owner, limit=9)
    assert {f"{SPACES}/{space.id}"} == {page.answer.url.path for page in answers}
    assert [True, True] == ["Launch was made" in page.text for page in answers]


async def invited_twice(office: Office, browser: Browser) -> Page:
    fields = (await browser.open(f"{INVITATIONS}/new")).fields(INVITATIONS) | {"email": "dee@acme.example", "go": "invite"}
    _, second = [Page(await browser.send(INVITATIONS, fields)) for _ in range(2)]
    assert 1 == len(await invitations.page(office.desk, office.host.owner, limit=9))
    return second


async def test_one_invitation_is_made_with_a_link_that_is_shown_once(office: Office) -> None:
    page = await invited_twice(office, await office.signed_in())
    assert "dee@acme.example was invited the first time that you pressed" in page.text


async def test_one_invitation_is_sent_by_mail(mailing: Office) -> None:
    page = await invited_twice(mailing, await mailing.signed_in_over_https())
    assert "An invitation is on its way to dee@acme.example" in page.text
