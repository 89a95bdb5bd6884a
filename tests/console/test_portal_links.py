"""A host's own user comes in through a portal link: once, into frames of one origin alone, and no further than the key that asked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyrack.console.headers import POLICY
from keyrack.manage import keys
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights
from tests.backends import Backend
from tests.console.browser import Browser, Page
from tests.console.conftest import opened
from tests.console.visitors import Office

PORTAL, ORIGIN, OTHER = "/console/portal", "https://app.example", "https://two.example"
ADMIN = Rights(OrgAccess.ADMIN, {ALL: Level.WRITE})


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[Office]:
    """A console that pages of two origins may frame."""
    options: dict[str, Any] = {"portal_origins": [ORIGIN, OTHER], "base_url": "https://acme.example"}
    async with opened(Backend.in_folder(tmp_path), tmp_path, **options) as office:
        yield office


async def link(office: Office, issued: keys.Issued, name: str = "Ada", **options: str) -> str:
    answer = await office.host.send("POST", "/api/v1/portal-links", issued, json={"member_id": office.members[name].id, **options})
    assert 201 == answer.status_code, answer.text
    url: str = answer.json()["url"]
    return url


async def arrived(office: Office, address: str) -> Browser:
    """A browser in which a portal link was followed."""
    client = await office.new_client()
    client.base_url = httpx.URL("https://acme.example")
    browser = Browser(client)
    assert 200 == (await browser.submit(await browser.open(address), PORTAL)).status
    return browser


def frames(answer: httpx.Response) -> str:
    """Who may show an answer in a frame."""
    (found,) = [one for one in answer.headers["content-security-policy"].split("; ") if one.startswith("frame-ancestors")]
    return str(found.removeprefix("frame-ancestors "))


async def test_the_landing_page_uses_no_link_up_and_only_the_allowed_origins_frame_it(portal: Office) -> None:
    address = await link(portal, await portal.host.key(ADMIN), origin=ORIGIN)
    for _ in range(2):
        answer = await portal.host.client.get(address)
        assert f"{ORIGIN} {OTHER}" == frames(answer)
        assert "set-cookie" not in answer.headers
        assert ("no-referrer", "no-store") == (answer.headers["referrer-policy"], answer.headers["cache-control"])
        assert POLICY == answer.headers["content-security-policy"].replace(f"{ORIGIN} {OTHER}", "'none'")
    await arrived(portal, address)
    refused = await portal.host.client.post(PORTAL, data={"link": address.partition("=")[2]}, headers={"Sec-Fetch-Dest": "iframe"})
    assert (410, f"{ORIGIN} {OTHER}") == (refused.status_code, frames(refused))


async def test_a_session_in_a_frame_stands_in_its_own_origin_and_its_cookies_in_its_own_jar(portal: Office) -> None:
    address = await link(portal, await portal.host.key(ADMIN), origin=ORIGIN)
    answer = await portal.host.client.post(PORTAL, data={"link": address.partition("=")[2]})
    assert (303, "/console") == (answer.status_code, answer.headers["location"])
    forgotten, kept = answer.headers.get_list("set-cookie")
    assert forgotten.startswith('__Host-acme_session="";')
    name, *flags = kept.split("; ")
    assert name.startswith("__Host-acme_portal=acme_session_")
    assert {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=None", "Secure", "Partitioned"} == set(flags)
    browser = await arrived(portal, await link(portal, await portal.host.key(ADMIN), origin=ORIGIN))
    for path in ("/console", "/console/keys", "/console/nothing", "/console/preferences"):
        assert ORIGIN == frames(await browser.client.get(path)), path
    switched = await browser.submit(await browser.open("/console/api"), "/console/api")
    said = [one for one in switched.answer.history[0].headers.get_list("set-cookie") if "flash" in one]
    assert ["SameSite=None; Secure; Partitioned"] == [one.partition("Path=/; ")[2] for one in said]


async def test_a_link_without_an_origin_opens_a_window_that_nothing_frames(portal: Office) -> None:
    browser = await arrived(portal, await link(portal, await portal.host.key(ADMIN)))
    assert {"__Host-acme_session"} == set(browser.client.cookies)
    assert "'none'" == frames(await browser.client.get("/console"))


async def test_somebody_who_comes_through_a_host_is_offered_nothing_that_only_their_own_sign_in_does(portal: Office) -> None:
    browser = await arrived(portal, await link(portal, await portal.host.key(ADMIN), origin=ORIGIN))
    page = await browser.open("/console/members")
    ends = ("/role", "/password", "/transfer", "/leave", "/preferences", "/workspaces")
    assert not [one for one in page.links | page.actions if one.endswith(ends)]
    for path in ("/console/preferences", f"/console/members/{portal.members['Cy'].id}/role"):
        assert 403 == (await browser.open(path)).status
    assert 403 == (await browser.open("/console/settings/revealing")).status


async def test_the_session_ends_with_the_key_that_asked(portal: Office) -> None:
    issued = await portal.host.key(ADMIN)
    browser = await arrived(portal, await link(portal, issued, origin=ORIGIN))
    await keys.revoke(portal.desk, portal.host.owner, issued.key.id)
    answer = await browser.client.get("/console", headers={"Sec-Fetch-Dest": "iframe"})
    assert (401, f"{ORIGIN} {OTHER}") == (answer.status_code, frames(answer))
    assert "Load the page again on which this stands" in Page(answer).text
    assert not [one for one in Page(answer).links | Page(answer).actions if "sign-in" in one]


async def test_without_allowed_origins_nothing_is_framed(showroom: Office) -> None:
    answer = await showroom.host.client.get(f"{PORTAL}?link=x")
    assert POLICY == answer.headers["content-security-policy"]
