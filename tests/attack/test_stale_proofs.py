"""Whoever sits down at somebody's open browser makes themselves no proof."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyrack.testing import FrozenClock
from tests.backends import Backend
from tests.console.browser import Browser, Page
from tests.console.conftest import opened
from tests.console.visitors import Office
from tests.manage.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider, providing

PASSWORD = "nine blue herons"
FORM = "/console/preferences/password"


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """A provider at which Ada signs in."""
    one = Provider(FrozenClock().now, claims={"sub": "ada", "email": "ada@acme.example", "email_verified": True})
    async with providing(one):
        yield one


@pytest.fixture
async def federated(tmp_path: Path, provider: Provider) -> AsyncIterator[Office]:
    """A console whose people come through the provider."""
    openid: dict[str, Any] = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET}
    async with opened(Backend.in_folder(tmp_path), tmp_path, base_url="https://acme.example", **openid) as office:
        provider.now = office.host.clock.now
        yield office


async def through(provider: Provider, browser: Browser, address: str) -> Page:
    """Go to the provider, prove who one is there, and come back."""
    there = await browser.client.get(address)
    back = provider.authorize(there.headers["location"])
    return Page(await browser.client.get("/console/openid/callback", params=back, follow_redirects=True))


async def test_first_password_takes_the_proof_that_its_person_can_give(federated: Office, provider: Provider) -> None:
    client = await federated.new_client()
    client.base_url = httpx.URL("https://acme.example")
    browser = Browser(client)
    assert 200 == (await through(provider, browser, "/console/openid?to=/console/preferences")).status
    federated.host.clock.pass_seconds(601)

    refused = await browser.submit(await browser.open("/console/preferences"), FORM, password=PASSWORD)
    (prove,) = [link for link in refused.links if "openid?prove" in link]
    assert 403 == refused.status
    assert "/console/openid?prove&to=%2Fconsole%2Fpreferences" == prove

    chosen = await browser.submit(await through(provider, browser, prove), FORM, password=PASSWORD)
    assert (200, True) == (chosen.status, "Your password is changed" in chosen.text)


async def test_answer_of_another_sign_in_is_refused_whatever_its_state_is(federated: Office, provider: Provider) -> None:
    client = await federated.new_client()
    client.base_url = httpx.URL("https://acme.example")
    there = await client.get("/console/openid")
    back = provider.authorize(there.headers["location"])
    answer = await client.get("/console/openid/callback", params={**back, "state": "é"})
    assert (401, True) == (answer.status_code, "belongs to another sign-in" in answer.text)
