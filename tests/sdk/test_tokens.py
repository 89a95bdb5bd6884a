"""Personal tokens, and the workspaces of a person, by both clients."""

from collections.abc import Iterator

import pytest

from keyrack.client import AuthenticationError, PermissionDeniedError
from tests.cli.programs import running
from tests.sdk.surfaces import KINDS, got, walked


class Person:
    """The owner of a demo whose brand has no keys: `token` is their default token, the present one."""

    def __init__(self, url: str, token: str, admin_key: str) -> None:
        self.url, self.token, self.admin_key = url, token, admin_key


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Somebody with a default token."""
    with running(tmp_path_factory.mktemp("person"), "demo", "--brand", "pipedrive", "--port", "0", "--data", "data", "--json") as program:
        printed = program.first_line()
        yield Person(printed["url"], printed["live_key"], printed["admin_key"])
        assert 0 == program.stop()
    assert "Traceback" not in program.err


@pytest.mark.parametrize("kind", KINDS)
async def test_others_tokens_are_listed_and_none_is_made(person: Person, kind: str) -> None:
    admin = KINDS[kind](person.admin_key, base_url=person.url)
    assert ["Default token"] == [one.name for one in await walked(admin.tokens.list(), admin)]
    with pytest.raises(PermissionDeniedError):
        await got(admin.tokens.create(name="theirs", permissions={"customers": "read"}))
    with pytest.raises(PermissionDeniedError):
        await got(admin.tokens.generate())
    (own,) = (await got(admin.workspaces())).data
    assert (True, None) == (own.is_current, own.role)
    await got(admin.close())


@pytest.mark.parametrize("kind", KINDS)
async def test_client_with_a_default_token_makes_named_ones_and_generates_its_successor(person: Person, kind: str) -> None:
    client = KINDS[kind](person.token, base_url=person.url)
    named = await got(client.tokens.create(name="Zapier", permissions={"customers": "read"}))
    assert ({"customers": "read"}, False) == (named.permissions, named.is_default)
    assert named.secret not in repr(named)
    assert named.id == (await got(client.tokens.get(named.id))).id
    await got(client.tokens.revoke(named.id))
    assert "ended" == (await got(client.tokens.get(named.id))).state
    assert ["owner"] == [one.role for one in (await got(client.workspaces())).data]
    person.token = (await got(client.tokens.generate(end_named=False))).secret
    with pytest.raises(AuthenticationError) as raised:
        await got(client.me())
    assert "token_revoked" == raised.value.code
    after = KINDS[kind](person.token, base_url=person.url)
    assert "Robin Vale" == (await got(after.me())).member_name
    await got(client.close())
    await got(after.close())
