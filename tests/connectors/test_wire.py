"""What vendors get is what their own clients send by themselves, byte for byte, but for the idempotency key."""

import asyncio
import re
from typing import Any

import pytest
import resend
import stripe
from slack_sdk.web import WebClient
from slack_sdk.webhook import WebhookClient

from keyrack.work.connectors import Account, Outgoing
from keyrack.work.connectors.resend import Client as ResendClient
from keyrack.work.connectors.slack import Client as SlackClient
from keyrack.work.connectors.stripe import Client as StripeClient
from tests.connectors.conftest import RESEND_KEY, SETTINGS, SLACK_TOKEN, STRIPE_KEY, Vendors
from tests.connectors.recorders import STRIPE_ID, Sent

KEY = "cl9bn00of0008g7l8a2b3c4d5-cl9bn00of000cg7l8d5e6f7a8-1"
MESSAGE: dict[str, Any] = {
    "channel": "C0123456789",
    "text": "New: Ünïcode & <b>",
    "mrkdwn": False,
    "unfurl_links": False,
    "unfurl_media": False,
}
MAIL: dict[str, Any] = {
    "from": "Aurora <hello@vml.example>",
    "to": ["mira@aurora.com"],
    "subject": "Loyalty launch begins",
    "text": "Hello Mira,\n\n–\n",
}
CUSTOMER: dict[str, Any] = {"name": "Aurora & Sons", "description": "aurora.com", "metadata": {"atrium_id": "c1", "display_id": "245"}}


def urls_of(vendors: Vendors) -> dict[str, str]:
    return {
        "slack": f"{vendors.slack.url}/api/",
        "slack_hooks": vendors.slack.url,
        "resend": vendors.resend.url,
        "stripe": vendors.stripe.url,
    }


def steady(sent: Sent) -> bytes:
    """What was sent, without what Stripe's client measures of the call before it."""
    return re.sub(rb"X-Stripe-Client-Telemetry: [^\r]*\r\n", b"", sent.raw, flags=re.IGNORECASE)


async def test_a_message_with_a_token(vendors: Vendors) -> None:
    ours, theirs = SlackClient(), WebClient(SLACK_TOKEN, base_url=f"{vendors.slack.url}/api/")
    answer = await ours.send(Account(SETTINGS["slack"], urls_of(vendors)), Outgoing(MESSAGE, KEY))
    await asyncio.to_thread(lambda: theirs.chat_postMessage(**MESSAGE))
    first, second = vendors.slack.sent
    assert first.raw == second.raw
    assert ("POST /api/chat.postMessage HTTP/1.1", MESSAGE) == (first.line, first.json)
    assert f"Bearer {SLACK_TOKEN}" == first.headers["authorization"]
    assert "1763758800.000100" == answer.object_id
    await ours.close()


async def test_a_message_through_an_incoming_webhook(vendors: Vendors) -> None:
    hook = f"{vendors.slack.url}/services/T0/B0/secretHOOK"
    message = {name: value for name, value in MESSAGE.items() if name != "channel"}
    ours = SlackClient()
    await ours.send(Account({"webhook_url": hook}, urls_of(vendors)), Outgoing(message, KEY))
    await asyncio.to_thread(lambda: WebhookClient(hook).send_dict(message))
    first, second = vendors.slack.sent
    assert first.raw == second.raw
    assert ("POST /services/T0/B0/secretHOOK HTTP/1.1", message) == (first.line, first.json)
    await ours.close()


async def test_a_mail(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ResendClient()
    answer = await ours.send(Account(SETTINGS["resend"], urls_of(vendors)), Outgoing(MAIL, KEY))
    monkeypatch.setattr(resend, "api_url", vendors.resend.url)
    monkeypatch.setattr(resend, "api_key", RESEND_KEY)
    await asyncio.to_thread(lambda: resend.Emails.send(dict(MAIL), {"idempotency_key": KEY}))  # type: ignore[arg-type]
    first, second = vendors.resend.sent
    assert first.raw == second.raw
    assert ("POST /emails HTTP/1.1", MAIL, KEY) == (first.line, first.json, first.headers["idempotency-key"])
    assert "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794" == answer.object_id
    await ours.close()


async def test_accounts_of_two_workspaces_never_mix_and_leave_the_hosts_own_alone(
    vendors: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resend, "api_key", "re_the_hosts_own_key")
    ours, urls = ResendClient(), urls_of(vendors)
    accounts = [Account({"api_key": f"re_workspace_{number}", "from": f"hello@{number}.example"}, urls) for number in range(20)]
    mails = [Outgoing({**MAIL, "from": account.settings["from"]}, f"key-{account.settings['from']}") for account in accounts]
    await asyncio.gather(*(ours.send(account, mail) for account, mail in zip(accounts, mails, strict=True)))
    pairs = {(sent.headers["authorization"].removeprefix("Bearer re_workspace_"), sent.json["from"]) for sent in vendors.resend.sent}
    assert {(str(number), f"hello@{number}.example") for number in range(20)} == pairs
    assert "re_the_hosts_own_key" == resend.api_key
    await ours.close()


async def test_a_customer_is_created_and_updated(vendors: Vendors) -> None:
    ours, urls = StripeClient(), urls_of(vendors)
    account = Account(SETTINGS["stripe"], urls)
    created = await ours.send(account, Outgoing(CUSTOMER, KEY))
    updated = await ours.send(account, Outgoing(CUSTOMER, KEY, STRIPE_ID))
    http = stripe.HTTPXClient()
    theirs = stripe.StripeClient(STRIPE_KEY, base_addresses={"api": vendors.stripe.url}, http_client=http).v1.customers
    await theirs.create_async(CUSTOMER, {"idempotency_key": f"{KEY}-create"})  # type: ignore[arg-type]
    await theirs.update_async(STRIPE_ID, CUSTOMER, {"idempotency_key": f"{KEY}-update"})  # type: ignore[arg-type]
    first, second, third, fourth = vendors.stripe.sent
    assert [steady(first), steady(second)] == [steady(third), steady(fourth)]
    assert ("POST /v1/customers HTTP/1.1", f"POST /v1/customers/{STRIPE_ID} HTTP/1.1") == (first.line, second.line)
    assert b"name=Aurora+%26+Sons&description=aurora.com&metadata[atrium_id]=c1&metadata[display_id]=245" == first.body
    assert (f"Bearer {STRIPE_KEY}", STRIPE_ID, STRIPE_ID) == (first.headers["authorization"], created.object_id, updated.object_id)
    await http.close_async()  # type: ignore[no-untyped-call]
    await ours.close()
