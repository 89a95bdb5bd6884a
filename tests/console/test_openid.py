"""Signing in through the operator's OpenID provider: there and back, with what the browser keeps meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyrack.testing import FrozenClock
from tests.backends import Backend
from tests.console.browser import Browser, Page
from tests.console.conftest import opened
from tests.console.visitors import SIGN_IN, Office
from tests.manage.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider, providing

ADA = {"sub": "ada-at-provider", "email": "ada@acme.example", "email_verified": True}


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """A provider at which Ada signs in."""
    one = Provider(FrozenClock().now, claims=dict(ADA))
    async with providing(one):
        yield one


@pytest.fixture
async def federated(tmp_path: Path, provider: Provider) -> AsyncIterator[Office]:
    """A console whose people come through the provider."""
    openid: dict[str, Any] = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET}
    async with opened(Backend.in_folder(tmp_path), tmp_path, base_url="https://acme.example", oidc_name="Acme ID", **openid) as office:
        provider.now = office.host.clock.now
        yield office


async def over_https(office: Office) -> Browser:
    client = await office.new_client()
    client.base_url = httpx.URL("https://acme.example")
    return Browser(client)


async def through(provider: Provider, browser: Browser, address: str) -> Page:
    """Go to the provider, prove who one is there, and come back."""
    there = await browser.client.get(address)
    assert 303 == there.status_code
    back = provider.authorize(there.headers["location"])
    return Page(await browser.client.get("/console/openid/callback", params=back, follow_redirects=True))


async def test_the_button_leads_to_the_provider_and_back_to_where_somebody_wanted_to_go(federated: Office, provider: Provider) -> None:
    browser = await over_https(federated)
    page = await browser.open("/console/keys?search=zap")
    (address,) = [one for one in page.links if one.startswith("/console/openid")]
    assert "Continue with Acme ID" in page.text
    there = await through(provider, browser, address)
    assert (200, "/console/keys?search=zap") == (there.status, there.answer.url.raw_path.decode())
    assert {"__Host-acme_session"} == set(browser.client.cookies)


async def test_an_answer_that_this_browser_did_not_ask_for_signs_nobody_in(federated: Office, provider: Provider) -> None:
    mine, other = await over_https(federated), await over_https(federated)
    there = await mine.client.get("/console/openid")
    back = provider.authorize(there.headers["location"])
    refused = Page(await other.client.get("/console/openid/callback", params=back))
    assert (401, {SIGN_IN}) == (refused.status, refused.actions)
    assert "did not begin in this browser" in refused.text
    assert not other.client.cookies
    flags = set(there.headers["set-cookie"].split("; ")[1:])
    assert {"HttpOnly", "Max-Age=600", "Path=/", "SameSite=lax", "Secure"} == flags


async def test_who_is_in_no_workspace_is_told_so_on_the_sign_in_page(federated: Office, provider: Provider) -> None:
    provider.claims = {"sub": "eve", "email": "eve@acme.example", "email_verified": True}
    browser = await over_https(federated)
    page = await through(provider, browser, "/console/openid?to=https://evil.example")
    assert (401, True) == (page.status, "ask to be invited" in page.text)
    assert not browser.client.cookies


async def test_without_a_provider_there_is_no_button_and_no_way(showroom: Office) -> None:
    browser = await showroom.browser()
    assert not [one for one in (await browser.open(SIGN_IN)).links if "openid" in one]
    assert 409 == (await browser.open("/console/openid")).status
