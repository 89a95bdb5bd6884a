"""What Atrium's events become: messages, a mail to the primary contact, customers; and what happens where that cannot be made."""

from typing import Any

import pytest
from sqlalchemy import TextClause, text

from keyrack import Event, OutgoingMail, ResendMails
from keyrack.manage import connector_calls, connectors
from keyrack.model.connector_calls import Why
from keyrack.model.deliveries import State
from keyrack.model.members import Role
from keyrack.work.connectors import calls as module
from tests.connectors.conftest import Scene
from tests.connectors.recorders import HANGS, reply


async def opened(scene: Scene, *, contact: bool = True) -> dict[str, Any]:
    """Open an onboarding of a customer, with a primary contact unless it is to have none."""
    customer = await scene.customer()
    if contact:
        mira = {"name": "Mira Chen", "email": "mira@aurora.com", "is_primary": True}
        assert 201 == (await scene.call("POST", f"/customers/{customer['id']}/contacts", mira)).status_code
    answer = await scene.call("POST", "/onboardings", {"customer_id": customer["id"], "name": "Loyalty launch"})
    assert 201 == answer.status_code
    return dict(answer.json())


async def test_the_primary_contact_gets_a_mail_when_an_onboarding_opens(scene: Scene) -> None:
    connector = await scene.connect("resend")
    await opened(scene)
    await scene.settle()
    [mail] = scene.vendors.resend.sent
    assert (["mira@aurora.com"], "Aurora <hello@vml.example>", "Loyalty launch begins") == tuple(
        mail.json[name] for name in ("to", "from", "subject")
    )
    assert "Aurora Outfitters" in mail.json["text"]
    [call] = await scene.log(connector)
    assert call.idempotency_key == mail.headers["idempotency-key"]


async def test_without_a_primary_contact_there_is_nobody_to_write_to(scene: Scene) -> None:
    connector = await scene.connect("resend")
    await opened(scene, contact=False)
    await scene.settle()
    [call] = await scene.log(connector)
    assert (State.SKIPPED, Why.NOTHING_TO_SEND, 0) == (call.state, call.why, call.attempts)
    assert [] == scene.vendors.resend.sent


async def test_a_mail_is_made_once_and_every_attempt_sends_the_same(scene: Scene) -> None:
    await scene.connect("resend")
    onboarding = await opened(scene)
    scene.vendors.resend.next = [reply({"statusCode": 500, "name": "application_error", "message": "down"}, 500)]
    await scene.settle()
    await scene.call("PATCH", f"/customers/{onboarding['customer_id']}", {"name": "Another name"})
    await scene.due_now()
    await scene.settle()
    first, second = scene.vendors.resend.sent
    assert first.raw == second.raw


async def test_a_mended_address_is_used_and_a_refused_mail_is_made_anew_under_a_new_key(scene: Scene) -> None:
    connector = await scene.connect("resend")
    scene.vendors.resend.next = [
        reply({"statusCode": 422, "name": "validation_error", "message": "Invalid `to` field."}, 422),
    ]
    await opened(scene)
    await scene.settle()
    [call] = await scene.log(connector)
    assert (State.FAILED, Why.REFUSED) == (call.state, call.why)
    await connectors.edit(scene.desk, scene.operator, connector.id, settings={"from": "Hello <hi@vml.example>"})
    await connector_calls.retry(scene.desk, scene.operator, connector.id, call.id)
    await scene.settle()
    first, second = scene.vendors.resend.sent
    assert "Hello <hi@vml.example>" == second.json["from"]
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


async def test_messages_name_who_did_it_and_to_whom(scene: Scene) -> None:
    await scene.connect("slack")
    onboarding = await opened(scene)
    await scene.call("PATCH", f"/onboardings/{onboarding['id']}", {"phase": "building"})
    await scene.settle(8)
    said = [message.json["text"] for message in scene.vendors.slack.sent]
    assert {
        "live created the customer Aurora Outfitters (lead).",
        "live opened the onboarding Loyalty launch for Aurora Outfitters.",
        "The onboarding Loyalty launch for Aurora Outfitters is active, in phase building.",
    } == set(said)


async def test_a_vendor_that_hangs_holds_up_no_other(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CALL_SECONDS_MAX", 0.5)
    slack, stripe = await scene.connect("slack"), await scene.connect("stripe")
    scene.vendors.stripe.otherwise = lambda _: HANGS
    for number in range(6):
        await scene.customer(f"Customer {number}")
    while await scene.calls.read():
        continue
    await scene.calls.turn()
    under_way = len(scene.calls._under_way)
    await scene.settle(3)
    assert module.AT_ONCE_EACH * 2 >= under_way
    assert [State.SUCCEEDED] * 6 == [call.state for call in await scene.log(slack)]
    tried = [call for call in await scene.log(stripe) if call.attempts]
    assert {"timeout"} == {call.code for call in tried}
    assert len(tried) <= module.AT_ONCE_EACH, "the others wait until one came through, or some time has passed"


async def test_a_function_of_the_host_that_fails_is_asked_again_and_its_words_stay_inside(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = await scene.connect("resend")
    broken = [True]

    async def welcome(_: Event) -> OutgoingMail:
        if broken:
            raise RuntimeError("the secret detail of a fault")
        return OutgoingMail("mira@aurora.com", "Hello", "Text")

    vendor = scene.desk.vendors["resend"]
    assert isinstance(vendor, ResendMails)
    kinds = list(vendor.mails)
    monkeypatch.setitem(scene.desk.vendors, "resend", ResendMails(dict.fromkeys(kinds, welcome)))
    await opened(scene)
    await scene.settle()
    [call] = await scene.log(connector)
    assert (State.PENDING, "not_made", 1) == (call.state, call.code, call.failures)
    assert "RuntimeError" in (call.detail or "")
    assert "secret detail" not in (call.detail or "")
    broken.clear()
    await scene.due_now()
    await scene.settle()
    assert [State.SUCCEEDED] == [one.state for one in await scene.log(connector)]


async def test_the_owner_is_told_by_mail_that_an_account_must_be_connected_again(scene: Scene) -> None:
    # As settings with a mail server would have it; nothing is delivered, for no job was made for that.
    object.__setattr__(scene.desk.outside, "sends_mail", True)
    await scene.rack.members.add(scene.operator.workspace.id, email="ada@vml.example", name="Ada Park", role=Role.OWNER)
    await scene.connect("slack")
    scene.vendors.slack.next = [reply({"ok": False, "error": "account_inactive"})]
    await scene.customer()
    await scene.settle()
    async with scene.desk.store.reading() as c:
        waiting = await c.all(_outbox(scene))
    assert 1 == len(waiting)


def _outbox(scene: Scene) -> TextClause:
    schema = "keyrack." if scene.desk.store.dialect == "postgresql" else ""
    return text(f"SELECT * FROM {schema}keyrack_outbox")
