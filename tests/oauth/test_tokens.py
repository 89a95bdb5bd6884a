"""What apps get is used once, reaches no further than its member, and is over everywhere when its grant's end returns."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidGrantError, InvalidScopeError
from sqlalchemy import select

from keyrack.manage import access, apps, events, grants, members, oauth_tokens, tokens
from keyrack.manage.desk import Desk
from keyrack.manage.oauth_tokens import Given
from keyrack.model.grants import REFRESH_IDLE_MS, REFRESH_MS
from keyrack.model.members import MemberStatus
from keyrack.model.permissions import Level, SpaceRole
from keyrack.model.refusals import INVALID_REQUEST, STORE_UNAVAILABLE, TOO_MANY_FAILURES, Refused
from keyrack.store.tables import metadata
from tests.manage.refused import refused
from tests.oauth.conftest import CALLBACK, Parties, a_verifier

AT_ONCE = 50
HOUR = 3600 * 1000


async def outcome(call: Awaitable[Given]) -> Given | None:
    """What a call gives, or None where its grant is invalid, or so many come at once that the store has no turn for it."""
    try:
        return await call
    except InvalidGrantError:
        return None
    except Refused as refused:
        if refused.refusal is STORE_UNAVAILABLE:
            return None
        raise


async def ended(parties: Parties) -> list[str | None]:
    """Why the grants of the workspace have ended, None for those that go on."""
    found = await grants.page(parties.desk, parties.host.owner, limit=9)
    return [one.grant.end_reason.value if one.grant.end_reason else None for one in found]


async def test_access_token_reaches_what_was_granted_as_far_as_its_member_does(parties: Parties) -> None:
    given = await parties.tokens()
    assert given.access.text.startswith("acme_oat_")
    assert [200, 201, 403] == [
        await parties.status(given),
        await parties.status(given, "POST", json={"name": "x"}),
        await parties.status(given, path="/api/v1/members"),
    ]
    me = (await parties.host.get("/api/v1/me", given.access.text)).json()
    assert ("access_token_identity", "Deal mirror for Cy", {"customers": "write"}) == (me["object"], me["key_name"], me["permissions"])
    await parties.edit(permissions={"customers": Level.READ})
    assert [200, 403] == [await parties.status(given), await parties.status(given, "POST", json={"name": "x"})]
    reads = await parties.tokens(scope="customers:read")
    await parties.edit(permissions={"customers": Level.WRITE})
    assert [201, 403] == [await parties.status(one, "POST", json={"name": "x"}) for one in (given, reads)]


async def test_access_token_reads_the_spaces_that_its_member_is_in(parties: Parties) -> None:
    space, other = [await parties.host.rack.spaces.create(parties.host.workspace.id, name) for name in ("Launch", "Board")]
    await parties.edit(spaces={space.id: SpaceRole.MANAGER})
    given = await parties.tokens()
    paths = [f"/api/v1/spaces/{one.id}/messages" for one in (space, other)]
    assert [200, 404, 403] == [
        await parties.status(given, path=paths[0]),
        await parties.status(given, path=paths[1]),
        await parties.status(given, "POST", paths[0]),
    ]


async def test_an_app_learns_nothing_of_its_members_other_credentials(parties: Parties) -> None:
    given = await parties.tokens()
    own = await tokens.generate(parties.desk, parties.session)
    assert [] == (await parties.host.get("/api/v1/tokens", given.access.text)).json()["data"]
    path = f"/api/v1/tokens/{own.held.id}"
    assert [404, 404] == [await parties.status(given, method, path) for method in ("GET", "DELETE")]
    assert 403 == await parties.status(given, "POST", "/api/v1/tokens/default")


@pytest.mark.parametrize("change", ["revoke", "forbid", "deactivate", "remove", "delete_app", "app_revokes", "partner", "api_off"])
async def test_access_token_is_refused_when_the_change_that_ends_it_returns(parties: Parties, change: str) -> None:
    given = await parties.tokens()
    assert 200 == await parties.status(given)
    desk, owner, member_id = parties.desk, parties.host.owner, parties.session.member_id or ""
    grant = (await grants.page(desk, owner, limit=1))[0].grant
    ends: dict[str, Callable[[], Awaitable[object]]] = {
        "revoke": lambda: grants.revoke(desk, parties.session, grant.id),
        "forbid": lambda: parties.edit(may_use_api=False),
        "deactivate": lambda: parties.edit(status=MemberStatus.INACTIVE),
        "remove": lambda: members.remove(desk, owner, member_id),
        "delete_app": lambda: apps.delete(desk, owner, parties.app.id),
        "app_revokes": lambda: oauth_tokens.revoke(desk, parties.app, given.refresh.text),
        "partner": lambda: access.revoke(desk, owner, member_id=member_id),
        "api_off": lambda: parties.host.rack.workspaces.switch_api(parties.host.workspace.id, False),
    }
    await ends[change]()
    assert 401 == await parties.status(given)
    if change not in ("delete_app", "api_off"):
        told = await events.page(desk, owner, limit=9, kind="grant.ended")
        assert [grant.id] == [event.object_id for event in told]
        assert None is await outcome(oauth_tokens.refresh(desk, parties.app, given.refresh.text, None))


async def test_right_that_is_given_back_brings_no_grant_back(parties: Parties) -> None:
    given = await parties.tokens()
    for may in (False, True):
        await parties.edit(may_use_api=may)
        assert 401 == await parties.status(given)


async def test_of_fifty_who_redeem_a_code_at_once_one_succeeds_and_the_reuse_ends_its_grant(parties: Parties) -> None:
    verifier = a_verifier()
    code = await parties.code(verifier)
    redeeming = [outcome(oauth_tokens.redeem(parties.desk, parties.app, code, CALLBACK, verifier)) for _ in range(AT_ONCE)]
    given = [one for one in await asyncio.gather(*redeeming) if one is not None]
    assert 1 == len(given)
    assert [401, ["code_reused"]] == [await parties.status(given[0]), await ended(parties)]
    assert None is await outcome(oauth_tokens.refresh(parties.desk, parties.app, given[0].refresh.text, None))


async def test_of_fifty_who_rotate_a_refresh_token_at_once_one_succeeds_and_the_reuse_ends_its_grant(parties: Parties) -> None:
    first = await parties.tokens()
    rotating = [outcome(oauth_tokens.refresh(parties.desk, parties.app, first.refresh.text, None)) for _ in range(AT_ONCE)]
    given = [one for one in await asyncio.gather(*rotating) if one is not None]
    assert 1 == len(given)
    assert [401, 401, ["refresh_token_reused"]] == [await parties.status(first), await parties.status(given[0]), await ended(parties)]


async def test_refresh_token_rotates_and_may_ask_for_less(parties: Parties) -> None:
    given = await parties.tokens()
    narrow = await oauth_tokens.refresh(parties.desk, parties.app, given.refresh.text, "customers:read")
    assert [200, 403] == [await parties.status(narrow), await parties.status(narrow, "POST", json={"name": "x"})]
    with pytest.raises(InvalidScopeError):
        await oauth_tokens.refresh(parties.desk, parties.app, narrow.refresh.text, "onboardings:read")
    wide = await oauth_tokens.refresh(parties.desk, parties.app, narrow.refresh.text, None)
    assert 201 == await parties.status(wide, "POST", json={"name": "x"})
    assert 200 == await parties.status(given)


async def test_tokens_are_over_by_the_clock_and_refreshing_has_an_absolute_end(parties: Parties) -> None:
    given, clock = await parties.tokens(), parties.host.clock
    began = clock.now()
    clock.set(began + HOUR - 1)
    assert 200 == await parties.status(given)
    clock.set(began + HOUR)
    assert 401 == await parties.status(given)
    for month in range(1, 13):
        clock.set(began + month * 30 * 24 * HOUR)
        given = await oauth_tokens.refresh(parties.desk, parties.app, given.refresh.text, None)
    clock.set(began + REFRESH_MS)
    assert None is await outcome(oauth_tokens.refresh(parties.desk, parties.app, given.refresh.text, None))
    idle = await parties.tokens()
    clock.set(clock.now() + REFRESH_IDLE_MS)
    assert None is await outcome(oauth_tokens.refresh(parties.desk, parties.app, idle.refresh.text, None))


async def test_wrong_verifier_redirect_uri_or_app_gets_nothing_and_the_first_two_cost_the_code(parties: Parties, desk: Desk) -> None:
    other = await apps.create(desk, parties.host.owner, name="Other", redirect_uris=[CALLBACK], scopes=["customers:read"])
    for uri, proof in ((CALLBACK, a_verifier()), (CALLBACK, ""), ("https://evil.example/", None)):
        verifier = a_verifier()
        code = await parties.code(verifier)
        assert None is await outcome(oauth_tokens.redeem(desk, other.app, code, CALLBACK, verifier))
        wrong = verifier if proof is None else proof
        assert None is await outcome(oauth_tokens.redeem(desk, parties.app, code, uri, wrong))
        assert None is await outcome(oauth_tokens.redeem(desk, parties.app, code, CALLBACK, verifier))
    verifier = a_verifier()
    code = await parties.code(verifier)
    parties.host.clock.set(parties.host.clock.now() + 60_000)
    assert None is await outcome(oauth_tokens.redeem(desk, parties.app, code, CALLBACK, verifier))


async def test_client_proves_itself_by_its_newest_secret_alone(parties: Parties, desk: Desk) -> None:
    owner, app = parties.host.owner, parties.app
    assert app == await oauth_tokens.client(desk, app.client_id, parties.secret, "192.0.2.1")
    public = await apps.create(desk, owner, name="CLI", redirect_uris=["http://127.0.0.1/done"], scopes=["customers:read"], public=True)
    assert public.secret is None
    assert public.app == await oauth_tokens.client(desk, public.app.client_id, None, "192.0.2.1")
    rotated = await apps.rotate_secret(desk, owner, app.id)
    assert rotated.secret is not None
    assert rotated.app == await oauth_tokens.client(desk, app.client_id, rotated.secret.text, "192.0.2.1")
    wrong = [(app.client_id, parties.secret), (app.client_id, None), (public.app.client_id, "x"), ("nobody", "x"), ("\0", None)]
    for client_id, secret in wrong:
        with pytest.raises(InvalidClientError):
            await oauth_tokens.client(desk, client_id, secret, "192.0.2.1")
    with refused(TOO_MANY_FAILURES):
        for _ in range(100):
            with pytest.raises(InvalidClientError):
                await oauth_tokens.client(desk, app.client_id, "guess", "192.0.2.2")
    assert rotated.app == await oauth_tokens.client(desk, app.client_id, rotated.secret.text, "192.0.2.3")


async def test_an_app_gives_one_access_token_back_and_asks_what_another_may_do(parties: Parties, desk: Desk) -> None:
    given = await parties.tokens()
    other = await apps.create(desk, parties.host.owner, name="Other", redirect_uris=[CALLBACK], scopes=["customers:read"])
    told = await oauth_tokens.introspect(desk, parties.app, given.access.text)
    assert told is not None
    assert told.scopes == ("customers:write", "spaces:read")
    assert None is await oauth_tokens.introspect(desk, other.app, given.access.text)
    await oauth_tokens.revoke(desk, other.app, given.access.text)
    await oauth_tokens.revoke(desk, other.app, given.refresh.text)
    assert 200 == await parties.status(given)
    await oauth_tokens.revoke(desk, parties.app, given.access.text)
    assert 401 == await parties.status(given)
    assert None is await oauth_tokens.introspect(desk, parties.app, given.access.text)
    assert 200 == await parties.status(await oauth_tokens.refresh(desk, parties.app, given.refresh.text, None))


async def test_what_is_stored_of_tokens_codes_and_secrets_is_their_digest_alone(parties: Parties, desk: Desk) -> None:
    given, verifier = await parties.tokens(), a_verifier()
    code = await parties.code(verifier)
    secrets = [given.access.text, given.refresh.text, code, parties.secret]
    async with desk.store.reading() as c:
        for table in metadata.sorted_tables:
            for row in await c.all(select(table)):
                assert not [secret[:12] for secret in secrets if secret in str(tuple(row))], table.name


async def test_what_was_over_for_a_week_is_forgotten(parties: Parties, desk: Desk) -> None:
    given = await parties.tokens()
    parties.host.clock.set(parties.host.clock.now() + HOUR + 7 * 24 * HOUR + 1)
    await oauth_tokens.prune(desk)
    assert 401 == await parties.status(given)
    assert [None] == await ended(parties)
    assert None is not await outcome(oauth_tokens.refresh(desk, parties.app, given.refresh.text, None))


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example/cb",
        "https://*.example/cb",
        "https://app.example/#x",
        "javascript:alert(1)",
        "https://u@app.example/",
        "https:///x",
        "http://localhost/cb",
        "http://127.0.0.1:99999999/",
    ],
)
async def test_app_is_not_registered_with_an_address_that_is_no_redirect_uri(parties: Parties, desk: Desk, uri: str) -> None:
    with refused(INVALID_REQUEST) as raised:
        await apps.create(desk, parties.host.owner, name="x", redirect_uris=[uri], scopes=["customers:read"])
    assert "redirect_uris" == raised.value.param
