"""One attempt: an event is written, signed and sent to its endpoint, if that still wants it when the first byte leaves."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import structlog

from keyrack.crypto import webhooks as signatures
from keyrack.feed.recipients import Recipients
from keyrack.manage import event_types
from keyrack.manage.desk import Desk
from keyrack.manage.endpoint_checks import SEALED_FOR
from keyrack.model import webhooks
from keyrack.model.deliveries import SHOWN_BYTES_MAX, Attempt, Delivery, State, Trigger, Why
from keyrack.model.endpoints import Endpoint
from keyrack.model.events import Event
from keyrack.model.outgoing_calls import Answered, NotSent, Outgoing
from keyrack.model.recipients import GO, Recipient, Verdict
from keyrack.store.ids import new_id
from keyrack.work.send import BeforeFirstByte, GuardedClient

log = structlog.get_logger("keyrack.deliveries")

ATTEMPT_SECONDS_MAX = 15.0
GONE_STATUS = 410
HEADERS_KEPT_MAX = 50
HEADER_LENGTH_KEPT_MAX = 1_000
HIDDEN = "••••"
"""Stands for the values of custom headers: people put secrets there."""

UNWRITABLE = "unwritable"
"""The error of an attempt whose event cannot be written for its endpoint: nothing was sent, and the server's log says why."""

Pause = Callable[[int, float, int | None, int | None], float | None]
"""Says how long after so many failures the next attempt comes, as `next_pause_seconds` does."""

_GONE = Verdict(State.SKIPPED, Why.ENDPOINT_DELETED)


class Stopped(Exception):
    """The attempt must not begin: this has become of the delivery."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.state.value)
        self.verdict = verdict


class _Changed(Exception):
    """The endpoint is not any more what the request was made for."""


class _Request(NamedTuple):
    """What is sent; `shown` are its headers as they may be kept."""

    outgoing: Outgoing
    shown: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Attempts:
    """Makes attempts. `client` sends them; `known` says how endpoints stand."""

    desk: Desk
    known: Recipients
    client: GuardedClient

    async def make(self, delivery: Delivery, event: Event, ends_at: int) -> Attempt:
        """Attempt a delivery, and return what came of it.

        Raises Stopped where nothing was sent, as the endpoint may not have it at this moment, or the claim ends at `ends_at` (ms) before
        an attempt could; Refused `store_unavailable` where nobody can say.
        """
        while True:
            recipient = await self.known.at_this_moment(delivery.endpoint_id)
            try:
                return await self._make(delivery, event, self._allowed(recipient, event), ends_at)
            except _Changed:
                # Somebody edits it at this moment: what is sent goes by the new state.
                continue

    async def try_out(self, recipient: Recipient, event: Event) -> Attempt:
        """Send a sample to an endpoint, also to one that is disabled, and return what came of it: nothing of it is kept."""
        now, endpoint = self.desk.now(), recipient.endpoint
        sample = Delivery("", event.workspace_id, endpoint.id, event.id, event.type, 0, event.mode, State.PENDING, now, now)

        async def is_there() -> None:
            present = await self.known.at_this_moment(endpoint.id)
            if present is None or present.is_gone:
                raise Stopped(_GONE)
            if not present.api_is_on:
                raise Stopped(Verdict(State.HELD))

        return await self._send(replace(sample, trigger=Trigger.MANUAL), self._request(endpoint, event), is_there)

    async def _make(self, delivery: Delivery, event: Event, recipient: Recipient, ends_at: int) -> Attempt:
        try:
            request = self._request(recipient.endpoint, event)
        except Exception as error:  # noqa: BLE001 - a host's own change module may fail on data that it does not expect
            log.warning("delivery_unwritable", delivery=delivery.id, type=event.type, error=type(error).__name__)
            return self._attempt(
                delivery, self.desk.now(), None, error=UNWRITABLE, detail="The event could not be written for this endpoint."
            )

        async def still_wanted() -> None:
            # Nothing begins that a change which has returned forbids (CONSISTENCY §2): what is found here holds when the first byte leaves.
            present = self._allowed(await self.known.at_this_moment(delivery.endpoint_id), event)
            if present.endpoint != recipient.endpoint:
                raise _Changed
            if self.desk.now() + ATTEMPT_SECONDS_MAX * 1000 > ends_at:
                raise Stopped(GO)

        return await self._send(delivery, request, still_wanted)

    def _allowed(self, recipient: Recipient | None, event: Event) -> Recipient:
        verdict = _GONE if recipient is None else recipient.verdict(event, self.desk.event_types, self.desk.categories)
        if recipient is None or verdict != GO:
            raise Stopped(verdict)
        return recipient

    def _request(self, endpoint: Endpoint, event: Event) -> _Request:
        """Return what is sent at this moment. Raises what a host's change modules raise, ValueError where no key opens what was sealed."""
        now = self.desk.now()
        own_type = event.type in event_types.own()
        content = webhooks.body(event, self.desk.versions, None if own_type else endpoint.api_version)
        sealer, seconds = self.desk.sealers[SEALED_FOR], now // 1000
        secrets = [sealer.open(key.sealed, endpoint.id).decode() for key in endpoint.signing(now)]
        headers = {
            "content-type": "application/json",
            "user-agent": webhooks.user_agent(self.desk.brand.name),
            webhooks.ID: event.id,
            webhooks.TIMESTAMP: str(seconds),
            webhooks.SIGNATURE: " ".join(signatures.sign(secret, event.id, seconds, content) for secret in secrets),
        }
        custom: Mapping[str, str] = {}
        if endpoint.sealed_headers is not None:
            custom = json.loads(sealer.open(endpoint.sealed_headers, endpoint.id))
        outgoing = Outgoing("POST", endpoint.url, (*headers.items(), *custom.items()), content)
        return _Request(outgoing, {**headers, **dict.fromkeys(custom, HIDDEN)})

    async def _send(self, delivery: Delivery, request: _Request, before: BeforeFirstByte) -> Attempt:
        started_at = self.desk.now()
        try:
            answered = await self.client.send(
                request.outgoing,
                timeout_seconds=ATTEMPT_SECONDS_MAX,
                answer_bytes_max=SHOWN_BYTES_MAX,
                before_first_byte=before,
            )
        except NotSent as fault:
            return self._attempt(delivery, started_at, request, duration_ms=fault.duration_ms, error=fault.code.value, detail=fault.detail)
        return self._attempt(
            delivery,
            started_at,
            request,
            duration_ms=answered.duration_ms,
            status=answered.status,
            address=answered.address,
            response_headers=_kept(answered),
            response_body=answered.body,
            truncated=answered.truncated,
        )

    def _attempt(self, delivery: Delivery, started_at: int, request: _Request | None, **fields: Any) -> Attempt:
        sent = {} if request is None else {"request_headers": request.shown, "request_body": request.outgoing.body}
        return Attempt(
            id=new_id(),
            workspace_id=delivery.workspace_id,
            delivery_id=delivery.id,
            endpoint_id=delivery.endpoint_id,
            number=delivery.attempts + 1,
            trigger=delivery.trigger,
            started_at=started_at,
            **{"duration_ms": 0, **sent, **fields},
        )


def after(delivery: Delivery, attempt: Attempt, now: int, pause: Pause, *, is_gone: bool) -> Delivery:
    """Return where a delivery stands after an attempt of it. With `is_gone` its endpoint wants no more."""
    tried = replace(delivery, attempts=attempt.number, trigger=Trigger.SCHEDULE, updated_at=now, why=None)
    if attempt.succeeded:
        return replace(tried, state=State.SUCCEEDED, due_at=None, failures=0)
    failures = delivery.failures + 1
    if is_gone:
        return replace(tried, state=State.FAILED, why=Why.GONE, due_at=None, failures=failures)
    spread = random.uniform(-1, 1)  # noqa: S311 - nobody gains by guessing it
    wait = pause(failures, spread, attempt.status, retry_after_seconds(attempt, now))
    if wait is None:
        return replace(tried, state=State.FAILED, why=Why.EXHAUSTED, due_at=None, failures=failures)
    return replace(tried, state=State.PENDING, due_at=now + int(wait * 1000), failures=failures)


def retry_after_seconds(attempt: Attempt, now: int) -> int | None:
    """Return how long an answer asks to be left alone, in seconds or until a date (RFC 9110 §10.2.3); None where it says nothing of use."""
    text = attempt.response_headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        # A number of 30 digits is no year, and overflows what reads it.
        return None
    return max(0, round(at.replace(tzinfo=at.tzinfo or UTC).timestamp() - now / 1000))


def _kept(answered: Answered) -> dict[str, str]:
    """Return an answer's headers as an attempt keeps them: bounded, those of one name together."""
    kept: dict[str, str] = {}
    for name, value in answered.headers[:HEADERS_KEPT_MAX]:
        joined = f"{kept[name]}, {value}" if name in kept else value
        kept[name] = joined.replace("\x00", "")[:HEADER_LENGTH_KEPT_MAX]
    return kept
