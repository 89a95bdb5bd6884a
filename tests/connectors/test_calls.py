"""From the event to the vendor: once per event and connector, in order, whatever a vendor does meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import update

from atrium.customers.events import CUSTOMER_CREATED
from keyrack.manage import connector_calls, connectors
from keyrack.model.connector_calls import SCHEDULE_SECONDS, Why
from keyrack.model.connectors import Vendor
from keyrack.model.deliveries import State, Trigger
from keyrack.model.events import Event
from keyrack.model.vendors import SlackMessages
from keyrack.store.connector_tables import connectors as connector_rows
from tests.backends import Backend
from tests.connectors.conftest import Scene, Vendors, scene_on
from tests.connectors.recorders import DROPS, STRIPE_ID, reply


@pytest.fixture
async def scene(backend: Backend, tmp_path: Path, vendors: Vendors) -> AsyncIterator[Scene]:
    """A workspace, on each database in turn."""
    async with scene_on(backend, tmp_path, vendors) as one:
        yield one


async def test_an_event_becomes_one_call_at_each_connector(scene: Scene) -> None:
    slack, stripe = await scene.connect("slack"), await scene.connect("stripe")
    made = await scene.customer()
    await scene.settle()
    [message], [customer] = scene.vendors.slack.sent, scene.vendors.stripe.sent
    assert "Aurora Outfitters" in message.json["text"]
    assert "Aurora Outfitters" == customer.form["name"]
    [said], [kept] = await scene.log(slack), await scene.log(stripe)
    assert (State.SUCCEEDED, 1, "1763758800.000100") == (said.state, said.attempts, said.vendor_object_id)
    assert (State.SUCCEEDED, STRIPE_ID, made["id"]) == (kept.state, kept.vendor_object_id, kept.object_id)


async def test_an_event_after_the_connector_becomes_a_call_also_by_a_clock_that_runs_behind(scene: Scene) -> None:
    slack = await scene.connect("slack")
    async with scene.desk.store.changing() as c:
        await c.execute(update(connector_rows).values(created_at=slack.created_at + 3_600_000))
    await scene.customer()
    await scene.settle()
    [call] = await scene.log(slack)
    assert State.SUCCEEDED is call.state


async def test_what_a_test_key_does_goes_nowhere_and_says_so(scene: Scene) -> None:
    found = [await scene.connect(vendor) for vendor in ("slack", "resend", "stripe")]
    await scene.customer(secret=scene.test)
    await scene.settle()
    assert [] == [sent for vendor in scene.vendors.all for sent in vendor.sent]
    for connector in (found[0], found[2]):
        [call] = await scene.log(connector)
        assert (State.SKIPPED, Why.TEST_MODE, 0) == (call.state, call.why, call.attempts)
        answer = await scene.call("POST", f"/connectors/{connector.id}/calls/{call.id}/retry")
        assert 409 == answer.status_code


async def test_a_vendor_that_is_away_delays_no_call_of_ours_and_gets_all_of_it_later(scene: Scene) -> None:
    slack = await scene.connect("slack")
    await scene.vendors.slack.close()
    await scene.customer()
    await scene.settle()
    [call] = await scene.log(slack)
    assert (State.PENDING, "unreachable", 1) == (call.state, call.code, call.failures)
    await scene.vendors.slack.open()
    await scene.due_now()
    await scene.settle()
    [call] = await scene.log(slack)
    assert (State.SUCCEEDED, 2) == (call.state, call.attempts)


async def test_what_never_arrives_is_given_up_and_can_be_sent_again(scene: Scene) -> None:
    resend_down = scene.vendors.stripe
    stripe = await scene.connect("stripe")
    await scene.customer()
    resend_down.next = [reply({"error": {"type": "api_error", "message": "down"}}, 500)] * len(SCHEDULE_SECONDS)
    for _ in SCHEDULE_SECONDS:
        await scene.settle(1)
        await scene.due_now()
    [call] = await scene.log(stripe)
    assert (State.FAILED, Why.EXHAUSTED, len(SCHEDULE_SECONDS)) == (call.state, call.why, call.failures)
    again = await connector_calls.retry(scene.desk, scene.operator, stripe.id, call.id)
    assert (State.PENDING, Trigger.MANUAL) == (again.state, again.trigger)
    await scene.settle()
    [call] = await scene.log(stripe)
    assert State.SUCCEEDED is call.state
    # It may have happened: a repetition is known by its key.
    assert 1 == len({sent.headers["idempotency-key"] for sent in scene.vendors.stripe.sent})


async def test_too_many_calls_wait_as_long_as_the_vendor_says_and_use_up_no_attempt(scene: Scene) -> None:
    slack = await scene.connect("slack")
    scene.vendors.slack.next = [reply({"ok": False, "error": "ratelimited"}, 429, Retry_After="30")]
    await scene.customer()
    await scene.settle()
    [call] = await scene.log(slack)
    assert (State.PENDING, 1, 0, 429) == (call.state, call.attempts, call.failures, call.status)
    assert call.due_at is not None
    assert 25_000 < call.due_at - call.updated_at <= 30_000
    await scene.due_now()
    await scene.settle()
    assert [State.SUCCEEDED] == [one.state for one in await scene.log(slack)]


async def test_an_update_never_overtakes_the_creation_before_it(scene: Scene) -> None:
    stripe = await scene.connect("stripe")
    scene.vendors.stripe.next = [reply({"error": {"type": "api_error", "message": "down"}}, 503)]
    made = await scene.customer()
    await scene.call("PATCH", f"/customers/{made['id']}", {"name": "Aurora Two"})
    await scene.settle()
    assert ["POST /v1/customers HTTP/1.1"] == [sent.line for sent in scene.vendors.stripe.sent]
    await scene.due_now()
    await scene.settle(8)
    lines = [sent.line for sent in scene.vendors.stripe.sent]
    assert ["POST /v1/customers HTTP/1.1"] * 2 + [f"POST /v1/customers/{STRIPE_ID} HTTP/1.1"] == lines
    assert "Aurora Two" == scene.vendors.stripe.sent[-1].form["name"]
    assert [State.SUCCEEDED] * 2 == [call.state for call in await scene.log(stripe)]


async def test_a_lost_answer_is_asked_for_again_under_the_same_key(scene: Scene) -> None:
    await scene.connect("stripe")
    scene.vendors.stripe.next = [DROPS]
    await scene.customer()
    await scene.settle()
    await scene.due_now()
    await scene.settle()
    first, second = scene.vendors.stripe.sent
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


async def test_a_process_that_dies_between_sending_and_noting_sends_the_same_again(scene: Scene) -> None:
    stripe = await scene.connect("stripe")
    await scene.customer()
    await scene.settle(0)
    conclude = scene.calls._conclude

    async def die(*_: object) -> None:
        raise asyncio.CancelledError

    scene.calls._conclude = die  # type: ignore[assignment, method-assign]
    await scene.settle(1)
    scene.calls._conclude = conclude  # type: ignore[method-assign]
    [call] = await scene.log(stripe)
    assert (State.PENDING, 0) == (call.state, call.attempts)
    await scene.due_now()
    await scene.settle()
    assert 1 == len({sent.headers["idempotency-key"] for sent in scene.vendors.stripe.sent})
    assert 2 == len(scene.vendors.stripe.sent)
    [call] = await scene.log(stripe)
    assert State.SUCCEEDED is call.state


async def test_a_refused_credential_switches_the_connector_off_once_and_holds_what_comes(scene: Scene) -> None:
    slack = await scene.connect("slack")
    dead = reply({"ok": False, "error": "token_revoked"})
    scene.vendors.slack.next = [dead, dead]
    await scene.customer("One")
    await scene.customer("Two")
    await scene.settle()
    off = await connectors.get(scene.desk, scene.operator, slack.id)
    assert ("reconnect", True) == (off.state, "connect it again" in (off.problem or ""))
    await scene.customer("Three")
    await scene.settle()
    assert [State.HELD] * 3 == [call.state for call in await scene.log(slack)]
    events = (await scene.call("GET", "/events?type=connector.disabled")).json()["data"]
    assert [slack.id] == [event["object_id"] for event in events]
    await connectors.edit(scene.desk, scene.operator, slack.id, settings={"token": "xoxb-9999999999-newSECRETnew"})
    scene.calls._released_at = 0.0
    await scene.settle()
    assert [State.SUCCEEDED] * 3 == [call.state for call in await scene.log(slack)]


async def test_a_disabled_connector_skips_and_a_deleted_one_sends_nothing(scene: Scene) -> None:
    slack = await scene.connect("slack")
    await connectors.edit(scene.desk, scene.operator, slack.id, enabled=False)
    await scene.customer()
    await scene.settle()
    [call] = await scene.log(slack)
    assert (State.SKIPPED, Why.CONNECTOR_DISABLED) == (call.state, call.why)
    await connectors.edit(scene.desk, scene.operator, slack.id, enabled=True)
    await connector_calls.retry(scene.desk, scene.operator, slack.id, call.id)
    await connectors.delete(scene.desk, scene.operator, slack.id)
    await scene.settle()
    assert [] == scene.vendors.slack.sent


@pytest.mark.parametrize("change", ["deleted", "disabled", "elsewhere"])
async def test_what_an_admin_changes_counts_also_while_the_host_still_writes_the_message(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    asked, changed = asyncio.Event(), asyncio.Event()

    async def slowly(_event: Event) -> str:
        asked.set()
        await changed.wait()
        return "A customer."

    vendor = SlackMessages({CUSTOMER_CREATED: slowly})
    monkeypatch.setitem(cast(dict[str, Vendor], scene.desk.vendors), "slack", vendor)
    slack = await scene.connect("slack")
    await scene.customer()
    sending = asyncio.create_task(scene.settle())
    await asked.wait()
    if change == "deleted":
        await connectors.delete(scene.desk, scene.operator, slack.id)
    elif change == "disabled":
        await connectors.edit(scene.desk, scene.operator, slack.id, enabled=False)
    else:
        await connectors.edit(scene.desk, scene.operator, slack.id, settings={"channel": "C9876543210"})
    changed.set()
    await sending
    assert (["C9876543210"] if change == "elsewhere" else []) == [sent.json["channel"] for sent in scene.vendors.slack.sent]


async def test_an_older_state_is_not_sent_again_over_a_newer_one(scene: Scene) -> None:
    stripe = await scene.connect("stripe")
    refuse = reply({"error": {"type": "invalid_request_error", "message": "No", "code": "parameter_invalid"}}, 400)
    scene.vendors.stripe.next = [refuse]
    made = await scene.customer()
    await scene.call("PATCH", f"/customers/{made['id']}", {"name": "Aurora Two"})
    await scene.settle(8)
    first, second = await scene.log(stripe)
    assert (State.FAILED, Why.REFUSED, State.SUCCEEDED) == (first.state, first.why, second.state)
    answer = await scene.call("POST", f"/connectors/{stripe.id}/calls/{first.id}/retry")
    assert (409, True) == (answer.status_code, "newer" in answer.json()["detail"])


async def test_of_two_that_derive_from_one_event_one_makes_the_call(scene: Scene) -> None:
    slack = await scene.connect("slack")
    await scene.customer()
    await asyncio.gather(scene.calls.read(), scene.calls.read())
    await scene.settle()
    assert 1 == len(await scene.log(slack)) == len(scene.vendors.slack.sent)


async def test_a_connector_hears_nothing_of_what_was_before_it(scene: Scene) -> None:
    await scene.customer()
    slack = await scene.connect("slack")
    await scene.settle()
    assert [] == await scene.log(slack)


async def test_what_waits_goes_with_its_workspace(scene: Scene) -> None:
    await scene.connect("slack")
    await scene.customer()
    while await scene.calls.read():
        continue
    await scene.rack.workspaces.delete(scene.operator.workspace.id)
    await scene.settle()
    assert [] == scene.vendors.slack.sent


@pytest.mark.parametrize("code", ["a\x00b", "\ud800"])
async def test_an_answer_that_no_database_takes_is_noted_and_not_asked_for_again_at_once(scene: Scene, code: str) -> None:
    stripe = await scene.connect("stripe")
    scene.vendors.stripe.next = [reply({"error": {"type": "invalid_request_error", "message": code, "code": code}}, 400)]
    await scene.customer()
    await scene.settle()
    (call,) = await scene.log(stripe)
    assert (State.FAILED, Why.REFUSED, 1) == (call.state, call.why, call.attempts)


async def test_a_rush_goes_out_without_waiting_for_turns(scene: Scene) -> None:
    slack = await scene.connect("slack")
    for number in range(20):
        await scene.customer(f"Customer {number}")
    while await scene.calls.read():
        continue
    assert 4 == await scene.calls.turn()
    await scene.calls.settle()
    assert [State.SUCCEEDED] * 20 == [call.state for call in await scene.log(slack)]


async def test_new_credentials_stay_on_though_the_old_ones_are_refused_a_moment_later(scene: Scene) -> None:
    slack = await scene.connect("slack")
    called = await connectors.get(scene.desk, scene.operator, slack.id)
    await connectors.edit(scene.desk, scene.operator, slack.id, settings={"token": "xoxb-9999999999-newSECRETnew"})
    await connectors.need_reconnection(scene.desk, called, "Slack does not know this token.")
    assert "active" == (await connectors.get(scene.desk, scene.operator, slack.id)).state
