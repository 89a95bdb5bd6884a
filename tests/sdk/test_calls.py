"""What a program does with a client first: calls, the API's own nouns, and the host's."""

import logging
import pickle
from io import StringIO
from typing import Any

import httpx
import pytest
from rich.console import Console

from keyrack.client import (
    AuthenticationError,
    InvalidRequestError,
    IssuedKey,
    KeyrackError,
    NotFoundError,
    PermissionDeniedError,
    StatusError,
    UnreadableAnswerError,
)
from tests.sdk.conftest import Connect, Demo
from tests.sdk.relay import Instead, Relay
from tests.sdk.surfaces import got, walked


async def refused(outcome: Any, kind: type[StatusError]) -> Any:
    """Return the error that a call raises."""
    with pytest.raises(kind) as raised:
        await got(outcome() if callable(outcome) else outcome)
    assert type(raised.value) is kind
    return raised.value


async def test_first_call_says_who_is_calling(connect: Connect, demo: Demo) -> None:
    identity = await got(connect().me())
    assert ("live", "Demo live key") == (identity.mode, identity.key_name)
    assert identity.answer.request_id.startswith("req_")
    assert "test" == (await got(connect(demo.test_key).me())).mode
    assert identity.id == (await got(connect(base_url=f"{demo.url}/api/v1/").get("/me")))["id"]
    assert identity.id == (await got(connect().get("/api/v1/me")))["id"]


async def test_objects_of_the_host_are_made_read_changed_and_deleted(connect: Connect) -> None:
    client = connect()
    customers = client.resource("customers")
    made = await got(customers.create(name="Aurora & Søn", status="lead"))
    assert (201, False) == (made.status, made.replayed)
    contacts = client.resource("customers", made["display_id"], "contacts")
    await got(contacts.create(name="Mira Chen", is_primary=True))
    assert ["Mira Chen"] == [one["name"] for one in await walked(contacts.list(), client)]
    assert "active" == (await got(customers.update(made["id"], status="active")))["status"]
    assert dict(await got(client.get(f"/customers/{made['id']}"))) == dict(await got(customers.get(made["slug"])))
    assert 204 == (await got(customers.delete(made["id"]))).status
    await refused(lambda: customers.get(made["id"]), NotFoundError)


async def test_key_is_made_rotated_and_revoked_and_then_refused_at_once(connect: Connect, demo: Demo, relay: Relay) -> None:
    admin = connect(demo.admin_key)
    key = await got(admin.keys.create(name="billing", permissions={"customers": "read"}))
    assert isinstance(key, IssuedKey)
    assert "billing" == (await got(connect(key.secret).me())).key_name
    successor = await got(admin.keys.rotate(key.id))
    assert successor.id == (await got(admin.keys.get(key.id))).successor_id
    user = connect(successor.secret, base_url=relay.url)
    await got(user.me())
    assert "ended" == (await got(admin.keys.revoke(successor.id))).state
    error = await refused(user.me, AuthenticationError)
    assert ("key_revoked", 2) == (error.code, len(relay.passed))


async def test_rights_are_given_and_taken_by_their_nouns(connect: Connect, demo: Demo) -> None:
    admin = connect(demo.admin_key)
    space = await got(admin.spaces.create(name="Launch"))
    held = await got(admin.integrations.create(name="CRM", permissions={"customers": "read"}))
    assert {} == (await got(admin.integrations.update(held.id, permissions={}))).permissions
    assert "viewer" == (await got(admin.integrations.set_space(held.id, space.id, "viewer"))).role
    assert [space.id] == [one.space_id for one in (await got(admin.integrations.spaces(held.id))).data]
    assert held.id in [one.id for one in await walked(admin.spaces.members(space.id), admin)]
    assert "contributor" == (await got(admin.spaces.set_role(space.id, held.id, "contributor"))).role
    await got(admin.spaces.remove_role(space.id, held.id))
    assert [] == (await got(admin.integrations.set_spaces(held.id, []))).data
    assert "Go-live" == (await got(admin.spaces.rename(space.id, "Go-live"))).name
    await got(admin.spaces.delete(space.id))
    await got(admin.integrations.delete(held.id))
    await refused(lambda: admin.integrations.get(held.id), NotFoundError)


async def test_people_are_invited_and_read(connect: Connect, demo: Demo) -> None:
    admin = connect(demo.admin_key)
    (owner,) = await walked(admin.members.list(role="owner"), admin)
    assert owner.email == (await got(admin.members.get(owner.id))).email
    invited = await got(admin.invitations.create(email="ada@sdk.example"))
    assert "open" == (await got(admin.invitations.get(invited.id))).state
    renewed = await got(admin.invitations.renew(invited.id))
    assert invited.url != renewed.url
    await got(admin.invitations.revoke(invited.id))
    link = await got(admin.portal_link(owner.id))
    assert link.url.startswith(demo.url)
    for one in (invited, renewed, link):
        assert one.url not in f"{one!r} {one.answer!r}"


async def test_what_is_left_and_what_happened_are_told(connect: Connect, demo: Demo) -> None:
    admin = connect(demo.admin_key)
    assert ["workspace"] == [one.name for one in (await got(admin.rate_limit())).policies]
    answer = await got(connect().get("/customers", params={"limit": 1}))
    budget = answer.rate_limits["workspace"]
    assert (1000, 1) == (budget.quota, budget.window_seconds)
    assert budget.remaining <= 1000
    assert "team" == (await got(admin.usage())).plan.name
    assert (await got(admin.workspace())).api_enabled
    made = await got(admin.spaces.create(name="Told of"))
    page = await got(connect().events.list(object_id=made.id).page())
    assert [made.answer.request_id] == [one.request_id for one in page.data]


@pytest.mark.parametrize(
    ("path", "body", "kind", "code"),
    [
        ("/customers/nobody", None, NotFoundError, "not_found"),
        ("/integrations", None, PermissionDeniedError, "insufficient_permission"),
        ("/customers", {"nam": "Aurora"}, InvalidRequestError, "invalid_request"),
    ],
)
async def test_errors_have_a_type_and_lead_to_their_line_in_the_log(
    connect: Connect, demo: Demo, path: str, body: Any, kind: type[StatusError], code: str
) -> None:
    client, admin = connect(), connect(demo.admin_key)
    error = await refused(lambda: client.get(path) if body is None else client.post(path, json=body), kind)
    line = await got(admin.logs.get(error.request_id))
    assert (code, error.status, f"/api/v1{path}") == (line.code, line.status, line.path)
    assert code == error.code
    assert error.doc_url.endswith(f"/errors/{code}")
    assert error.request_log_url.endswith(error.request_id)
    assert not error.retryable
    assert error.request_id in str(error)
    if body is not None:
        assert {"name", "nam"} == {one["param"] for one in error.errors}
        assert error.fix
    assert str(error) == str(pickle.loads(pickle.dumps(error)))


async def test_unknown_version_is_refused_with_those_that_there_are(connect: Connect) -> None:
    error = await refused(connect(api_version="1999-01-01").me, InvalidRequestError)
    assert "unknown_version" == error.code
    (newest, *_) = error.answer["versions"]
    answer = await got(connect(api_version=newest).get("/me"))
    assert newest == answer.headers["api-version"]


async def test_secrets_are_in_no_repr_no_error_and_no_log(
    connect: Connect, demo: Demo, relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    admin = connect(demo.admin_key, base_url=relay.url)
    key = await got(admin.keys.create(name="quiet"))
    relay.plan = [Instead(502), Instead(401, {"Content-Type": "application/problem+json"}, b"{}")]
    error = await refused(admin.me, AuthenticationError)
    shown = f"{admin!r} {vars(admin)!r} {admin.keys!r} {key!r} {key.answer!r} {error!r} {error} {error.answer!r} {caplog.text}"
    printed = StringIO()
    Console(file=printed, width=2000).print(admin, key, key.answer, error, vars(admin))
    shown += printed.getvalue()
    assert "quiet" in shown
    assert [] == [secret for secret in (demo.admin_key, key.secret) if secret in shown]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirect_is_never_followed(connect: Connect, relay: Relay, demo: Demo, status: int) -> None:
    relay.plan = [Instead(status, {"Location": f"{demo.url}/api/v1/me"})]
    with pytest.raises(UnreadableAnswerError, match=str(status)):
        await got(connect(base_url=relay.url).me())
    assert 1 == len(relay.passed)


@pytest.mark.parametrize("path", ["//evil.example/me", "https://evil.example/api/v1/me", "me", "/\\evil.example", ""])
async def test_credential_is_sent_to_no_other_host(connect: Connect, path: str) -> None:
    with pytest.raises(ValueError, match="host"):
        await got(connect().get(path))


@pytest.mark.parametrize("path", ["/line\nbreak", "/" + "long" * 20_000])
async def test_path_that_cannot_be_is_refused(connect: Connect, path: str) -> None:
    with pytest.raises(ValueError, match="not a URL"):
        await got(connect().get(path))


@pytest.mark.parametrize("id_", ["", ".", "..", "../members"])
async def test_id_stays_one_segment(connect: Connect, demo: Demo, id_: str) -> None:
    admin = connect(demo.admin_key)
    with pytest.raises((ValueError, NotFoundError, InvalidRequestError)):
        await got(admin.keys.revoke(id_))


@pytest.mark.parametrize("api_key", ["", "two words", "line\nbreak", "naïve"])
async def test_credential_that_cannot_be_is_not_repeated(connect: Connect, api_key: str) -> None:
    with pytest.raises(ValueError, match="api_key") as raised:
        connect(api_key)
    assert not api_key or api_key not in str(raised.value)


@pytest.mark.parametrize("base_url", ["", "my.atrium.example", "ftp://a.example", "https://key@a.example", "https://a.example/?key=1"])
async def test_address_that_cannot_be_is_refused(connect: Connect, base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        connect(base_url=base_url)


async def test_header_of_the_client_is_not_replaced(connect: Connect) -> None:
    with pytest.raises(ValueError, match="authorization"):
        await got(connect().get("/me", headers={"Authorization": "Bearer other"}))


async def test_nobody_there_is_told_in_words(connect: Connect, relay: Relay) -> None:
    client = connect(base_url=relay.url, max_retries=0)
    relay.close()
    with pytest.raises(KeyrackError, match="No answer: ConnectError") as raised:
        await got(client.me())
    assert isinstance(raised.value.__cause__, httpx.ConnectError)
