"""What whoever makes an app reads when a step of the flow goes wrong: enough to mend it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyrack.model.grants import CODE_MS
from tests.backends import Backend
from tests.hosts import Host, running
from tests.oauth.conftest import CALLBACK, Parties, a_verifier
from tests.oauth.test_face import answer, ask, exchange, granted, told

WRONG: list[tuple[dict[str, str], str]] = [
    ({"scope": "customers:read deals:read"}, "deals:read"),
    ({"scope": 'customers:read "é":read'}, "all of these scopes"),
    ({"code_challenge": "short"}, "43 characters"),
    ({"code_challenge_method": "plain"}, "S256"),
    ({"response_type": "token"}, "response_type is code"),
]


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """A host, for what does not depend on the database."""
    async with running(Backend.in_folder(tmp_path), tmp_path) as one:
        yield one


async def a_code(parties: Parties) -> dict[str, Any]:
    """What exchanges a code that the member has just given."""
    verifier = a_verifier()
    code = told(await answer(parties, parties.asking(verifier)))["code"]
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}


def description(refused: httpx.Response) -> str:
    """What a refusal of the token endpoint says."""
    assert 400 == refused.status_code, refused.text
    return str(refused.json()["error_description"])


async def test_app_reads_what_was_wrong_with_its_request(parties: Parties) -> None:
    for wrong, said in WRONG:
        assert said in told(await ask(parties, parties.asking(a_verifier(), **wrong)))["error_description"]


async def test_page_names_the_redirect_uri_that_is_not_registered_and_repeats_nothing_that_is_no_address(parties: Parties) -> None:
    page = await ask(parties, parties.asking(a_verifier(), redirect_uri=f"{CALLBACK}/"))
    assert (400, True) == (page.status_code, f"{CALLBACK}/, which is not registered" in page.text)
    page = await ask(parties, parties.asking(a_verifier(), redirect_uri="call 555 0100 at once"))
    assert (400, False) == (page.status_code, "555" in page.text)


async def test_app_reads_why_a_code_gives_nothing(parties: Parties) -> None:
    code = await a_code(parties)
    assert "code_verifier is not the one" in description(await exchange(parties, **code | {"code_verifier": a_verifier()}))
    assert "used before" in description(await exchange(parties, **code))
    assert "43 to 128" in description(await exchange(parties, **await a_code(parties) | {"code_verifier": "short"}))
    assert "redirect_uri is not the one" in description(await exchange(parties, **await a_code(parties) | {"redirect_uri": f"{CALLBACK}/"}))
    late = await a_code(parties)
    parties.host.clock.set(parties.host.clock.now() + CODE_MS)
    assert "60 seconds" in description(await exchange(parties, **late))
    assert "no such code" in description(await exchange(parties, **late | {"code": "acme_oac_guessed"}))


async def test_app_reads_why_a_refresh_token_gives_nothing(parties: Parties) -> None:
    first = (await granted(parties))["refresh_token"]
    second = (await exchange(parties, grant_type="refresh_token", refresh_token=first)).json()["refresh_token"]
    assert "used before" in description(await exchange(parties, grant_type="refresh_token", refresh_token=first))
    assert "its grant has ended" in description(await exchange(parties, grant_type="refresh_token", refresh_token=second))
    assert "authorization_code" in description(await exchange(parties, grant_type="password"))
