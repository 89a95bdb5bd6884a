"""Clients that others have written run the whole grant: Authlib's own."""

import httpx
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from tests.oauth.conftest import CALLBACK, ISSUER, Parties, a_verifier
from tests.oauth.test_face import answer

PATH = "/api/v1/customers"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_authlibs_client_walks_the_whole_grant(parties: Parties, method: str) -> None:
    transport = httpx.ASGITransport(app=parties.host.app)
    told = (await parties.host.client.get("/.well-known/oauth-authorization-server")).json()
    fields = {"token_endpoint_auth_method": method, "redirect_uri": CALLBACK, "scope": "customers:read", "code_challenge_method": "S256"}
    stranger = AsyncOAuth2Client(parties.app.client_id, parties.secret, transport=transport, base_url=ISSUER, **fields)
    async with stranger:
        verifier = a_verifier()
        url, state = stranger.create_authorization_url(told["authorization_endpoint"], code_verifier=verifier)
        led = await answer(parties, dict(httpx.URL(url).params))
        got = await stranger.fetch_token(
            told["token_endpoint"], authorization_response=led.headers["location"], state=state, code_verifier=verifier
        )
        assert "customers:read" == got["scope"]
        assert [200, 403] == [(await stranger.get(PATH)).status_code, (await stranger.post(PATH, json={"name": "x"})).status_code]
        refreshed = await stranger.refresh_token(told["token_endpoint"], refresh_token=got["refresh_token"])
        assert 200 == (await stranger.get(PATH)).status_code
        with pytest.raises(OAuthError, match="invalid_grant"):
            await stranger.refresh_token(told["token_endpoint"], refresh_token=got["refresh_token"])
        assert 401 == (await parties.host.get(PATH, refreshed["access_token"])).status_code
        assert 200 == (await stranger.revoke_token(told["revocation_endpoint"], token=refreshed["refresh_token"])).status_code
