"""What happens is told to the endpoints that want it, once it is committed: signed, whole, and in the shape that they chose."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest
import standardwebhooks

from keyrack import VersionChange
from keyrack.manage import endpoints
from keyrack.model import webhooks
from keyrack.model.deliveries import State, Why
from keyrack.model.events import Actor, Event
from keyrack.model.principals import Kind, Mode
from keyrack.model.versions import Versions
from keyrack.store import bells, events
from tests.backends import Backend
from tests.deliveries.conftest import Shop, opened
from tests.deliveries.receivers import Receiver
from tests.serving.served import until


async def test_event_arrives_signed_and_says_what_happened(shop: Shop) -> None:
    endpoint, secret = await shop.endpoint(events=["customer.*"])
    event = shop.event()
    await shop.happen(event)
    (delivery,) = await shop.until_all(endpoint, State.SUCCEEDED)
    (received,) = shop.receiver.received
    content = standardwebhooks.Webhook(secret.text).verify(received.body, received.headers)
    assert {"object": "customer", "id": event.object_id, "name": "Søn"} == content["data"]
    assert ("customer.created", event.id, "live", "req_1") == tuple(content[name] for name in ("type", "id", "mode", "request_id"))
    assert {"kind": "key", "id": "key_1", "name": "local-dev"} == content["actor"]
    assert event.id == received.event_id == delivery.event_id
    assert ("Acme-Webhooks/1", "application/json") == (received.headers["user-agent"], received.headers["content-type"])
    (attempt,) = await shop.attempts(delivery)
    assert (received.body, 200, b"ok") == (attempt.request_body, attempt.status, attempt.response_body)
    assert received.headers["webhook-signature"] == attempt.request_headers["webhook-signature"]


async def test_event_of_our_own_arrives_too(shop: Shop) -> None:
    _, secret = await shop.endpoint(events=["workspace.updated"])
    await shop.host.rack.workspaces.rename(shop.host.workspace.id, name="Renamed")
    await until(lambda: shop.receiver.received)
    received = shop.receiver.received[0]
    assert "Renamed" == standardwebhooks.Webhook(secret.text).verify(received.body, received.headers)["data"]["name"]


async def test_during_a_rotation_both_secrets_sign(shop: Shop) -> None:
    endpoint, old = await shop.endpoint()
    rotated = await endpoints.rotate(shop.desk, shop.host.owner, endpoint.id, overlap_seconds=3600)
    assert rotated.secret is not None
    (event_id,) = await shop.happen(shop.event())
    await shop.until_all(endpoint, State.SUCCEEDED)
    (received,) = (one for one in shop.receiver.received if one.event_id == event_id)
    for secret in (old, rotated.secret):
        standardwebhooks.Webhook(secret.text).verify(received.body, received.headers)


async def test_custom_headers_are_sent_and_their_values_are_not_kept(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(headers={"X-Gateway": "letmein"}, events=["customer.*"])
    await shop.happen(shop.event())
    (delivery,) = await shop.until_all(endpoint, State.SUCCEEDED)
    assert "letmein" == shop.receiver.received[0].headers["x-gateway"]
    (attempt,) = await shop.attempts(delivery)
    assert "X-Gateway" in attempt.request_headers
    assert "letmein" not in str(attempt)


async def test_large_event_is_sent_thin(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    event = shop.event({"id": "c1", "name": "x" * 70_000}, object_id="c1")
    await shop.happen(event)
    await shop.until_all(endpoint, State.SUCCEEDED)
    content = shop.receiver.received[0].content
    assert ({"object": "customer", "id": "c1"}, True) == (content["data"], content["truncated"])


async def test_rolled_back_change_sends_nothing(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    lost, kept = shop.event(), shop.event()
    with suppress(LookupError):
        async with shop.desk.store.changing() as c:
            await events.add(c, lost)
            raise LookupError
    await shop.happen(kept)
    (delivery,) = await shop.until_all(endpoint, State.SUCCEEDED)
    assert [kept.id] == [delivery.event_id] == [one.event_id for one in shop.receiver.received]


async def test_event_that_commits_late_is_not_skipped(shop: Shop) -> None:
    if shop.desk.store.dialect == "sqlite":
        pytest.skip("a file has one writing transaction at a time")
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    early, late = shop.event(), shop.event()
    async with shop.desk.store.changing() as slow:
        await events.add(slow, early)
        await shop.happen(late)
        await shop.until_all(endpoint, State.SUCCEEDED)
    bells.ring()
    await shop.until_all(endpoint, State.SUCCEEDED, 2)
    assert [late.id, early.id] == [one.event_id for one in shop.receiver.received]


async def test_endpoint_gets_nothing_from_before_it_was_there(shop: Shop) -> None:
    await shop.happen(shop.event())
    shop.clock.pass_seconds(1)
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    (event_id,) = await shop.happen(shop.event())
    assert [event_id] == [one.event_id for one in await shop.until_all(endpoint, State.SUCCEEDED)]
    assert 1 == len(await shop.of(endpoint))


async def test_event_begun_before_the_endpoint_and_committed_after_it_is_delivered(shop: Shop) -> None:
    begun = shop.event()
    shop.clock.pass_seconds(1)
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    await shop.happen(begun)
    assert [begun.id] == [one.event_id for one in await shop.until_all(endpoint, State.SUCCEEDED)]


async def test_endpoint_hears_of_others_and_nothing_of_itself(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["*"])
    await endpoints.rotate(shop.desk, shop.host.owner, endpoint.id)
    other, _ = await shop.endpoint("/other", events=["customer.*"])
    (last,) = await shop.happen(shop.event())
    await until(lambda: last in [one.event_id for one in shop.receiver.of("/hooks")])
    heard = [json.loads(one.body) for one in shop.receiver.of("/hooks")]
    assert ("endpoint.created", other.id) in [(one["type"], one["data"]["id"]) for one in heard]
    assert endpoint.id not in [one["data"]["id"] for one in heard]


async def test_event_after_the_endpoint_is_delivered_also_by_a_clock_that_was_set_back(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    shop.clock.pass_seconds(-3600)
    made = await shop.happen(*(shop.event() for _ in range(3)))
    shop.clock.pass_seconds(3600)
    assert set(made) == {one.event_id for one in await shop.until_all(endpoint, State.SUCCEEDED, 3)}


async def test_what_a_test_key_does_goes_to_test_endpoints_and_a_live_one_shows_that_it_was_skipped(shop: Shop) -> None:
    live, _ = await shop.endpoint("/live", events=["customer.*"])
    test, _ = await shop.endpoint("/test", events=["customer.*"], mode=Mode.TEST)
    tried, real = await shop.happen(shop.event(mode=Mode.TEST), shop.event())
    assert [tried] == [one.event_id for one in await shop.until_all(test, State.SUCCEEDED)]
    assert [real] == [one.event_id for one in await shop.until_all(live, State.SUCCEEDED)]
    (skipped,) = await shop.of(live, State.SKIPPED)
    assert (tried, Why.TEST_MODE, []) == (skipped.event_id, skipped.why, await shop.attempts(skipped))
    assert 1 == len(await shop.of(test))
    assert [tried] == [one.event_id for one in shop.receiver.of("/test")]


async def test_data_have_the_shape_of_the_endpoints_version(backend: Backend, tmp_path: object, receiver: Receiver) -> None:
    change = VersionChange(
        date="2026-10-01",
        title="Name",
        description="A customer's title is its name.",
        objects=["customer"],
        renames={"title": "name"},
        response_examples=[({"object": "customer", "title": "x"}, {"object": "customer", "name": "x"})],
    )
    async with opened(backend, tmp_path, receiver, versions=[change], first_version="2026-01-01") as shop:  # type: ignore[arg-type]
        old, _ = await shop.endpoint("/old", api_version="2026-01-01", events=["customer.*", "workspace.updated"])
        new, _ = await shop.endpoint("/new", api_version="2026-10-01", events=["customer.*"])
        await shop.happen(shop.event())
        for endpoint in (old, new):
            await shop.until_all(endpoint, State.SUCCEEDED)
        assert "Søn" == receiver.of("/old")[0].content["data"]["title"]
        assert "Søn" == receiver.of("/new")[0].content["data"]["name"]
        await shop.host.rack.workspaces.rename(shop.host.workspace.id, name="Renamed")
        await until(lambda: len(receiver.of("/old")) == 2)
        assert "Renamed" == receiver.of("/old")[1].content["data"]["name"]


def test_bytes_are_minified_utf_8_whatever_a_text_holds() -> None:
    event = Event("e1", "w1", "customer.created", "customer", "c1", Actor(Kind.KEY, "k", "x"), Mode.LIVE, 0, {"name": "Søn"})
    assert b'"data":{"object":"customer","id":"c1","name":"S\xc3\xb8n"}}' in webhooks.body(event, Versions(), None)
    # Half a character is none in UTF-8.
    assert b'"name":"\\ud800"' in webhooks.body(replace(event, data={"name": "\ud800"}), Versions(), None)
