"""Pipedrive's page "Managing API Access, Token Integration, and Secure Revocation", walked over HTTP: `keyrack demo --brand pipedrive`.

What people do in the console is walked in a browser: `tests/browser/test_pipedrive_page.py`. What the page says of private SaaS
integrations by OAuth is not walked here.
"""

import re
from collections.abc import Iterator

import pytest

from tests.pages.readers import Reader, holding, reading


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
