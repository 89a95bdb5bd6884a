"""What fails is tried again: the same event, by the schedule, no sooner than the receiver asks, and not for ever."""

import asyncio
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from keyrack.manage import deliveries, endpoints
from keyrack.model.deliveries import (
    FAILING_SECONDS_MAX,
    JITTER,
    SCHEDULE_SECONDS,
    THROTTLED_SECONDS_MIN,
    Attempt,
    State,
    Trigger,
    Why,
    next_pause_seconds,
)
from keyrack.model.endpoints import DisableReason
from keyrack.model.members import Role
from keyrack.store import outbox
from keyrack.work.attempts import retry_after_seconds
from keyrack.work.deliveries import CLAIM_SECONDS
from tests.backends import Backend
from tests.deliveries.conftest import Shop, opened
from tests.deliveries.receivers import OK, Receiver, status
from tests.serving.served import until


@given(st.integers(1, 20), st.floats(-1, 1), st.sampled_from([None, 301, 400, 429, 500, 502, 504]), st.none() | st.integers(0, 10**9))
def test_every_pause_keeps_to_the_schedule(attempts: int, spread: float, code: int | None, asked: int | None) -> None:
    pause = next_pause_seconds(attempts, spread, code, asked)
    if attempts >= len(SCHEDULE_SECONDS):
        assert pause is None
        return
    assert pause is not None
    base = max(SCHEDULE_SECONDS[attempts], THROTTLED_SECONDS_MIN if code in (None, 429, 502, 504) else 0)
    if asked is None:
        assert base * (1 - JITTER) <= pause <= base * (1 + JITTER)
    else:
        assert base <= pause <= 2 * base


def test_schedule_lasts_for_about_three_days() -> None:
    assert 3 * 24 * 3600 < sum(SCHEDULE_SECONDS) < 3.5 * 24 * 3600
    assert all(one <= other for one, other in pairwise(SCHEDULE_SECONDS[1:]))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 60),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("²", None),
        ("9" * 40, 999_999_999),
        ("Thu, 99 Jan 1970 00:02:00 GMT", None),
        (f"Thu, 01 Jan {'9' * 30} 00:02:00 GMT", None),
        (f"Thu, 01 Jan 1970 00:02:00 +{'9' * 30}", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_739),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: int | None) -> None:
    attempt = Attempt("a", "w", "d", "e", 1, Trigger.SCHEDULE, 0, 0, 503, response_headers={"retry-after": text})
    assert seconds == retry_after_seconds(attempt, 60_000)


async def test_failed_delivery_comes_again_as_the_same_event(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    shop.receiver.answer = lambda _received: status(500, body=b"x" * 5000)
    (event_id,) = await shop.happen(shop.event())
    (waiting,) = await shop.until_all(endpoint, State.PENDING)
    await until(lambda: shop.receiver.received)

    async def is_noted() -> bool:
        return bool(await shop.attempts(waiting))

    await until(is_noted)
    (failed,) = await shop.attempts(waiting)
    assert (500, b"x" * 4096, True) == (failed.status, failed.response_body, failed.truncated)
    shop.receiver.answer = lambda _received: OK
    shop.clock.pass_seconds(5 * (1 + JITTER) + 1)
    (delivery,) = await shop.until_all(endpoint, State.SUCCEEDED)
    assert [event_id] * 2 == [received.event_id for received in shop.receiver.received]
    first, second = (received.headers["webhook-timestamp"] for received in shop.receiver.received)
    assert int(first) < int(second)
    assert [2, 1] == [attempt.number for attempt in await shop.attempts(delivery)]


@pytest.mark.parametrize("answer", [status(302, "Location: /elsewhere"), status(404), b""])
async def test_everything_but_2xx_is_a_failure(shop: Shop, answer: bytes) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    shop.receiver.answer = lambda _received: answer
    await shop.happen(shop.event())

    async def has_failed() -> bool:
        return [1] == [delivery.failures for delivery in await shop.of(endpoint)]

    await until(has_failed)
    (delivery,) = await shop.of(endpoint, State.PENDING)
    assert delivery.due_at is not None
    assert shop.clock.now() < delivery.due_at
    assert [] == shop.receiver.of("/elsewhere")


async def test_receiver_that_asks_to_wait_is_left_alone(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    shop.receiver.answer = lambda _received: status(429, "Retry-After: 100")
    await shop.happen(shop.event())

    async def is_due_then() -> bool:
        found = await shop.of(endpoint, State.PENDING)
        return [shop.clock.now() + 100_000] == [one.due_at for one in found]

    await until(is_due_then)


async def test_result_that_cannot_be_written_keeps_no_other_back_and_its_delivery_comes_again(shop: Shop) -> None:
    sender = shop.host.rack.assembly.deliveries
    schedule, sender.pause = sender.pause, lambda *_: 1e30  # no database has a place for so late a time
    endpoint, _ = await shop.endpoint(events=["customer.*"], parallel=20)
    unwritable, *others = await shop.happen(*(shop.event() for _ in range(5)))
    answers = {unwritable: status(500)}

    async def together(event_id: str) -> bytes:
        await until(lambda: len(shop.receiver.received) >= 5)
        return answers.get(event_id, OK)

    shop.receiver.answer = lambda received: together(received.event_id)
    with capture_logs() as said:
        written = await shop.until_all(endpoint, State.SUCCEEDED, 4)
        await until(lambda: [line for line in said if line["event"] == "delivery_not_written"])
    (waiting,) = await shop.of(endpoint, State.PENDING)
    assert (set(others), unwritable) == ({one.event_id for one in written}, waiting.event_id)
    assert [waiting.id] == [line["delivery"] for line in said if line["event"] == "delivery_not_written"]
    sender.pause = schedule
    answers.clear()
    shop.clock.pass_seconds(CLAIM_SECONDS)
    await shop.until_all(endpoint, State.SUCCEEDED, 5)
    assert {**dict.fromkeys(others, 1), unwritable: 2} == Counter(one.event_id for one in shop.receiver.received)


async def test_delivery_is_given_up_when_its_schedule_ends_and_can_be_sent_again(shop: Shop) -> None:
    shop.host.rack.assembly.deliveries.pause = lambda failures, *_: 0.0 if failures < 3 else None
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    shop.receiver.answer = lambda _received: status(500)
    (event_id,) = await shop.happen(shop.event())
    (failed,) = await shop.until_all(endpoint, State.FAILED)
    assert (Why.EXHAUSTED, 3, None) == (failed.why, failed.attempts, failed.due_at)
    shop.receiver.answer = lambda _received: OK
    await deliveries.resend(shop.desk, shop.host.owner, failed.id)
    (delivery,) = await shop.until_all(endpoint, State.SUCCEEDED)
    assert [event_id] * 4 == [received.event_id for received in shop.receiver.received]
    made = await shop.attempts(delivery)
    assert [(4, Trigger.MANUAL), (3, Trigger.SCHEDULE)] == [(attempt.number, attempt.trigger) for attempt in made[:2]]


async def test_410_disables_the_endpoint_and_gives_up_the_rest_which_can_be_replayed(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"], in_order=True)
    shop.receiver.answer = lambda _received: status(410)
    await shop.happen(*(shop.event() for _ in range(4)))
    failed = await shop.until_all(endpoint, State.FAILED, 4)
    assert {Why.GONE} == {delivery.why for delivery in failed}
    assert 1 == len(shop.receiver.received)
    assert DisableReason.GONE is (await endpoints.get(shop.desk, shop.host.owner, endpoint.id)).disable_reason
    await shop.happen(shop.event())
    (skipped,) = await shop.until_all(endpoint, State.SKIPPED)
    assert Why.ENDPOINT_DISABLED is skipped.why
    shop.receiver.answer = lambda _received: OK
    await endpoints.enable(shop.desk, shop.host.owner, endpoint.id)
    assert 5 == await deliveries.replay_failed(shop.desk, shop.host.owner, endpoint.id, 0)
    await shop.until_all(endpoint, State.SUCCEEDED, 5)


async def test_410_of_an_address_that_was_changed_meanwhile_disables_nothing(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint("/old", events=["customer.*"])
    edited = asyncio.Event()

    async def late() -> bytes:
        await edited.wait()
        return status(410)

    shop.receiver.answer = lambda received: late() if received.path == "/old" else OK
    (event_id,) = await shop.happen(shop.event())
    await until(lambda: shop.receiver.of("/old"))
    shop.clock.pass_seconds(1)
    await endpoints.edit(shop.desk, shop.host.owner, endpoint.id, url=f"{shop.receiver.url}/new")
    edited.set()

    async def has_failed() -> bool:
        return [1] == [delivery.failures for delivery in await shop.of(endpoint)]

    await until(has_failed)
    shop.clock.pass_seconds(60)
    await shop.until_all(endpoint, State.SUCCEEDED)
    assert [event_id] == [received.event_id for received in shop.receiver.of("/new")]


async def test_endpoint_that_only_fails_for_days_is_disabled_with_an_event_and_a_mail(
    backend: Backend, tmp_path: object, receiver: Receiver
) -> None:
    mail = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "a@acme.test", "base_url": "https://acme.test"}
    async with opened(backend, tmp_path, receiver, settings=mail) as shop:  # type: ignore[arg-type]
        await shop.host.rack.members.add(shop.host.workspace.id, email="ada@acme.test", name="Ada", role=Role.ADMIN)
        endpoint, _ = await shop.endpoint(events=["customer.*"])
        observer, _ = await shop.endpoint("/observer", events=["endpoint.disabled"])
        shop.receiver.answer = lambda received: OK if received.path == "/observer" else status(500)
        await shop.happen(shop.event())
        await until(lambda: shop.receiver.received)
        await shop.until_all(endpoint, State.PENDING)
        shop.clock.pass_seconds(FAILING_SECONDS_MAX + 1)
        await until(lambda: shop.receiver.of("/observer"))
        assert "failing" == shop.receiver.of("/observer")[0].content["data"]["disable_reason"]
        assert DisableReason.FAILING is (await endpoints.get(shop.desk, shop.host.owner, endpoint.id)).disable_reason
        assert observer.disabled_at is None
        async with shop.desk.store.reading() as c:
            assert await outbox.is_due(c, shop.clock.now() + 10**9)


def test_success_begins_a_new_schedule() -> None:
    assert next_pause_seconds(1, 0, 500) == SCHEDULE_SECONDS[1]
    assert replace(Attempt("a", "w", "d", "e", 1, Trigger.SCHEDULE, 0, 0, 204)).succeeded
