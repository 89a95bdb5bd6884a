"""RFC 6750, The OAuth 2.0 Authorization Framework: Bearer Token Usage. One test per rule that a resource server keeps."""

import re

import httpx
import pytest

from keyrack.manage import keys
from keyrack.model.permissions import Level, Rights
from tests.hosts import Host

PATH = "/api/v1/customers"
ATTRIBUTE = re.compile(r'(\w+)="([^"\\]*)"')


def challenge(answer: httpx.Response) -> dict[str, str]:
    """The attributes of the one challenge, each of which stands once (§3)."""
    (header,) = answer.headers.get_list("www-authenticate")
    scheme, _, rest = header.partition(" ")
    assert "Bearer" == scheme
    found = ATTRIBUTE.findall(rest)
    assert ", ".join(f'{name}="{value}"' for name, value in found) == rest
    assert len(found) == len(dict(found))
    return dict(found)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_section_2_1_the_authorization_header_is_accepted_whatever_the_case_of_its_scheme(host: Host, scheme: str) -> None:
    key = await host.key()
    assert 200 == (await host.get(PATH, headers={"Authorization": f"{scheme} {key.secret.text}"})).status_code


async def test_section_2_only_one_method_may_be_used_in_a_call(host: Host) -> None:
    key = await host.key()
    answer = await host.get(PATH, key, headers={"X-API-Key": key.secret.text})
    assert (400, "invalid_request") == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("name", ["access_token", "api_key", "api_token", "token"])
async def test_section_2_3_a_token_in_the_query_proves_nobody(host: Host, name: str) -> None:
    key = await host.key()
    alone = await host.get(f"{PATH}?{name}={key.secret.text}")
    assert (400, "key_in_url") == (alone.status_code, alone.json()["code"])
    beside = await host.get(f"{PATH}?{name}={key.secret.text}", key)
    assert (400, "key_in_url") == (beside.status_code, beside.json()["code"])
    assert key.secret.text not in alone.text + beside.text


async def test_section_3_1_a_call_without_a_credential_gets_no_error_code(host: Host) -> None:
    answer = await host.get(PATH)
    assert 401 == answer.status_code
    assert {"realm"} == set(challenge(answer))


async def test_section_3_1_a_token_that_is_revoked_or_unknown_is_an_invalid_token(host: Host) -> None:
    key = await host.key()
    await keys.revoke(host.rack.assembly.desk, host.owner, key.key.id)
    for secret in (key.secret.text, "nonsense"):
        answer = await host.get(PATH, secret)
        assert (401, "invalid_token") == (answer.status_code, challenge(answer)["error"])


async def test_section_3_1_a_right_that_is_missing_is_an_insufficient_scope_that_names_it(host: Host) -> None:
    key = await host.key(Rights(permissions={"customers": Level.READ}))
    answer = await host.send("POST", PATH, key, json={"name": "a"})
    told = challenge(answer)
    assert (403, "insufficient_scope", "customers:write") == (answer.status_code, told["error"], told["scope"])


async def test_section_5_3_what_a_credential_opens_is_not_cached_by_the_way(host: Host) -> None:
    refused = await host.get(PATH)
    assert "no-store" == refused.headers["cache-control"]
