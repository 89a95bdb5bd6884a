"""An app acts for itself with what an admin gave it, in its own workspace, and is over with whatever it came of."""

from collections.abc import Awaitable, Callable

import pytest
from authlib.oauth2.rfc6749.errors import InvalidScopeError, UnauthorizedClientError

from keyrack.manage import app_tokens, apps, events, oauth_tokens
from keyrack.manage.app_tokens import OwnAccess
from keyrack.model.apps import App
from keyrack.model.refusals import INVALID_REQUEST, RATE_LIMITED
from keyrack.store import apps as app_rows
from tests.hosts import ADMIN_RIGHTS
from tests.manage.refused import refused
from tests.oauth.conftest import CALLBACK, Parties
from tests.oauth.test_face import exchange
from tests.walk.problems import problem

HOUR = 3600 * 1000


@pytest.fixture
async def app(parties: Parties) -> App:
    """The app, with permissions of its own."""
    return await apps.edit(parties.desk, parties.host.owner, parties.app.id, own_scopes=["customers:write"])


async def test_app_acts_for_itself_with_what_it_was_given_and_the_log_names_it(parties: Parties, app: App) -> None:
    got = await exchange(parties, grant_type="client_credentials")
    told = got.json()
    assert (200, "customers:write", False, "no-store") == (
        got.status_code,
        told["scope"],
        "refresh_token" in told,
        got.headers["cache-control"],
    )
    token = told["access_token"]
    calls = [await parties.host.get("/api/v1/customers", token), await parties.host.get("/api/v1/members", token)]
    calls.append(await parties.host.send("POST", "/api/v1/customers", token, json={"name": "x"}))
    assert [200, 403, 201] == [one.status_code for one in calls]
    me = (await parties.host.get("/api/v1/me", token)).json()
    assert ("access_token_identity", "Deal mirror", None, parties.host.workspace.id) == (
        me["object"],
        me["key_name"],
        me["member_id"],
        me["org_id"],
    )
    space = await parties.host.rack.spaces.create(parties.host.workspace.id, "Launch")
    assert 404 == (await parties.host.get(f"/api/v1/spaces/{space.id}/messages", token)).status_code
    admin = await parties.host.key(ADMIN_RIGHTS)
    line = (await parties.host.get(f"/api/v1/logs/{calls[0].headers['x-request-id']}", admin)).json()
    assert (app.id, None, None, "access_token") == (line["app_id"], line["grant_id"], line["member_id"], line["credential_kind"])
    narrow = await app_tokens.give(parties.desk, app, "customers:read")
    assert [200, 403] == [await parties.status(narrow), await parties.status(narrow, "POST", json={"name": "x"})]


async def test_app_without_permissions_of_its_own_gets_nothing(parties: Parties) -> None:
    got = await exchange(parties, grant_type="client_credentials")
    assert (400, "unauthorized_client") == (got.status_code, got.json()["error"])
    public = await apps.create(
        parties.desk, parties.host.owner, name="CLI", redirect_uris=["http://127.0.0.1/"], scopes=["customers:read"], public=True
    )
    with pytest.raises(UnauthorizedClientError):
        await app_tokens.give(parties.desk, public.app, None)
    for scopes, app_id in ((["customers:read"], public.app.id), (["spaces:read"], parties.app.id), (["x:read"], parties.app.id)):
        with refused(INVALID_REQUEST) as raised:
            await apps.edit(parties.desk, parties.host.owner, app_id, own_scopes=scopes)
        assert "own_scopes" == raised.value.param


async def test_app_asks_for_no_more_than_it_was_given_nor_too_often(parties: Parties, app: App) -> None:
    for scope in ("onboardings:read", "customers:write onboardings:read", "nonsense"):
        with pytest.raises(InvalidScopeError):
            await app_tokens.give(parties.desk, app, scope)
    with refused(RATE_LIMITED):
        for _ in range(100):
            await app_tokens.give(parties.desk, app, None)
    got = await exchange(parties, grant_type="client_credentials")
    assert (429, "temporarily_unavailable", True) == (got.status_code, got.json()["error"], "retry-after" in got.headers)


async def test_app_token_is_refused_when_the_change_that_ends_it_returns(parties: Parties, app: App) -> None:
    desk, owner, host = parties.desk, parties.host.owner, parties.host
    other = await parties.tokens()

    async def refused_after(change: Callable[[OwnAccess], Awaitable[object]], status: int, code: str) -> None:
        given = await app_tokens.give(desk, await apps_now(), None)
        assert 200 == await parties.status(given)
        await change(given)
        problem(await host.get("/api/v1/customers", given.access.text), status, code)

    async def apps_now() -> App:
        async with desk.store.reading() as c:
            return await app_rows.get(c, host.workspace.id, app.id)

    async def report(secret: str) -> None:
        assert 202 == (await host.client.post("/api/v1/leaks", json={"secret": secret})).status_code

    async def rotate(_given: OwnAccess) -> str:
        rotated = await apps.rotate_secret(desk, owner, app.id)
        assert rotated.secret is not None
        return rotated.secret.text

    async def pass_time(_given: OwnAccess) -> None:
        host.clock.set(host.clock.now() + HOUR)

    await refused_after(lambda _given: apps.edit(desk, owner, app.id, own_scopes=[]), 403, "insufficient_permission")
    await apps.edit(desk, owner, app.id, own_scopes=["customers:write"])
    await refused_after(rotate, 401, "token_revoked")
    await refused_after(lambda given: app_tokens.revoke(desk, app, given.access.text), 401, "token_revoked")
    await refused_after(lambda given: report(given.access.text), 401, "token_revoked")
    secret = await rotate(await app_tokens.give(desk, await apps_now(), None))
    await refused_after(lambda _given: report(secret), 401, "token_revoked")
    assert 200 == await parties.status(other)
    await apps.rotate_secret(desk, owner, app.id)
    await refused_after(lambda _given: host.rack.workspaces.switch_api(host.workspace.id, False), 401, "api_disabled")
    await host.rack.workspaces.switch_api(host.workspace.id, True)
    await refused_after(pass_time, 401, "token_expired")
    await refused_after(lambda _given: apps.delete(desk, owner, app.id), 401, "token_revoked")
    for kind in ("app.token_revoked", "app.token_leaked", "app.secret_leaked"):
        assert [app.id] == [event.object_id for event in await events.page(desk, owner, limit=9, kind=kind)]


async def test_app_asks_what_its_own_token_may_do_and_another_app_learns_nothing(parties: Parties, app: App) -> None:
    given = await app_tokens.give(parties.desk, app, None)
    other = await apps.create(parties.desk, parties.host.owner, name="Other", redirect_uris=[CALLBACK], scopes=["customers:read"])
    told = await app_tokens.introspect(parties.desk, app, given.access.text)
    assert told is not None
    assert (("customers:write",), app.client_id) == (told.scopes, told.subject)
    assert None is await app_tokens.introspect(parties.desk, other.app, given.access.text)
    assert None is await oauth_tokens.introspect(parties.desk, app, given.access.text)
    await app_tokens.revoke(parties.desk, other.app, given.access.text)
    assert 200 == await parties.status(given)
    parties.host.clock.set(parties.host.clock.now() + HOUR)
    assert None is await app_tokens.introspect(parties.desk, app, given.access.text)
    parties.host.clock.set(parties.host.clock.now() + 7 * 24 * HOUR + 1)
    await oauth_tokens.prune(parties.desk)
    assert [401, None] == [await parties.status(given), await app_tokens.introspect(parties.desk, app, given.access.text)]
