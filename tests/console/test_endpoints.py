"""The pages of endpoints: made, shown once, changed, rotated, disabled and deleted, by admins alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyrack.console.forms import FormTokens
from keyrack.manage import endpoints, sessions
from keyrack.manage.endpoints import Issued
from keyrack.model.endpoints import DisableReason, Endpoint, Signature
from keyrack.model.permissions import Level, OrgAccess, Rights
from tests.backends import Backend
from tests.console.browser import Browser, Page
from tests.console.conftest import opened
from tests.console.visitors import Office
from tests.hosts import ADMIN_RIGHTS, BRAND

LIST = "/console/endpoints"
NEW = f"{LIST}/new"
URL = "https://receiver.example/hooks?token=t0ken"
SHOWN = "https://receiver.example/hooks?…"


async def add(office: Office, **fields: Any) -> Issued:
    return await endpoints.create(office.desk, office.host.owner, **{"url": URL, "events": ["*"], **fields})


async def stored(office: Office) -> list[Endpoint]:
    return await endpoints.page(office.desk, office.host.owner, limit=50)


async def create(browser: Browser, **fields: str) -> Page:
    return await browser.submit(await browser.open(NEW), LIST, **({"url": URL} | fields))


def secret_on(page: Page) -> str:
    (secret,) = [code.text for code in page.root.all("code") if code.attributes.get("id") == "secret"]
    return secret


async def test_an_endpoint_is_added_and_its_secret_is_shown_once(office: Office) -> None:
    browser = await office.signed_in()
    assert "No endpoints yet" in (await browser.open(LIST)).text
    made = await create(browser, description="Our CRM")
    assert (200, "no-store") == (made.status, made.answer.headers["cache-control"])
    (endpoint,) = await stored(office)
    secret = secret_on(made)
    assert secret.startswith("whsec_")
    assert ("Our CRM", ("*",), URL) == (endpoint.description, endpoint.events, endpoint.url)
    listed = await browser.open(LIST)
    assert SHOWN in listed.text
    assert "t0ken" not in listed.answer.text
    for page in (listed, await browser.open(f"{LIST}/{endpoint.id}"), await browser.open(f"{LIST}/{endpoint.id}/edit")):
        assert secret not in page.answer.text


async def test_an_endpoint_of_an_integration_is_made_in_the_form_and_is_bound_by_its_rights(office: Office) -> None:
    browser = await office.signed_in()
    assert "integration_id" not in (await browser.open(NEW)).fields(LIST)
    issued = await office.host.key(Rights(permissions={"customers": Level.READ}), name="Reporting")
    refused = await create(browser, integration_id=issued.integration.id, **{"all": "", "kind.key": "yes"})
    assert (403, True) == (refused.status, "an endpoint needs org-level Admin" in refused.text)
    assert issued.integration.id == refused.fields(LIST)["integration_id"]
    await office.host.edit_rights(issued, ADMIN_RIGHTS)
    assert 200 == (await create(browser, integration_id=issued.integration.id)).status
    (endpoint,) = await stored(office)
    assert issued.integration.id == endpoint.integration_id
    assert "key.revoked" in await filtered_by(browser, endpoint)
    await office.host.edit_rights(issued, Rights(OrgAccess.READER))
    assert "key.revoked" not in await filtered_by(browser, endpoint)


async def filtered_by(browser: Browser, endpoint: Endpoint) -> set[str]:
    """The types of events by which the deliveries on an endpoint's page are filtered."""
    page = await browser.open(f"{LIST}/{endpoint.id}")
    (found,) = [one for one in page.root.all("select") if one.attributes["name"] == "type"]
    return {one.attributes["value"] for one in found.all("option")}


async def test_a_form_that_is_sent_again_makes_one_endpoint_and_shows_no_secret(office: Office) -> None:
    browser = await office.signed_in()
    fields = (await browser.open(NEW)).fields(LIST) | {"url": URL}
    first, second = [Page(await browser.send(LIST, fields)) for _ in range(2)]
    assert 1 == len(await stored(office))
    assert secret_on(first) not in second.answer.text
    assert "was shown then" in second.text


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"url": "http://receiver.example"}, "Only https:// is called."),
        ({"url": "https://127.0.0.1/"}, "is the machine itself"),
        ({"url": "javascript:alert(1)"}, "A URL begins with https://"),
        ({"all": ""}, "Choose all events, or at least one."),
        ({"all": "", "event.nothing.happened": "yes"}, "There is no event type"),
        ({"description": "x" * 201}, "at most 200 printable characters"),
        ({"description": "\x1b[2J"}, "printable characters"),
        ({"mode": "sideways"}, "Choose live or test."),
        ({"signature": "md5"}, "Choose one of the two."),
        ({"parallel": "0"}, "Write a number from 1 to 20."),
        ({"parallel": "٣"}, "Write a number from 1 to 20."),
        ({"header_name.0": "X-Team"}, "a name and a value"),
        ({"header_name.0": "webhook-id", "header_value.0": "x"}, "is set by the call itself"),
        ({"header_name.0": "X-A", "header_value.0": "1", "header_name.1": "x-a", "header_value.1": "2"}, "stands here twice"),
        ({"header_name.0": "X-A", "header_value.0": "a\r\nHost: b"}, "visible ASCII"),
    ],
)
async def test_what_cannot_be_is_told_on_the_form_and_nothing_written_is_lost(showroom: Office, written: dict[str, str], said: str) -> None:
    browser = await showroom.signed_in()
    sent = {"url": URL, "description": "Our CRM"} | written
    page = await browser.submit(await browser.open(NEW), LIST, **sent)
    assert 400 == page.status
    assert said in page.text
    kept = page.fields(LIST)
    assert (sent["url"], sent["description"].strip()) == (kept["url"], kept["description"].strip())
    assert [] == await stored(showroom)


async def test_events_are_chosen_by_kind_and_one_by_one_and_kept_where_there_are_none_such_any_more(office: Office) -> None:
    browser = await office.signed_in()
    page = await browser.open(NEW)
    fields = page.fields(LIST) | {"url": URL, "kind.key": "yes", "event.key.created": "yes", "event.member.added": "yes"}
    fields.pop("all")
    assert 200 == (await browser.send(LIST, fields)).status_code
    (endpoint,) = await stored(office)
    assert ("key.*", "member.added") == endpoint.events
    edit = f"{LIST}/{endpoint.id}/edit"
    shown = (await browser.open(edit)).fields(edit)
    assert ["event.member.added", "kind.key"] == sorted(name for name in shown if name.startswith(("kind.", "event.")))
    saved = await browser.submit(await browser.open(edit), edit, description="Kept")
    assert "The endpoint is saved" in saved.text
    assert ("key.*", "member.added") == (await stored(office))[0].events


async def test_headers_stay_unless_others_are_written_and_are_never_shown(office: Office) -> None:
    issued = await add(office, headers={"X-Team": "crm-secret"})
    browser, edit = await office.signed_in(), f"{LIST}/{issued.endpoint.id}/edit"
    page = await browser.open(edit)
    assert "It sends X-Team now" in page.text
    assert "crm-secret" not in page.answer.text
    await browser.submit(page, edit, description="Our CRM")
    assert [("X-Team",)] == [one.header_names for one in await stored(office)]
    await browser.submit(await browser.open(edit), edit, **{"header_name.0": "X-Other", "header_value.0": "1"})
    assert [("X-Other",)] == [one.header_names for one in await stored(office)]
    await browser.submit(await browser.open(edit), edit, no_headers="yes")
    assert [()] == [one.header_names for one in await stored(office)]


async def test_rotation_shows_the_new_secret_once_and_keeps_the_old_one_for_the_overlap(office: Office) -> None:
    issued = await add(office)
    browser, rotate = await office.signed_in(), f"{LIST}/{issued.endpoint.id}/rotate"
    assert 400 == (await browser.submit(await browser.open(rotate), rotate, overlap_seconds="1")).status
    fields = (await browser.open(rotate)).fields(rotate) | {"overlap_seconds": "3600"}
    first, second = [Page(await browser.send(rotate, fields)) for _ in range(2)]
    assert "The old one ends in an hour." in first.text
    assert secret_on(first) not in second.answer.text
    (endpoint,) = await stored(office)
    assert 2 == len(endpoint.signing(office.desk.now()))
    await browser.submit(await browser.open(rotate), rotate, overlap_seconds="0")
    assert 1 == len((await stored(office))[0].signing(office.desk.now()))


async def test_public_key_is_shown_as_what_it_is(office: Office) -> None:
    browser = await office.signed_in()
    made = await create(browser, signature=Signature.ED25519.value)
    (endpoint,) = await stored(office)
    assert endpoint.keys[0].public == secret_on(made)
    assert "whsk_" not in made.answer.text
    assert str(endpoint.keys[0].public) in (await browser.open(f"{LIST}/{endpoint.id}")).text


async def test_deleting_may_disable_instead_and_both_hold_when_the_answer_has_come(office: Office) -> None:
    issued = await add(office)
    one = f"{LIST}/{issued.endpoint.id}"
    browser = await office.signed_in("Bo")
    page = await browser.open(f"{one}/delete")
    disabled = await browser.submit(page, f"{one}/delete", instead="disable")
    assert "Somebody disabled it." in disabled.text
    assert DisableReason.CHOSEN is (await stored(office))[0].disable_reason
    assert "Active" in (await browser.submit(disabled, f"{one}/enable")).text
    assert "The endpoint is deleted" in (await browser.submit(await browser.open(f"{one}/delete"), f"{one}/delete")).text
    assert [] == await stored(office)
    assert [404] * 5 == [(await browser.open(one + path)).status for path in ("", "/edit", "/rotate", "/test", "/replay")]


async def test_a_plain_member_sees_no_tab_and_is_refused_every_page_and_change(office: Office) -> None:
    issued = await add(office)
    one = f"{LIST}/{issued.endpoint.id}"
    browser = await office.signed_in("Cy")
    assert LIST not in (await browser.open("/console/logs")).links
    paths = ("/edit", "/rotate", "/delete", "/test", "/replay")
    assert [403] * 8 == [(await browser.open(path)).status for path in (LIST, NEW, one, *(one + path for path in paths))]
    (secret,) = browser.client.cookies.values()
    member = await sessions.find(office.desk, secret)
    assert member is not None
    tokens = FormTokens(office.host.rack.assembly.signers["form"])
    forms = {LIST: "create", **{f"{one}/{verb}": verb for verb in ("edit", "disable", "enable", "rotate", "delete", "test", "replay")}}
    for path, verb in forms.items():
        fields = (await _valid(office, verb)) | {"form_token": tokens.make(member, f"endpoints.{verb}")}
        assert 403 == (await browser.send(path, fields)).status_code, path
    assert [issued.endpoint] == await stored(office)


async def _valid(office: Office, verb: str) -> dict[str, str]:
    return {"url": URL, "all": "yes", "parallel": "5", "overlap_seconds": "0", "event_type": "key.created", "since": "24h"}


async def test_another_workspaces_endpoint_is_found_nowhere(office: Office) -> None:
    other = await office.host.other_workspace()
    owner = await office.host.rack.workspaces.operator(other.workspace.id)
    theirs = (await endpoints.create(office.desk, owner, url=URL, events=["*"])).endpoint
    browser = await office.signed_in()
    one = f"{LIST}/{theirs.id}"
    paths = ("", "/edit", "/rotate", "/delete", "/test", "/replay")
    assert [404] * 6 == [(await browser.open(one + path)).status for path in paths]
    assert "No endpoints yet" in (await browser.open(LIST)).text
    delete = await browser.open(f"{LIST}/{(await add(office)).endpoint.id}/delete")
    (action,) = [action for action in delete.actions if action.endswith("/delete")]
    assert 404 == (await browser.send(f"{one}/delete", delete.fields(action))).status_code
    assert "active" == (await endpoints.get(office.desk, owner, theirs.id)).state


async def test_list_is_searched_filtered_and_paged(office: Office) -> None:
    for number in range(27):
        await add(office, url=f"https://receiver.example/{number:02}", description="even" if number % 2 == 0 else "odd")
    await endpoints.disable(office.desk, office.host.owner, (await stored(office))[0].id)
    browser = await office.signed_in()
    page = await browser.open(LIST)
    assert 25 == page.text.count("https://receiver.example/")
    (older,) = [link for link in page.links if "cursor=" in link]
    assert "https://receiver.example/00" in (await browser.open(LIST + older)).text
    assert "https://receiver.example/25" not in (await browser.open(f"{LIST}?search=even")).text
    assert "https://receiver.example/25" not in (await browser.open(f"{LIST}?state=disabled")).text
    assert "No endpoint matches" in (await browser.open(f"{LIST}?mode=test")).text
    assert 400 == (await browser.open(f"{LIST}?mode=sideways")).status


async def test_brand_without_webhooks_shows_no_tab(tmp_path: Path) -> None:
    async with opened(Backend.in_folder(tmp_path), tmp_path, brand=replace(BRAND, webhooks=False)) as office:
        browser = await office.signed_in()
        assert LIST not in (await browser.open("/console/keys")).links
        assert 200 == (await browser.open(LIST)).status
