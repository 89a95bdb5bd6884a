"""Pipedrive's page "Managing API Access, Token Integration, and Secure Revocation", walked over HTTP: `keyrack demo --brand pipedrive`.

What people do in the console is walked in a browser: `tests/browser/test_pipedrive_page.py`.
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from tests.console.browser import Page
from tests.pages.readers import Json, Reader, holding, reading

CALLBACK, VERIFIER, PARTNER = "https://saas.example/connected", "v" * 43, "Former partner Ltd"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Somebody who may use the API of their company: what the demo printed as `live_key` is their token."""
    with reading(tmp_path_factory.mktemp("pipedrive"), "pipedrive") as one:
        yield one


def test_token_is_a_members_and_calls_what_they_may_do(reader: Reader) -> None:
    assert re.fullmatch("pipedrive_pat_[0-9A-Za-z]{36}", reader.live_key)
    assert reader.printed["test_key"] is None
    me = reader.done("GET", "/me", reader.live_key)
    assert ("personal_token_identity", "Robin Vale", "live") == (me["object"], me["member_name"], me["mode"])
    assert reader.data("/customers", reader.live_key)


def test_endpoints_and_developers_corner_are_there_to_explore(reader: Reader) -> None:
    for path, words in (("/docs/api/explorer", "/api/v1/tokens"), ("/docs", "Pipedrive"), ("/docs/guides/personal-tokens", "x-api-token")):
        page = reader.http.get(f"{reader.url}{path}", follow_redirects=True)
        assert (200, True) == (page.status_code, words in page.text), path


def test_token_works_in_its_header_and_never_in_the_address(reader: Reader) -> None:
    assert 200 == reader.call_with("GET", "/customers", {"x-api-token": reader.live_key}).status_code
    refused = reader.refused(400, "key_in_url", reader.call("GET", f"/customers?api_token={reader.live_key}"))
    assert "`api_token`" in refused
    assert reader.live_key not in refused


def test_admin_grants_api_access_to_the_users_that_need_it(reader: Reader) -> None:
    invited = reader.done("POST", "/invitations", reader.admin_key, {"email": "dee@partner.example", "may_use_api": True})
    assert (True, "member") == (invited["may_use_api"], invited["role"])
    owner = reader.data("/members?role=owner", reader.admin_key)[0]
    assert (True, None) == (owner["may_use_api"], owner["partner"])
    labelled = reader.done("PATCH", f"/members/{owner['id']}", reader.live_key, {"partner": None})
    assert owner["id"] == labelled["id"]


def test_each_account_is_told_apart(reader: Reader) -> None:
    (company,) = reader.data("/me/workspaces", reader.live_key)
    assert (reader.printed["workspace"], True, "owner") == (company["id"], company["is_current"], company["role"])


def test_new_token_invalidates_the_older_ones_at_once(reader: Reader) -> None:
    named = reader.done("POST", "/tokens", reader.live_key, {"name": "Former partner", "permissions": {"customers": "read"}})
    assert 200 == reader.call("GET", "/customers", named["secret"]).status_code
    successor = reader.done("POST", "/tokens/default", reader.live_key)
    for token in (reader.live_key, named["secret"]):
        told = reader.refused(401, "token_revoked", reader.call("GET", "/customers", token))
        assert "Robin Vale" in told
    assert reader.data("/customers", successor["secret"])
    ended = reader.data("/tokens?ended=true", reader.admin_key)
    assert {"Former partner", "Default token"} == {one["name"] for one in ended}
    assert {"token.ended", "token.created"} <= {event["type"] for event in reader.data("/events?object_type=token", reader.admin_key)}
    assert ["POST /api/v1/tokens/default"] == holding(successor["secret"], reader.calls)
    reader.live_key = successor["secret"]


def test_key_makes_no_token_for_anybody(reader: Reader) -> None:
    for path, body in (("/tokens/default", None), ("/tokens", {"name": "x", "permissions": {"customers": "read"}})):
        reader.refused(403, "insufficient_permission", reader.call("POST", path, reader.admin_key, body))


def test_refused_call_explains_itself_to_who_looks_at_three_in_the_morning(reader: Reader) -> None:
    token = reader.done("POST", "/tokens", reader.live_key, {"name": "Nightly", "org_access": "reader"})
    assert 204 == reader.call("DELETE", f"/tokens/{token['id']}", reader.live_key).status_code
    refused = reader.call("GET", "/customers", token["secret"])
    document = refused.json()
    assert "revoked it" in document["detail"]
    page = reader.http.get(document["doc_url"])
    assert (200, True) == (page.status_code, "Personal preferences" in page.text)
    line = reader.done("GET", f"/logs/{document['request_id']}", reader.admin_key)
    assert ("personal_token", token["id"], "token_revoked") == (line["credential_kind"], line["credential_id"], line["code"])


@pytest.fixture(scope="module")
def browser(reader: Reader) -> Iterator[httpx.Client]:
    """The browser of the customer who uses both products, signed in to this one."""
    with httpx.Client(base_url=reader.url, follow_redirects=True, timeout=30) as client:
        page = Page(client.get(reader.printed["sign_in_url"]))
        assert 200 == client.post("/console/sign-in", data=page.fields("/console/sign-in")).status_code
        yield client


def let_in(reader: Reader, browser: httpx.Client, app: Json) -> Json:
    """Click "Connect" in the other product: see what it asks for, let it in, and return the tokens that it gets."""
    asked = {"response_type": "code", "client_id": app["client_id"], "redirect_uri": CALLBACK, "code_challenge_method": "S256"}
    query = urlencode({**asked, "state": "xyz", "code_challenge": create_s256_code_challenge(VERIFIER)})
    page = Page(browser.get(f"/oauth/authorize?{query}"))
    assert all(text in page.text for text in ("Let Deal mirror act for you?", "Read customers", "1 hour"))
    at = f"/console/authorize?{query}"
    led = browser.post(at, data=page.fields(at) | {"answer": "allow"}, follow_redirects=False)
    told = dict(parse_qsl(urlsplit(led.headers["location"]).query))
    assert ("xyz", reader.url) == (told["state"], told["iss"])
    grant = {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    got = browser.post("/oauth/token", data=grant, auth=(app["client_id"], app["secret"]))
    assert 200 == got.status_code, got.text
    tokens: Json = got.json()
    return tokens


def test_developers_corner_guides_a_private_saas_integration(reader: Reader) -> None:
    guide = reader.http.get(f"{reader.url}/docs/guides/private-saas").text
    assert "/docs/guides/oauth-apps" in guide
    oauth = reader.http.get(f"{reader.url}/docs/guides/oauth-apps").text
    for words in ("code_challenge", "app.uninstalled", "/oauth/revoke", f"{reader.url}/.well-known/oauth-authorization-server"):
        assert words in oauth
    metadata = reader.http.get(f"{reader.url}/.well-known/oauth-authorization-server").json()
    assert (reader.url, ["S256"]) == (metadata["issuer"], metadata["code_challenge_methods_supported"])


def test_users_of_a_private_saas_grant_and_revoke_access_to_their_account(reader: Reader, browser: httpx.Client) -> None:
    new = {"name": "Deal mirror", "redirect_uris": [CALLBACK], "scopes": ["customers:read"], "partner": PARTNER}
    app = reader.done("POST", "/apps", reader.admin_key, new)
    given = let_in(reader, browser, app)
    assert reader.data("/customers", given["access_token"])
    reader.refused(403, "insufficient_permission", reader.call("POST", "/customers", given["access_token"], {"name": "x"}))
    (own,) = reader.data("/grants", reader.live_key)
    assert ("Deal mirror", "active", ["customers:read"]) == (own["app_name"], own["state"], own["scopes"])
    assert "Deal mirror" in browser.get("/console/preferences/apps").text
    at = f"/console/preferences/apps/{own['id']}/revoke"
    done = browser.post(at, data=Page(browser.get(at)).fields(at))
    assert "acts for you no more" in done.text
    told = reader.refused(401, "token_revoked", reader.call("GET", "/customers", given["access_token"]))
    assert "Robin Vale revoked the app" in told
    refresh = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    over = browser.post("/oauth/token", data=refresh, auth=(app["client_id"], app["secret"]))
    assert (400, "invalid_grant") == (over.status_code, over.json()["error"])


def test_former_partner_is_cut_off_in_one_action(reader: Reader, browser: httpx.Client) -> None:
    (app,) = reader.data("/apps", reader.admin_key)
    secret = reader.done("POST", f"/apps/{app['id']}/rotate", reader.admin_key)["secret"]
    given = let_in(reader, browser, {**app, "secret": secret})
    shown = Page(browser.get(f"/console/access?{urlencode({'partner': PARTNER})}"))
    assert all(text in shown.text for text in ("Deal mirror", f"App of {PARTNER}", f"Revoke all of {PARTNER}"))
    at = f"/console/access/revoke?{urlencode({'partner': PARTNER})}"
    form = Page(browser.get(at)).fields("/console/access/revoke")
    done = Page(browser.post("/console/access/revoke", data=form))
    assert "0 tokens, 1 app and 0 keys have ended" in done.text
    reader.refused(401, "token_revoked", reader.call("GET", "/customers", given["access_token"]))
    assert reader.data("/customers", reader.live_key), "the member's own token goes on"
    (event,) = reader.data("/events?type=access.revoked", reader.admin_key)
    assert (PARTNER, 1) == (event["data"]["partner"], event["data"]["grants_ended"])
