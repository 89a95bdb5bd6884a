"""Clients that others have written run the whole grant against a running server: oauth4webapi, Authlib and requests-oauthlib."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.integrations.requests_client import OAuth2Session
from oauthlib.oauth2 import InvalidGrantError  # type: ignore[import-untyped]
from requests_oauthlib import OAuth2Session as RequestsOAuth2Session  # type: ignore[import-untyped]

from keyrack.manage import apps
from tests.backends import Backend
from tests.hosts import Host, running
from tests.npm import NODE, install
from tests.oauth.conftest import CALLBACK, Parties, a_verifier
from tests.oauth.strangers import led, serving

FOREIGN = Path(__file__).parent / "foreign"
PATH = "/api/v1/customers"
SECONDS_MAX = 60


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """A host, for what does not depend on the database."""
    async with running(Backend.in_folder(tmp_path), tmp_path) as one:
        yield one


async def walked(parties: Parties, url: str, **variables: str) -> dict[str, Any]:
    """Let oauth4webapi walk the grant, with a member who allows it, and declines the second time. Returns what it was told."""
    install(FOREIGN)
    environment = {**os.environ, "ISSUER": url, "REDIRECT_URI": CALLBACK, "RESOURCE": url + PATH, **variables}
    node = await create_subprocess_exec(str(NODE), "walk.mjs", cwd=FOREIGN, env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert node.stdin is not None
    assert node.stdout is not None
    assert node.stderr is not None
    try:
        async with asyncio.timeout(SECONDS_MAX):
            for answer in ("allow", "deny"):
                line = await node.stdout.readline()
                assert line, (await node.stderr.read()).decode()
                node.stdin.write((await led(parties, json.loads(line)["url"], answer)).encode() + b"\n")
            told, errors = await node.stdout.readline(), await node.stderr.read()
    finally:
        if node.returncode is None:
            node.kill()
        await node.wait()
    assert told, errors.decode()
    found: dict[str, Any] = json.loads(told)
    return found


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_oauth4webapi_walks_the_whole_grant_and_objects_to_nothing(parties: Parties, method: str) -> None:
    await apps.edit(parties.desk, parties.host.owner, parties.app.id, own_scopes=["customers:read"])
    async with serving(parties.host) as url:
        told = await walked(parties, url, CLIENT_ID=parties.app.client_id, CLIENT_SECRET=parties.secret, METHOD=method)
    assert {
        "resource": [url, [url], None],
        "dpop": None,
        "first": ["bearer", "customers:read", 3600, 200],
        "rotated": [True, 200],
        "introspected": [True, parties.app.client_id, "customers:read", url],
        "itself": [None, 200, 401],
        "challenge": "bearer",
        "revoked": 401,
        "declined": ["access_denied", url],
    } == told


async def test_oauth4webapi_walks_as_a_public_app(parties: Parties) -> None:
    uri = "http://127.0.0.1/done"
    made = await apps.create(parties.desk, parties.host.owner, name="CLI", redirect_uris=[uri], scopes=["customers:read"], public=True)
    async with serving(parties.host) as url:
        told = await walked(parties, url, CLIENT_ID=made.app.client_id, METHOD="none", REDIRECT_URI="http://127.0.0.1:4711/done")
    assert ([True, 200], 401) == (told["rotated"], told["revoked"])


async def test_authlibs_client_walks_the_whole_grant(parties: Parties) -> None:
    async with serving(parties.host) as issuer:
        fields = {"redirect_uri": CALLBACK, "scope": "customers:read", "code_challenge_method": "S256"}
        async with AsyncOAuth2Client(parties.app.client_id, parties.secret, base_url=issuer, **fields) as stranger:
            told = (await stranger.request("GET", "/.well-known/oauth-authorization-server", withhold_token=True)).json()
            verifier = a_verifier()
            url, state = stranger.create_authorization_url(told["authorization_endpoint"], code_verifier=verifier)
            answer = await led(parties, url)
            got = await stranger.fetch_token(told["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier)
            assert "customers:read" == got["scope"]
            assert [200, 403] == [(await stranger.get(PATH)).status_code, (await stranger.post(PATH, json={"name": "x"})).status_code]
            refreshed = await stranger.refresh_token(told["token_endpoint"], refresh_token=got["refresh_token"])
            assert 200 == (await stranger.get(PATH)).status_code
            asked = await stranger.introspect_token(told["introspection_endpoint"], token=refreshed["access_token"])
            assert asked.json()["active"]
            with pytest.raises(OAuthError, match="invalid_grant"):
                await stranger.refresh_token(told["token_endpoint"], refresh_token=got["refresh_token"])
            assert 401 == (await parties.host.get(PATH, refreshed["access_token"])).status_code
            assert 200 == (await stranger.revoke_token(told["revocation_endpoint"], token=refreshed["refresh_token"])).status_code


async def test_authlibs_client_gets_a_token_for_the_app_itself(parties: Parties) -> None:
    await apps.edit(parties.desk, parties.host.owner, parties.app.id, own_scopes=["customers:read"])

    def walk(url: str) -> list[int]:
        with OAuth2Session(parties.app.client_id, parties.secret, token_endpoint_auth_method="client_secret_post") as stranger:
            got = stranger.fetch_token(f"{url}/oauth/token", grant_type="client_credentials", scope="customers:read")
            assert "refresh_token" not in got
            return [stranger.get(url + PATH).status_code, stranger.post(url + PATH, json={"name": "x"}).status_code]

    async with serving(parties.host) as url:
        assert [200, 403] == await asyncio.to_thread(walk, url)


async def test_requests_oauthlib_walks_the_whole_grant(parties: Parties, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    async with serving(parties.host) as url:
        stranger = RequestsOAuth2Session(parties.app.client_id, redirect_uri=CALLBACK, scope=["customers:read"], pkce="S256")
        asking, _ = stranger.authorization_url(f"{url}/oauth/authorize")
        answer = await led(parties, asking)

        def walk() -> list[int]:
            got = stranger.fetch_token(f"{url}/oauth/token", authorization_response=answer, client_secret=parties.secret)
            before = stranger.get(url + PATH).status_code
            proof = (parties.app.client_id, parties.secret)
            stranger.refresh_token(f"{url}/oauth/token", refresh_token=got["refresh_token"], auth=proof)
            after = stranger.get(url + PATH).status_code
            with pytest.raises(InvalidGrantError):
                stranger.refresh_token(f"{url}/oauth/token", refresh_token=got["refresh_token"], auth=proof)
            status = stranger.get(url + PATH).status_code
            stranger.close()
            return [before, after, status]

        assert [200, 200, 401] == await asyncio.to_thread(walk)
