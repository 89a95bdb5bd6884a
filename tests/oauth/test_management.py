"""Apps, grants and access over HTTP: what an admin manages, what a member sees, and what looks missing to everybody else."""

from typing import Any

import httpx
import pytest
from authlib.oauth2.rfc6749.errors import InvalidGrantError

from keyrack.manage import apps, grants, keys, oauth_tokens, tokens
from keyrack.manage.keys import Issued
from keyrack.model.orders import NEWEST
from keyrack.model.principals import Mode
from tests.api.test_logs import moved
from tests.hosts import ADMIN_RIGHTS, Host
from tests.oauth.conftest import CALLBACK, Parties, a_verifier

NEW = {"name": "Calendar", "redirect_uris": [CALLBACK], "scopes": ["customers:read"], "partner": "Northwind"}
HOUR = 3600 * 1000


class Admin:
    """Somebody with a key that manages the workspace."""

    def __init__(self, host: Host, key: Issued) -> None:
        self.host, self.key = host, key

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Make a call."""
        return await self.host.send(method, f"/api/v1{path}", self.key, **({} if body is None else {"json": body}))

    async def done(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Make a call that succeeds, and return what it answers."""
        answer = await self.call(method, path, body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def ids(self, path: str) -> list[str]:
        """Return the ids of what a list holds."""
        return [one["id"] for one in (await self.done("GET", path))["data"]]


@pytest.fixture
async def admin(host: Host) -> Admin:
    """An admin of the workspace."""
    return Admin(host, await host.key(ADMIN_RIGHTS, name="backoffice"))


async def test_an_app_is_registered_narrowed_rotated_uninstalled_and_deleted(parties: Parties, admin: Admin) -> None:
    made = await admin.done("POST", "/apps", NEW)
    assert made["secret"].startswith(made["secret_prefix"])
    assert (False, 0, "Northwind") == (made["public"], made["grants"], made["partner"])
    rotated = await admin.done("POST", f"/apps/{made['id']}/rotate")
    assert made["secret"] != rotated["secret"]
    listed = await admin.done("GET", "/apps?sort=name")
    assert ["Calendar", "Deal mirror"] == [one["name"] for one in listed["data"]]
    assert "secret" not in listed["data"][0]
    given = await parties.tokens()
    app = f"/apps/{parties.app.id}"
    assert 201 == await parties.status(given, "POST", json={"name": "x"})
    narrowed = await admin.done("PATCH", app, {"scopes": ["customers:read"]})
    assert (["customers:read"], 1) == (narrowed["scopes"], narrowed["grants"])
    assert [200, 403] == [await parties.status(given), await parties.status(given, "POST", json={"name": "x"})]
    now = (await apps.get(parties.desk, parties.host.owner, parties.app.id)).app
    told = await oauth_tokens.introspect(parties.desk, now, given.access.text)
    assert told is not None
    refreshed = await oauth_tokens.refresh(parties.desk, now, given.refresh.text, None)
    assert (("customers:read",), ("customers:read",)) == (told.scopes, refreshed.scopes)
    (grant,) = (await admin.done("GET", f"/grants?app_id={parties.app.id}"))["data"]
    assert (["customers:read"], "active", "Cy") == (grant["scopes"], grant["state"], grant["member_name"])
    assert 1 == (await admin.done("POST", f"{app}/uninstall"))["grants_ended"]
    assert 401 == await parties.status(given)
    assert 0 == (await admin.done("POST", f"{app}/uninstall"))["grants_ended"]
    assert "uninstalled" == (await admin.done("GET", f"/grants/{grant['id']}"))["end_reason"]
    again = await parties.tokens(scope="customers:read")
    await admin.done("DELETE", app)
    assert 401 == await parties.status(again)
    assert [404, 404] == [(await admin.call("GET", app)).status_code, (await admin.call("POST", f"{app}/uninstall")).status_code]
    assert [] == await admin.ids("/grants")


async def test_grants_are_found_by_who_gave_them_and_say_when_they_were_used(parties: Parties, admin: Admin) -> None:
    given = await parties.tokens()
    member_id = parties.session.member_id
    assert 200 == await parties.status(given)
    (grant,) = await grants.page(parties.desk, parties.host.owner, limit=9)
    await moved(parties.host)
    seen = await admin.done("GET", f"/grants/{grant.id}")
    assert "192.0.2.7" == seen["last_used_from"]
    (line,) = (await admin.done("GET", f"/logs?app_id={parties.app.id}"))["data"]
    assert (grant.id, "access_token") == (line["grant_id"], line["credential_kind"])
    for found in ("search=mirror", f"member_id={member_id}", "former=false", "ended=false"):
        assert [grant.id] == await admin.ids(f"/grants?{found}")
    for missing in ("search=nobody", "former=true", "ended=true", "partner=Northwind", "app_id=other"):
        assert [] == await admin.ids(f"/grants?{missing}")
    await parties.edit(access_until=parties.host.clock.now() + HOUR // 2)
    parties.host.clock.pass_seconds(HOUR / 2000)
    assert 401 == await parties.status(given)
    assert [grant.id] == await admin.ids("/grants?former=true")


async def test_member_sees_and_ends_their_own_grants_with_the_default_token_alone(parties: Parties) -> None:
    host, given = parties.host, await parties.tokens()
    default = await tokens.generate(parties.desk, parties.session)
    (grant,) = await grants.page(parties.desk, parties.session, limit=9)
    narrow = (
        await host.send("POST", "/api/v1/tokens", default.secret.text, json={"name": "n", "permissions": {"customers": "read"}})
    ).json()
    path = f"/api/v1/grants/{grant.id}"
    for token in (narrow["secret"], given.access.text, await host.key()):
        assert [] == (await host.get("/api/v1/grants", token)).json()["data"]
        assert [404, 404] == [(await host.send(method, path, token)).status_code for method in ("GET", "DELETE")]
    assert [403, 403] == [(await host.get(f"/api/v1/{name}", default.secret.text)).status_code for name in ("apps", "access?partner=x")]
    (own,) = (await host.get("/api/v1/grants", default.secret.text)).json()["data"]
    assert (grant.id, "Deal mirror") == (own["id"], own["app_name"])
    assert 204 == (await host.send("DELETE", path, default.secret.text)).status_code
    assert 401 == await parties.status(given)


async def test_all_of_one_person_or_partner_is_ended_at_once_and_the_keys_they_know_are_named(parties: Parties, admin: Admin) -> None:
    host, desk = parties.host, parties.desk
    member_id = parties.session.member_id
    await admin.done("PATCH", f"/members/{member_id}", {"partner": "Northwind"})
    await admin.done("PATCH", f"/apps/{parties.app.id}", {"partner": "Northwind"})
    given, token = await parties.tokens(), await tokens.generate(desk, parties.session)
    found = await admin.done("GET", "/access?partner=Northwind")
    assert ([member_id], 1, 1) == (found["members"], found["tokens"], found["grants"])
    ended = await admin.done("POST", "/access/revoke", {"partner": "Northwind", "for_good": False})
    assert (1, 1, 0) == (ended["tokens"], ended["grants"], ended["known_keys"])
    assert [401, 401] == [await parties.status(given), (await host.get("/api/v1/me", token.secret.text)).status_code]
    # With the right to use the API they come back, and by themselves they lose it.
    given = await parties.tokens()
    known = await admin.done("POST", "/access/revoke", {"member_id": member_id})
    assert 1 == known["grants"]
    assert (401, False) == (await parties.status(given), (await admin.done("GET", f"/members/{member_id}"))["may_use_api"])
    for body in ({}, {"member_id": member_id, "partner": "Northwind"}):
        assert 400 == (await admin.call("POST", "/access/revoke", body)).status_code
    assert 404 == (await admin.call("POST", "/access/revoke", {"partner": "Nobody"})).status_code
    (line, *_) = await grants.page(desk, host.owner, limit=1, order=NEWEST)
    assert "revoked" == line.grant.end_reason


async def test_what_another_workspace_has_looks_like_what_there_is_not(parties: Parties, admin: Admin) -> None:
    host = parties.host
    given = await parties.tokens()
    (grant,) = await grants.page(parties.desk, host.owner, limit=9)
    neighbour = await host.rack.workspaces.create("Far", slug="far")
    owner = await host.rack.workspaces.operator(neighbour.id)
    stranger = Admin(host, await keys.create(parties.desk, owner, name="far", rights=ADMIN_RIGHTS))
    theirs = {
        ("GET", "/apps/{}", None): parties.app.id,
        ("PATCH", "/apps/{}", '{"name": "Mine"}'): parties.app.id,
        ("POST", "/apps/{}/rotate", None): parties.app.id,
        ("POST", "/apps/{}/uninstall", None): parties.app.id,
        ("DELETE", "/apps/{}", None): parties.app.id,
        ("GET", "/grants/{}", None): grant.id,
        ("DELETE", "/grants/{}", None): grant.id,
        ("GET", "/access?member_id={}", None): parties.session.member_id,
        ("POST", "/endpoints", '{"url": "https://a.example", "events": ["app.*"], "app_id": "{}"}'): parties.app.id,
    }
    for (method, path, body), name in theirs.items():
        told = []
        for one in (str(name), "cl9bn00of0009g7l8b3c4d5e6"):
            content = None if body is None else body.replace("{}", one)
            headers = {"content-type": "application/json"}
            answer = await host.send(method, f"/api/v1{path.format(one)}", stranger.key, content=content, headers=headers)
            document = answer.json()
            told.append((answer.status_code, *(document[part] for part in ("code", "title", "detail"))))
        assert 404 == told[0][0], (method, path)
        assert told[0] == told[1]
    for path in ("/apps", "/grants", f"/grants?app_id={parties.app.id}"):
        assert [] == await stranger.ids(path)
    assert 200 == await parties.status(given)


async def test_test_key_reads_apps_and_changes_none(parties: Parties) -> None:
    host = parties.host
    test = Admin(host, await host.key(ADMIN_RIGHTS, name="trial", mode=Mode.TEST))
    path = f"/apps/{parties.app.id}"
    assert parties.app.id in await test.ids("/apps")
    calls = (("POST", "/apps", NEW), ("PATCH", path, {"name": "x"}), ("POST", f"{path}/rotate", None), ("DELETE", path, None))
    assert [403] * 4 == [(await test.call(*call)).status_code for call in calls]


async def test_code_that_went_to_an_address_taken_since_gets_nothing(parties: Parties, admin: Admin) -> None:
    verifier = a_verifier()
    code = await parties.code(verifier)
    await admin.done("PATCH", f"/apps/{parties.app.id}", {"redirect_uris": ["https://app.example/other"]})
    now = (await apps.get(parties.desk, parties.host.owner, parties.app.id)).app
    with pytest.raises(InvalidGrantError):
        await oauth_tokens.redeem(parties.desk, now, code, CALLBACK, verifier)
