"""What each vendor's answers mean, and what never goes out: markup of others, and secrets into logs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from keyrack import Event, EventType, Keyrack, OutgoingMail, SlackMessages
from keyrack.model.connector_calls import Answer, Verdict
from keyrack.model.connectors import SettingsProblem, tail
from keyrack.model.vendors import ResendMails, StripeCustomers
from keyrack.settings import Settings
from keyrack.work.connectors import THREADS_MAX, Account, Clients, Outgoing, seconds_in
from tests.connectors import recorders
from tests.connectors.conftest import RESEND_KEY, SETTINGS, SLACK_TOKEN, STRIPE_KEY, Vendors
from tests.connectors.recorders import DROPS, Drips, Reply, recording, reply
from tests.connectors.test_wire import CUSTOMER, KEY, MAIL, MESSAGE, urls_of
from tests.guard.certificates import Authority
from tests.hosts import BRAND, CATEGORIES

REQUESTS: dict[str, dict[str, Any]] = {"slack": MESSAGE, "resend": MAIL, "stripe": CUSTOMER}
HTML = Reply(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"})


def stripes(status: int, kind: str, code: str | None = None, **headers: str) -> Reply:
    return reply({"error": {"type": kind, "message": "No such thing.", "code": code}}, status, **headers)


def resends(status: int, name: str, **headers: str) -> Reply:
    return reply({"statusCode": status, "name": name, "message": "The aurora.com domain is not verified."}, status, **headers)


ANSWERS = [
    ("slack", Reply(200, b"<html>Back soon</html>"), Verdict.AGAIN, None),
    ("hook", Reply(200, b"<html>Back soon</html>"), Verdict.AGAIN, None),
    ("slack", reply({"ok": True, "ts": "1.2"}), Verdict.SENT, None),
    ("slack", reply({"ok": False, "error": "invalid_auth"}), Verdict.RECONNECT, "invalid_auth"),
    ("slack", reply({"ok": False, "error": "token_revoked"}), Verdict.RECONNECT, "token_revoked"),
    ("slack", reply({"ok": False, "error": "not_in_channel"}), Verdict.RECONNECT, "not_in_channel"),
    ("slack", reply({"ok": False, "error": "missing_scope", "needed": "chat:write"}), Verdict.RECONNECT, "missing_scope"),
    ("slack", reply({"ok": False, "error": "msg_too_long"}), Verdict.REFUSED, "msg_too_long"),
    ("slack", reply({"ok": False, "error": "internal_error"}), Verdict.AGAIN, "internal_error"),
    ("slack", reply({"ok": False, "error": "ratelimited"}, 429, Retry_After="7"), Verdict.LATER, "ratelimited"),
    ("slack", reply({"ok": False, "error": "ratelimited"}), Verdict.LATER, "ratelimited"),
    ("slack", HTML, Verdict.AGAIN, None),
    ("slack", DROPS, Verdict.AGAIN, "unreachable"),
    ("hook", Reply(200, b"ok"), Verdict.SENT, None),
    ("hook", Reply(404, b"no_service"), Verdict.RECONNECT, "no_service"),
    ("hook", Reply(410, b"channel_is_archived"), Verdict.RECONNECT, "channel_is_archived"),
    ("hook", Reply(403, b"invalid_token"), Verdict.RECONNECT, "invalid_token"),
    ("hook", Reply(400, b"invalid_payload"), Verdict.REFUSED, "invalid_payload"),
    ("hook", Reply(500, b"rollup_error"), Verdict.AGAIN, "rollup_error"),
    ("hook", Reply(429, b"", {"Retry-After": "3"}), Verdict.LATER, "ratelimited"),
    ("resend", reply({"id": "e1"}), Verdict.SENT, None),
    ("resend", resends(401, "missing_api_key"), Verdict.RECONNECT, "missing_api_key"),
    ("resend", resends(403, "invalid_api_key"), Verdict.RECONNECT, "invalid_api_key"),
    ("resend", resends(403, "validation_error"), Verdict.RECONNECT, "validation_error"),
    ("resend", resends(422, "validation_error"), Verdict.REFUSED, "validation_error"),
    ("resend", resends(409, "invalid_idempotent_request"), Verdict.REFUSED, "invalid_idempotent_request"),
    ("resend", resends(409, "concurrent_idempotent_requests"), Verdict.AGAIN, "concurrent_idempotent_requests"),
    ("resend", resends(429, "rate_limit_exceeded", Retry_After="2"), Verdict.LATER, "rate_limit_exceeded"),
    ("resend", resends(429, "daily_quota_exceeded"), Verdict.LATER, "daily_quota_exceeded"),
    ("resend", resends(500, "application_error"), Verdict.AGAIN, "application_error"),
    ("resend", HTML, Verdict.AGAIN, "application_error"),
    ("resend", DROPS, Verdict.AGAIN, "unreachable"),
    ("stripe", stripes(401, "invalid_request_error"), Verdict.RECONNECT, None),
    ("stripe", stripes(403, "invalid_request_error"), Verdict.RECONNECT, None),
    ("stripe", stripes(400, "invalid_request_error", "parameter_invalid_empty"), Verdict.REFUSED, "parameter_invalid_empty"),
    ("stripe", stripes(400, "idempotency_error"), Verdict.REFUSED, None),
    ("stripe", stripes(409, "idempotency_error", "idempotency_key_in_use"), Verdict.AGAIN, None),
    ("stripe", stripes(429, "invalid_request_error", "rate_limit", Retry_After="4"), Verdict.LATER, "rate_limit"),
    ("stripe", stripes(500, "api_error"), Verdict.AGAIN, None),
    ("stripe", HTML, Verdict.AGAIN, None),
    ("stripe", DROPS, Verdict.AGAIN, "unreachable"),
]


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    found = Clients()
    yield found
    await found.close()


async def send(clients: Clients, vendors: Vendors, kind: str) -> Answer:
    vendor = "slack" if kind == "hook" else kind
    settings = {"webhook_url": f"{vendors.slack.url}/services/T/B/X"} if kind == "hook" else SETTINGS[vendor]
    client = await clients.get(vendor)
    try:
        return await client.send(Account(settings, urls_of(vendors)), Outgoing(REQUESTS[vendor], KEY))
    except OSError:
        # What the caller of all clients makes of it.
        return Answer(Verdict.AGAIN, None, "unreachable")


async def test_every_answer_means_one_thing(vendors: Vendors, clients: Clients) -> None:
    for kind, answer, verdict, code in ANSWERS:
        recorder = vendors.slack if kind == "hook" else getattr(vendors, kind)
        recorder.next, recorder.sent = [answer], []
        got = await send(clients, vendors, kind)
        assert (verdict, code) == (got.verdict, got.code), (kind, answer, got)
        assert 1 == len(recorder.sent), "a client repeats by itself"
        assert not any(secret in f"{got}" for secret in (SLACK_TOKEN, RESEND_KEY, STRIPE_KEY))
        if verdict is Verdict.LATER and isinstance(answer, Reply) and "Retry-After" in answer.headers:
            assert int(answer.headers["Retry-After"]) == got.retry_after_seconds


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_vendor_that_drips_its_answer_keeps_no_thread(scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority()
    (tmp_path / "authority.pem").write_bytes(authority.pem)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "authority.pem"))
    tls = authority.server("127.0.0.1") if scheme == "https" else None
    heads = (b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    async with recording(recorders.slack, tls) as slack, recording(recorders.resend, tls) as resend:
        vendors, clients = Vendors(slack, resend, resend), Clients(call_seconds_max=1.0)
        for kind, recorder in (("slack", slack), ("hook", slack), ("resend", resend)):
            # Some drip from the first byte on, some behind a whole head.
            recorder.next = [Drips(heads[n % 2], reply({"ok": True, "id": "1"})) for n in range(THREADS_MAX)]
            dripped = await asyncio.gather(*(send(clients, vendors, kind) for _ in range(THREADS_MAX)))
            assert {(Verdict.AGAIN, "unreachable")} == {(one.verdict, one.code) for one in dripped}
            assert [] == recorder.next
            assert Verdict.SENT is (await send(clients, vendors, kind)).verdict
        await clients.close()


async def test_a_customer_that_was_deleted_at_stripe_is_created_again(vendors: Vendors, clients: Clients) -> None:
    vendors.stripe.next = [stripes(404, "invalid_request_error", "resource_missing")]
    client = await clients.get("stripe")
    answer = await client.send(Account(SETTINGS["stripe"], urls_of(vendors)), Outgoing(CUSTOMER, KEY, "cus_Gone"))
    assert ["POST /v1/customers/cus_Gone HTTP/1.1", "POST /v1/customers HTTP/1.1"] == [sent.line for sent in vendors.stripe.sent]
    assert (Verdict.SENT, "Created.") == (answer.verdict, answer.detail)


async def test_no_client_logs_a_secret(vendors: Vendors, clients: Clients, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for kind in ("slack", "hook", "resend", "stripe"):
        recorder = vendors.slack if kind == "hook" else getattr(vendors, kind)
        recorder.next = [reply({}, 500), DROPS]
        for _ in range(3):
            await send(clients, vendors, kind)
    secrets = (SLACK_TOKEN, RESEND_KEY, STRIPE_KEY, "/services/T/B/X")
    assert [] == [record for record in caplog.records if any(secret in record.getMessage() for secret in secrets)]
    assert not any(secret in repr(Account(settings, {})) for settings in SETTINGS.values() for secret in settings.values())


def test_what_others_wrote_is_no_markup_in_slack() -> None:
    slack = SlackMessages({})
    request = slack.request("<!channel> <https://evil.example|click> & co")
    assert "&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp; co" == request["text"]
    assert {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False}.items() <= request.items()
    assert 4000 == len(slack.request("x" * 9000)["text"])


def test_a_subject_is_one_line() -> None:
    mail = ResendMails({}).request(OutgoingMail("mira@aurora.com", "Hello\r\nBcc: all@vml.example", "Text"))
    assert "Hello Bcc: all@vml.example" == mail["subject"]


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"api_key": "sk_live_short", "from": "a@b.example"}, "api_key"),
        ({"api_key": RESEND_KEY, "from": "nobody"}, "from"),
        ({"api_key": RESEND_KEY, "from": "A <a@b.example>\nBcc: c@d.example"}, "from"),
    ],
)
def test_settings_that_cannot_work_are_named(settings: dict[str, str], param: str) -> None:
    with pytest.raises(SettingsProblem) as problem:
        ResendMails({}).check(settings, {})
    assert param == problem.value.param


def test_of_a_secret_the_last_letters_are_shown_and_of_a_short_one_none() -> None:
    assert ("…0123", "…") == (tail(STRIPE_KEY), tail("sk_test_short"))


def test_a_pause_that_nobody_could_mean_is_bounded() -> None:
    for given, seconds in (("0", 1), ("-1", 1), ("7", 7), ("9" * 8, 24 * 3600), ("9" * 400, 1), ("Wed, 21 Oct 2026 07:28:00 GMT", 1)):
        assert seconds == seconds_in({"retry-After": given})


def test_a_host_cannot_tell_what_lies_in_spaces_or_what_it_does_not_record() -> None:
    inside, outside = EventType("message.created", category="messages"), EventType("customer.created", category="customers")

    def said(_: Event) -> str:
        return "something"

    for events, connectors, told in (
        ([inside], [SlackMessages({inside: said})], "in spaces"),
        ([], [SlackMessages({outside: said})], "was not declared"),
        ([outside], [SlackMessages({}), SlackMessages({outside: said})], "stands twice"),
    ):
        with pytest.raises(ValueError, match=told):
            Keyrack(Settings(), brand=BRAND, categories=CATEGORIES, events=events, connectors=connectors)


def test_stripe_gets_customers_for_both_events() -> None:
    created, updated = EventType("customer.created"), EventType("customer.updated")
    assert ("customer.created", "customer.updated") == StripeCustomers(created, updated, lambda _: None).events
