"""What RFC 9700 demands beyond the tests of the face and of tokens. docs/oauth-security.md names a test for each of its rules."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from keyrack.manage import app_tokens, apps
from tests.backends import Backend
from tests.hosts import ADMIN_RIGHTS, Host, running
from tests.oauth.conftest import CALLBACK, ISSUER, Parties, a_verifier
from tests.oauth.test_face import answer, ask, browser, exchange, granted, told
from tests.walk.problems import problem

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """A host, for what does not depend on the database."""
    async with running(Backend.in_folder(tmp_path), tmp_path) as one:
        yield one


def test_each_rule_in_the_table_has_a_test_that_exists() -> None:
    table = (ROOT / "docs" / "oauth-security.md").read_text()
    rows = [line for line in table.splitlines() if line.startswith("| §") and "§ |" not in line]
    assert len(rows) > 25
    for row in rows:
        named = NAMED.findall(row)
        assert named or "not applicable" in row, row
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text(), row


async def test_rfc9700_2_1_and_8707_app_that_names_another_resource_is_refused_and_tokens_say_whose_they_are(parties: Parties) -> None:
    for resource in ("https://api.evil.example", f"{ISSUER}.evil.example", f"{ISSUER}/x#y", ""):
        said = told(await ask(parties, parties.asking(a_verifier(), resource=resource)))
        assert ("invalid_target", "xyz", ISSUER) == (said["error"], said["state"], said["iss"])
    got = await granted(parties, resource=f"{ISSUER}/api/v1")
    again = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    wrong = await exchange(parties, **again, resource="https://api.evil.example")
    assert (400, "invalid_target") == (wrong.status_code, wrong.json()["error"])
    right = await exchange(parties, **again, resource=[ISSUER, f"{ISSUER}/"])
    assert 200 == right.status_code
    sent = {"token": right.json()["access_token"]}
    of_it = (await parties.host.client.post("/oauth/introspect", data=sent, auth=(parties.app.client_id, parties.secret))).json()
    assert (ISSUER, ISSUER) == (of_it["iss"], of_it["aud"])


async def test_rfc9700_2_1_1_metadata_tells_that_there_is_s256_and_nothing_weaker(parties: Parties) -> None:
    metadata = (await parties.host.client.get("/.well-known/oauth-authorization-server")).json()
    assert (["S256"], ["code"], ["query"]) == (
        metadata["code_challenge_methods_supported"],
        metadata["response_types_supported"],
        metadata["response_modes_supported"],
    )
    assert not {"dpop_signing_alg_values_supported", "tls_client_certificate_bound_access_tokens"} & set(metadata)


async def test_rfc9700_2_3_access_token_reaches_no_management_and_no_further_than_was_asked(parties: Parties) -> None:
    got = await granted(parties, scope="customers:read")
    calls = [("GET", "/api/v1/customers"), ("POST", "/api/v1/customers"), ("GET", "/api/v1/keys"), ("POST", "/api/v1/tokens/default")]
    statuses = [(await parties.host.send(method, path, got["access_token"])).status_code for method, path in calls]
    assert [200, 403, 403, 403] == statuses


async def test_rfc9700_2_5_client_that_does_not_prove_itself_gets_nothing_and_costs_nothing(parties: Parties) -> None:
    verifier = a_verifier()
    fields = {"grant_type": "authorization_code", "code": await parties.code(verifier), "redirect_uri": CALLBACK, "code_verifier": verifier}
    for secret in (None, "", "wrong", f"{parties.secret}0"):
        got = await exchange(parties, **fields, client_secret=secret)
        assert (401, "invalid_client") == (got.status_code, got.json()["error"])
    assert 200 == (await exchange(parties, **fields)).status_code


async def test_rfc9700_4_2_4_no_page_of_the_flow_tells_another_where_its_reader_came_from(parties: Parties) -> None:
    asked = parties.asking(a_verifier())
    page, led = await ask(parties, asked), await answer(parties, asked)
    for one in (page, led):
        assert ("no-referrer", "no-store") == (one.headers["referrer-policy"], one.headers["cache-control"])
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert [] == re.findall(r'(?:src|href)="https?://', page.text)


async def test_rfc9700_4_3_2_token_in_an_address_is_refused_and_none_is_ever_sent_in_one(parties: Parties) -> None:
    led = await answer(parties, parties.asking(a_verifier()))
    assert {"code", "state", "iss"} == {name for name, _ in parse_qsl(urlsplit(led.headers["location"]).query)}
    got = await granted(parties)
    problem(await parties.host.get(f"/api/v1/customers?access_token={got['access_token']}"), 400, "key_in_url")


async def test_rfc9700_4_5_code_belongs_to_its_app_its_verifier_and_its_redirect_uri(parties: Parties) -> None:
    other = await apps.create(parties.desk, parties.host.owner, name="Other", redirect_uris=[CALLBACK], scopes=["customers:read"])
    assert other.secret is not None
    verifier = a_verifier()
    fields = {"grant_type": "authorization_code", "code": await parties.code(verifier), "redirect_uri": CALLBACK, "code_verifier": verifier}
    stolen = await exchange(parties, **fields, client_id=other.app.client_id, client_secret=other.secret.text)
    assert (400, "invalid_grant") == (stolen.status_code, stolen.json()["error"])
    assert 200 == (await exchange(parties, **fields)).status_code
    for wrong in ({"code_verifier": a_verifier()}, {"redirect_uri": f"{CALLBACK}/"}, {"code_verifier": "short"}):
        own = a_verifier()
        sent = {**fields, "code": await parties.code(own), "code_verifier": own, **wrong}
        assert "invalid_grant" == (await exchange(parties, **sent)).json()["error"]


async def test_rfc9700_4_7_consent_answers_no_form_of_another_site(parties: Parties) -> None:
    asked = parties.asking(a_verifier())
    page = await ask(parties, asked)
    token = re.search(r'/authorize\?[^>]*>\s*<input type="hidden" name="form_token" value="([^"]+)"', page.text)
    assert token is not None
    form = {"form_token": token[1], "answer": "allow", "workspace_id": parties.host.workspace.id}
    foreign = {**browser(parties), "sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    said = await parties.host.client.post("/console/authorize", params=asked, data=form, headers=foreign)
    assert (403, False) == (said.status_code, "location" in said.headers)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_rfc9700_4_12_no_step_answers_307(parties: Parties, method: str) -> None:
    asked = parties.asking(a_verifier())
    sent: dict[str, Any] = {"params": asked} if method == "GET" else {"data": asked}
    led = await parties.host.client.request(method, "/oauth/authorize", **sent)
    steps = [led, await parties.host.client.get(led.headers["location"], headers=browser(parties))]
    steps += [await answer(parties, asked, said) for said in ("allow", "deny")]
    steps.append(await ask(parties, {**asked, "scope": "nonsense"}))
    assert [303, 200, 303, 303, 303] == [one.status_code for one in steps]
    broken = await parties.host.client.post("/oauth/authorize", content=b"{}", headers={"content-type": "application/json"})
    assert (400, "invalid_request") == (broken.status_code, broken.json()["error"])


async def test_rfc9700_4_13_headers_of_proxies_that_nobody_trusts_change_nothing(parties: Parties) -> None:
    lies = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example;proto=https"}
    metadata = (await parties.host.client.get("/.well-known/oauth-authorization-server", headers=lies)).json()
    led = await parties.host.client.get("/oauth/authorize", params=parties.asking(a_verifier()), headers=lies)
    assert (ISSUER, True) == (metadata["issuer"], led.headers["location"].startswith(f"{ISSUER}/console/authorize?"))


async def test_rfc9700_4_14_2_refresh_token_belongs_to_its_app_and_reaches_no_further(parties: Parties) -> None:
    other = await apps.create(parties.desk, parties.host.owner, name="Other", redirect_uris=[CALLBACK], scopes=["customers:write"])
    assert other.secret is not None
    got = await granted(parties, scope="customers:read")
    again = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    stolen = await exchange(parties, **again, client_id=other.app.client_id, client_secret=other.secret.text)
    wider = await exchange(parties, **again, scope="customers:write")
    assert [(400, "invalid_grant"), (400, "invalid_scope")] == [(one.status_code, one.json()["error"]) for one in (stolen, wider)]
    assert 200 == (await exchange(parties, **again)).status_code


async def test_rfc9700_4_15_app_that_acts_for_itself_is_told_apart_from_any_member(parties: Parties) -> None:
    app = await apps.edit(
        parties.desk, parties.host.owner, parties.app.id, own_scopes=["customers:read"], name=parties.session.credential_name
    )
    own, members = await app_tokens.give(parties.desk, app, None), await parties.tokens()
    proof = (parties.app.client_id, parties.secret)
    subjects = [
        (await parties.host.client.post("/oauth/introspect", data={"token": one.access.text}, auth=proof)).json()["sub"]
        for one in (own, members)
    ]
    assert [app.client_id, parties.session.person_id] == subjects
    admin = await parties.host.key(ADMIN_RIGHTS)
    calls = [await parties.host.get("/api/v1/customers", one.access.text) for one in (own, members)]
    lines = [(await parties.host.get(f"/api/v1/logs/{one.headers['x-request-id']}", admin)).json() for one in calls]
    assert [None, parties.session.member_id] == [line["member_id"] for line in lines]
