"""The endpoints of OAuth, as apps and browsers meet them. Tests of what RFC 9700 demands bear its section in their names."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from keyrack.manage import apps
from tests.backends import Backend
from tests.hosts import running
from tests.oauth.conftest import CALLBACK, ISSUER, Parties, a_verifier

TOKEN = "/oauth/token"


async def ask(parties: Parties, asked: dict[str, str], *, signed_in: bool = True) -> httpx.Response:
    """Open the page to which the app leads, in the member's browser."""
    led = await parties.host.client.get("/oauth/authorize", params=asked)
    assert 303 == led.status_code
    return await parties.host.client.get(led.headers["location"], headers=browser(parties) if signed_in else {})


def browser(parties: Parties) -> dict[str, str]:
    """What the member's browser sends."""
    return {"cookie": f"acme_session={parties.cookie}"}


async def answer(parties: Parties, asked: dict[str, str], said: str = "allow", **fields: str) -> httpx.Response:
    """Have the member say something to the app."""
    page = await ask(parties, asked)
    assert 200 == page.status_code, page.text
    token = re.search(r'/authorize\?[^>]*>\s*<input type="hidden" name="form_token" value="([^"]+)"', page.text)
    assert token is not None
    form = {"form_token": token[1], "answer": said, "workspace_id": parties.host.workspace.id, **fields}
    return await parties.host.client.post("/console/authorize", params=asked, data=form, headers=browser(parties))


def told(led: httpx.Response) -> dict[str, str]:
    """What the app is told at its redirect URI."""
    assert 303 == led.status_code, led.text
    assert led.headers["location"].startswith(f"{CALLBACK}?")
    return dict(parse_qsl(urlsplit(led.headers["location"]).query))


async def exchange(parties: Parties, **fields: Any) -> httpx.Response:
    """Ask for tokens."""
    sent = {"client_id": parties.app.client_id, "client_secret": parties.secret, **fields}
    return await parties.host.client.post(TOKEN, data={name: value for name, value in sent.items() if value is not None})


async def granted(parties: Parties, **fields: Any) -> dict[str, Any]:
    """Walk the whole grant, and return the tokens."""
    verifier = a_verifier()
    code = told(await answer(parties, parties.asking(verifier, **fields)))["code"]
    got = await exchange(parties, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=verifier)
    assert 200 == got.status_code, got.text
    tokens: dict[str, Any] = got.json()
    return tokens


async def test_member_lets_an_app_in_and_it_calls_for_them(parties: Parties) -> None:
    page = await ask(parties, parties.asking(a_verifier()))
    for words in ("Deal mirror", "Read, change and delete customers", "Read what lies in the spaces", "app.example", "1 hour"):
        assert words in page.text
    got = await granted(parties)
    assert ("Bearer", 3600, "customers:write spaces:read") == (got["token_type"], got["expires_in"], got["scope"])
    assert 200 == (await parties.host.get("/api/v1/customers", got["access_token"])).status_code
    again = await exchange(parties, grant_type="refresh_token", refresh_token=got["refresh_token"])
    assert 200 == again.status_code
    assert again.json()["refresh_token"] != got["refresh_token"]


async def test_who_is_not_signed_in_signs_in_first(parties: Parties) -> None:
    page = await ask(parties, parties.asking(a_verifier()), signed_in=False)
    assert 401 == page.status_code
    assert "Sign in" in page.text
    assert "/console/authorize?" in page.text


async def test_member_who_does_not_let_the_app_in_gives_it_nothing(parties: Parties) -> None:
    said = told(await answer(parties, parties.asking(a_verifier()), "deny"))
    assert ("access_denied", "xyz", ISSUER) == (said["error"], said["state"], said["iss"])


async def test_member_who_may_not_use_the_api_lets_no_app_in(parties: Parties) -> None:
    await parties.edit(may_use_api=False)
    assert 403 == (await ask(parties, parties.asking(a_verifier()))).status_code


async def test_workspace_of_others_is_not_to_be_chosen(parties: Parties) -> None:
    other = await parties.host.rack.workspaces.create("Other", slug="other")
    assert 404 == (await answer(parties, parties.asking(a_verifier()), workspace_id=other.id)).status_code


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/callback/",
        "https://app.example/callback?x=1",
        "https://app.example.evil.example/callback",
        "http://app.example/callback",
    ],
)
async def test_rfc9700_2_1_redirect_uri_is_compared_exactly_and_nothing_is_sent_to_another(parties: Parties, uri: str) -> None:
    page = await ask(parties, parties.asking(a_verifier(), redirect_uri=uri))
    assert (400, False) == (page.status_code, "location" in page.headers)
    unknown = await ask(parties, parties.asking(a_verifier(), client_id="nobody"))
    assert (400, False) == (unknown.status_code, "location" in unknown.headers)


async def test_rfc9700_2_1_only_the_port_of_a_loopback_address_may_differ(parties: Parties) -> None:
    uris = ["http://127.0.0.1/done"]
    made = await apps.create(parties.desk, parties.host.owner, name="CLI", redirect_uris=uris, scopes=["customers:read"], public=True)
    for uri, status in (
        ("http://127.0.0.1:4711/done", 200),
        ("http://127.0.0.1:4711/other", 400),
        ("http://127.0.0.1:1@evil.example/done", 400),
    ):
        asked = parties.asking(a_verifier(), client_id=made.app.client_id, redirect_uri=uri)
        assert status == (await ask(parties, asked)).status_code


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_challenge": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
    ],
)
async def test_rfc9700_2_1_1_code_is_given_for_an_s256_challenge_alone(parties: Parties, wrong: dict[str, Any]) -> None:
    said = told(await ask(parties, parties.asking(a_verifier(), **wrong)))
    assert ("invalid_request", "xyz", ISSUER) == (said["error"], said["state"], said["iss"])


async def test_rfc9700_2_1_1_verifier_is_needed_where_a_challenge_was_sent(parties: Parties) -> None:
    for verifier, error in ((None, "invalid_request"), (a_verifier(), "invalid_grant")):
        code = await parties.code(a_verifier())
        got = await exchange(parties, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=verifier)
        assert (400, error, "no-store") == (got.status_code, got.json()["error"], got.headers["cache-control"])


async def test_rfc9700_2_1_2_and_2_4_there_is_no_implicit_and_no_password_grant(parties: Parties) -> None:
    assert "unsupported_response_type" == told(await ask(parties, parties.asking(a_verifier(), response_type="token")))["error"]
    got = await exchange(parties, grant_type="password", username="cy@acme.test", password="x")
    assert (400, "unsupported_grant_type") == (got.status_code, got.json()["error"])


async def test_rfc9700_2_2_2_refresh_token_that_comes_again_ends_the_grant(parties: Parties) -> None:
    got = await granted(parties)
    for status in (200, 400, 400):
        again = await exchange(parties, grant_type="refresh_token", refresh_token=got["refresh_token"])
        assert status == again.status_code
    assert 401 == (await parties.host.get("/api/v1/customers", got["access_token"])).status_code


async def test_rfc9700_2_6_authorization_endpoint_answers_no_cors_and_metadata_may_be_read_anywhere(parties: Parties) -> None:
    asked = parties.asking(a_verifier())
    led = await parties.host.client.get("/oauth/authorize", params=asked, headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in led.headers
    told_of = await parties.host.client.get("/.well-known/oauth-authorization-server")
    assert "*" == told_of.headers["access-control-allow-origin"]


async def test_rfc9700_4_4_every_authorization_response_names_its_issuer(parties: Parties) -> None:
    for said in ("allow", "deny"):
        assert ISSUER == told(await answer(parties, parties.asking(a_verifier()), said))["iss"]
    metadata = (await parties.host.client.get("/.well-known/oauth-authorization-server")).json()
    assert (ISSUER, True) == (metadata["issuer"], metadata["authorization_response_iss_parameter_supported"])


async def test_rfc9700_4_5_code_that_comes_again_ends_its_grant(parties: Parties) -> None:
    verifier = a_verifier()
    fields = {"code": await parties.code(verifier), "redirect_uri": CALLBACK, "code_verifier": verifier}
    first = await exchange(parties, grant_type="authorization_code", **fields)
    assert 200 == first.status_code
    again = await exchange(parties, grant_type="authorization_code", **fields)
    assert (400, "invalid_grant") == (again.status_code, again.json()["error"])
    assert 401 == (await parties.host.get("/api/v1/customers", first.json()["access_token"])).status_code


async def test_rfc9700_4_7_form_without_its_token_lets_nobody_in(parties: Parties) -> None:
    form = {"answer": "allow", "workspace_id": parties.host.workspace.id}
    for headers in ({}, {"sec-fetch-site": "cross-site"}):
        sent = await parties.host.client.post(
            "/console/authorize", params=parties.asking(a_verifier()), data=form, headers=browser(parties) | headers
        )
        assert 403 == sent.status_code


async def test_rfc9700_4_11_error_is_sent_to_a_registered_redirect_uri_alone(parties: Parties) -> None:
    said = told(await ask(parties, parties.asking(a_verifier(), scope="onboardings:write")))
    assert "invalid_scope" == said["error"]
    unproved = await ask(parties, parties.asking(a_verifier(), scope="onboardings:write"), signed_in=False)
    assert (401, False) == (unproved.status_code, "location" in unproved.headers)
    page = await ask(parties, parties.asking(a_verifier(), scope="onboardings:write", redirect_uri="https://evil.example/"))
    assert (400, False) == (page.status_code, "location" in page.headers)


async def test_rfc9700_4_12_and_4_16_consent_is_led_on_by_303_and_stands_in_no_frame(parties: Parties) -> None:
    asked = parties.asking(a_verifier())
    posted = await parties.host.client.post("/oauth/authorize", data=asked)
    assert 303 == posted.status_code
    page = await ask(parties, asked)
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "form-action 'self' https://app.example" in page.headers["content-security-policy"]


async def test_client_proves_itself_in_one_way(parties: Parties) -> None:
    sent = {"grant_type": "refresh_token", "refresh_token": "x"}
    both = await parties.host.client.post(TOKEN, data={**sent, "client_secret": "x"}, auth=(parties.app.client_id, parties.secret))
    assert "invalid_request" == both.json()["error"]
    header = await parties.host.client.post(TOKEN, data=sent, auth=(parties.app.client_id, parties.secret))
    assert "invalid_grant" == header.json()["error"]
    wrong = await parties.host.client.post(TOKEN, data=sent, auth=(parties.app.client_id, "wrong"))
    assert (401, "invalid_client") == (wrong.status_code, wrong.json()["error"])
    assert wrong.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{}", "application/json"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        (b"grant_type", "application/x-www-form-urlencoded"),
        (b"\xff=\xff", "application/x-www-form-urlencoded"),
        (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded"),
    ],
)
async def test_what_is_no_form_is_refused(parties: Parties, content: bytes, kind: str) -> None:
    for path in (TOKEN, "/oauth/revoke", "/oauth/introspect"):
        got = await parties.host.client.post(path, content=content, headers={"content-type": kind})
        assert (400, "invalid_request") == (got.status_code, got.json()["error"])


async def test_rfc7009_and_rfc7662_token_is_told_of_and_taken_back(parties: Parties) -> None:
    got, proof = await granted(parties), (parties.app.client_id, parties.secret)

    async def send(path: str, token: str) -> httpx.Response:
        return await parties.host.client.post(path, data={"token": token}, auth=proof)

    of_it = (await send("/oauth/introspect", got["access_token"])).json()
    assert (True, parties.app.client_id, "customers:write spaces:read") == (of_it["active"], of_it["client_id"], of_it["scope"])
    assert {"active": False} == (await send("/oauth/introspect", "unknown")).json()
    assert 200 == (await send("/oauth/revoke", "unknown")).status_code
    assert 200 == (await send("/oauth/revoke", got["refresh_token"])).status_code
    assert {"active": False} == (await send("/oauth/introspect", got["access_token"])).json()
    assert 401 == (await parties.host.get("/api/v1/customers", got["access_token"])).status_code


async def test_rfc8414_and_rfc9728_metadata_is_whole_and_no_client_registers_itself(parties: Parties) -> None:
    told_of = (await parties.host.client.get("/.well-known/oauth-authorization-server")).json()
    AuthorizationServerMetadata(
        {
            **told_of,
            **{name: told_of[name].replace("http:", "https:") for name in told_of if "endpoint" in name and isinstance(told_of[name], str)},
            "issuer": "https://acme.test",
        }
    ).validate()
    assert "registration_endpoint" not in told_of
    assert 404 == (await parties.host.client.post("/oauth/register", json={})).status_code
    resource = (await parties.host.client.get("/.well-known/oauth-protected-resource")).json()
    assert ([ISSUER], ISSUER) == (resource["authorization_servers"], resource["resource"])
    assert 404 == (await parties.host.client.get("/.well-known/security.txt")).status_code


async def test_rfc9728_refused_call_leads_to_the_metadata_where_the_host_knows_its_address(backend: Backend, tmp_path: Path) -> None:
    async with running(backend, tmp_path, base_url="https://acme.test") as host:
        challenge = (await host.get("/api/v1/customers")).headers["www-authenticate"]
    assert 'resource_metadata="https://acme.test/.well-known/oauth-protected-resource"' in challenge
