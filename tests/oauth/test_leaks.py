"""What apps hold is ended by whoever has found it, and everybody who looks after it is told."""

from keyrack.manage import apps, events, leaks, oauth_tokens
from keyrack.model.events import Event
from keyrack.model.leaks import REPORT
from tests.oauth.conftest import Parties
from tests.oauth.test_tokens import ended, outcome
from tests.walk.problems import problem

LEAKS, PLACE = "/api/v1/leaks", "https://paste.example/x1"


async def report(parties: Parties, secret: str, found_in: str = PLACE) -> None:
    """Report what was found, on no other proof."""
    answer = await parties.host.client.post(LEAKS, json={"secret": secret, "found_in": found_in})
    assert 202 == answer.status_code


async def told(parties: Parties, kind: str) -> list[Event]:
    """The events of a type."""
    return await events.page(parties.desk, parties.host.owner, limit=9, kind=kind)


async def test_found_token_of_an_app_ends_its_grant_when_the_finder_is_answered(parties: Parties) -> None:
    for which in ("access", "refresh"):
        given = await parties.tokens()
        other = await parties.tokens()
        secret = given.access.text if which == "access" else given.refresh.text
        for _ in range(2):
            await report(parties, secret, f"it was {secret}")
        refusal = problem(await parties.host.get("/api/v1/customers", given.access.text), 401, "token_revoked")
        assert "found where others can read it (Leak report)" in refusal["detail"]
        assert 401 == await parties.status(other)
        assert None is await outcome(oauth_tokens.refresh(parties.desk, parties.app, given.refresh.text, None))
        assert "leaked" == (await ended(parties))[0]
        event = (await told(parties, "grant.leaked"))[0]
        assert secret not in str(event.data)
    assert 2 == len(await told(parties, "grant.leaked"))


async def test_found_refresh_token_that_was_used_before_ends_nothing(parties: Parties) -> None:
    given = await parties.tokens()
    successor = await oauth_tokens.refresh(parties.desk, parties.app, given.refresh.text, None)
    await report(parties, given.refresh.text)
    assert 200 == await parties.status(successor)
    await oauth_tokens.revoke(parties.desk, parties.app, given.access.text)
    await report(parties, given.access.text)
    assert [200, [None]] == [await parties.status(successor), await ended(parties)]


async def test_found_client_secret_proves_nothing_until_the_app_has_another_and_grants_go_on(parties: Parties) -> None:
    given = await parties.tokens()
    for _ in range(2):
        await report(parties, parties.secret)
    sent = {"grant_type": "refresh_token", "refresh_token": given.refresh.text, "client_id": parties.app.client_id}
    refused = [await parties.host.client.post("/oauth/token", data=fields) for fields in ({**sent, "client_secret": parties.secret}, sent)]
    assert [401, 401, 200] == [*(one.status_code for one in refused), await parties.status(given)]
    (event,) = await told(parties, "app.secret_leaked")
    assert (parties.app.id, PLACE) == (event.object_id, event.data["found_in"])
    rotated = await apps.rotate_secret(parties.desk, parties.host.owner, parties.app.id)
    assert rotated.secret is not None
    again = await parties.host.client.post("/oauth/token", data={**sent, "client_secret": rotated.secret.text})
    assert 200 == again.status_code


async def test_neighbours_of_what_leaked_keep_theirs(parties: Parties) -> None:
    given = await parties.tokens()
    other = await apps.create(
        parties.desk, parties.host.owner, name="Other", redirect_uris=["https://x.example/"], scopes=["customers:read"]
    )
    assert other.secret is not None
    await report(parties, other.secret.text)
    assert set() == await leaks.end(parties.desk, [], REPORT)
    assert 200 == await parties.status(given)
    assert parties.app == await oauth_tokens.client(parties.desk, parties.app.client_id, parties.secret, "192.0.2.1")
