"""Deliveries: claimed where they are due, attempted, and noted. Of all processes on a store each takes its part.

What waits lies in lanes, one for each endpoint. A turn looks which lanes have something due, asks how their endpoints stand, and claims a
few rows of each: however much waits for one endpoint, and however long it takes to answer, the others get theirs.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Any, NamedTuple

import structlog

from keyrack.feed.recipients import Recipients
from keyrack.manage import endpoint_health, endpoints
from keyrack.manage.desk import Desk
from keyrack.model.deliveries import FAILING_SECONDS_MAX, Attempt, Delivery, State, Why, next_pause_seconds
from keyrack.model.endpoints import DisableReason
from keyrack.model.events import Actor, Event
from keyrack.model.principals import Principal
from keyrack.model.recipients import GO, Verdict
from keyrack.model.refusals import CONFLICT, NOT_FOUND, Refused
from keyrack.store import claims, deliveries, delivery_lanes
from keyrack.store import events as event_rows
from keyrack.store.claims import Lane
from keyrack.store.delivery_lanes import LANES
from keyrack.store.ids import new_id
from keyrack.work.attempts import GONE_STATUS, Attempts, Pause, Stopped, after
from keyrack.work.delivery_results import Result, Results
from keyrack.work.derived_deliveries import DerivedDeliveries
from keyrack.work.event_readers import EventReader, apart
from keyrack.work.send import GuardedClient

log = structlog.get_logger("keyrack.deliveries")

LOOK_SECONDS = 0.45
"""How long after another process has made something due it is found here."""

RETRY_SECONDS = 1.0
COUNT_SECONDS = 10.0
CLAIM_SECONDS = 25
STOP_SECONDS_MAX = 2.0
LANES_AT_ONCE_MAX = 64
CLAIMED_AT_ONCE_MAX = 100
QUICK_AT_ONCE_MAX, AT_ONCE_MAX = 200, 1_000
WORKSPACE_AT_ONCE_MAX = 250
QUICK_SECONDS_MAX = 1.0
"""An attempt that takes longer does not take the place of others: what answers quickly is not held up by what does not."""

PROBED_FAILURES = 5
"""After so many failures in a row an endpoint gets one delivery at a time, until one succeeds."""

_DELETED = Verdict(State.SKIPPED, Why.ENDPOINT_DELETED)
_GONE = Verdict(State.FAILED, Why.GONE)


class _Running(NamedTuple):
    """An attempt under way: since when, and for which workspace."""

    began: float
    workspace_id: str


class Deliveries:
    """Derives deliveries from events, and makes them. `pause` says when a failed one is tried again; `waiting` is how many have an attempt
    to come, when they were last counted.
    """

    def __init__(self, desk: Desk, known: Recipients, client: GuardedClient) -> None:
        self.pause: Pause = next_pause_seconds
        self.attempts = Attempts(desk, known, client)
        self._desk = desk
        self._known = known
        self._reader = EventReader(desk, DerivedDeliveries(desk, known), self.wake)
        self._results = Results(desk.store, self._written)
        self._woken = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._running: dict[asyncio.Task[None], _Running] = {}
        self._disabling: set[asyncio.Task[None]] = set()
        self._looked_to = ""
        self._held_to = ""
        self.waiting: int | None = None
        self._counted_at = float("-inf")

    async def start(self) -> None:
        """Begin: from now on nothing that is committed is missed. Raises Refused."""
        self._stopping = False
        await self._reader.start()
        self._results.start()
        self._task = asyncio.create_task(self._deliver_on(), name="keyrack:deliver")

    async def stop(self) -> None:
        """Claim no more, let attempts end for a few seconds, give back what was claimed and not sent, and write what came of the rest."""
        self._stopping = True
        await self._reader.stop()
        if self._task is not None:
            self.wake()
            await asyncio.wait([self._task])
            self._task = None
        if self._running:
            _, late = await asyncio.wait(list(self._running), timeout=STOP_SECONDS_MAX)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        await self._results.stop()
        if self._disabling:
            await asyncio.wait(list(self._disabling), timeout=STOP_SECONDS_MAX)

    async def test(self, actor: Principal, endpoint_id: str, kind: str, data: Mapping[str, Any]) -> Attempt:
        """Send a sample of an event type to an endpoint, also to a disabled one, and return the exact request and its answer.

        Nothing of it is kept. Raises Refused: 404, 403 as endpoints do; 409 where the API is switched off, or the endpoint just ended.
        """
        endpoints.refuse_live(actor, await endpoints.get(self._desk, actor, endpoint_id))
        recipient = await self._known.at_this_moment(endpoint_id)
        if recipient is None:
            raise NOT_FOUND("There is no such endpoint.")
        event = Event(
            id=new_id(),
            workspace_id=actor.workspace.id,
            type=kind,
            object_type=kind.split(".")[0],
            object_id=str(data.get("id", "")),
            actor=Actor.of(actor),
            mode=recipient.endpoint.mode,
            created_at=self._desk.now(),
            data=data,
        )
        try:
            return await self.attempts.try_out(recipient, event)
        except Stopped as stopped:
            why = "The API is switched off." if stopped.verdict.state is State.HELD else "The endpoint has just been deleted."
            raise CONFLICT(f"{why} Nothing was sent.") from None

    def wake(self) -> None:
        """Look at once for what is due."""
        self._woken.set()

    async def _deliver_on(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                more = await self._turn()
            except Refused as refused:
                log.warning("deliveries_wait", reason=refused.refusal.code)
                more = False
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong in one turn, the next one is made
                log.warning("deliveries_wait", reason=f"{type(error).__name__}: {error}"[:500])
                more = False
                await asyncio.sleep(RETRY_SECONDS)
            if not more:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS * apart())

    async def _turn(self) -> bool:
        """Begin what is due and has room, and return whether there is more to look at."""
        room = self._room()
        if room <= 0:
            return False
        now = self._desk.now()
        async with self._desk.store.reading_traffic() as c:
            due_at, any_held = await delivery_lanes.next_due(c)
            held = await delivery_lanes.held_endpoints(c, self._held_to, LANES_AT_ONCE_MAX) if any_held else []
            if monotonic() > self._counted_at + COUNT_SECONDS:
                self.waiting, self._counted_at = await claims.waiting(c, LANES), monotonic()
            found: list[str] = []
            ahead: str | None = None
            if due_at is not None and due_at <= now:
                found, ahead = await claims.due_lanes(c, LANES, now=now, after=self._looked_to, limit=LANES_AT_ONCE_MAX)
            health = await delivery_lanes.health(c, found) if found else {}
        self._held_to = held[-1] if len(held) == LANES_AT_ONCE_MAX else ""
        released = [await self._release(endpoint_id) for endpoint_id in held]
        self._looked_to = ahead or ""
        # Where there is not room for all, it is not always the same ones that wait.
        random.shuffle(found)
        busy = Counter(running.workspace_id for running in self._running.values())
        lanes = [await self._lane(endpoint_id, health.get(endpoint_id, (None, 0))[1], busy) for endpoint_id in found]
        claimed = await self._claim([lane for lane in lanes if lane is not None], room)
        settled = None in lanes
        return bool(claimed) or settled or any(released) or ahead is not None

    def _room(self) -> int:
        since = monotonic() - QUICK_SECONDS_MAX
        quick = sum(running.began > since for running in self._running.values())
        return min(QUICK_AT_ONCE_MAX - quick, AT_ONCE_MAX - len(self._running), CLAIMED_AT_ONCE_MAX)

    async def _lane(self, endpoint_id: str, failures: int, busy: Counter[str]) -> Lane | None:
        """Return the lane of an endpoint; None where it gets nothing now, and what waits in it was settled.

        `busy` counts what is under way here by workspace, and what is claimed for it in this turn at least.
        """
        recipient = await self._known.at_this_moment(endpoint_id)
        standing = _DELETED if recipient is None else recipient.standing
        if recipient is not None and standing == GO:
            endpoint = recipient.endpoint
            if busy[endpoint.workspace_id] >= WORKSPACE_AT_ONCE_MAX:
                return Lane(endpoint_id, 0)
            busy[endpoint.workspace_id] += 1
            return Lane(endpoint_id, 1 if failures >= PROBED_FAILURES else endpoint.at_once, endpoint.in_order)
        if recipient is not None and recipient.endpoint.disable_reason is DisableReason.GONE and not recipient.is_gone:
            standing = _GONE
        await self._settle(endpoint_id, standing)
        return None

    async def _settle(self, endpoint_id: str, standing: Verdict) -> int:
        async with self._desk.store.writing_traffic() as c:
            return await delivery_lanes.settle(c, endpoint_id, standing.state, standing.why, self._desk.now())

    async def _release(self, endpoint_id: str) -> bool:
        """Let what is held for an endpoint go on, where it may. Returns whether it did: so, too, where the endpoint ended meanwhile."""
        recipient = await self._known.at_this_moment(endpoint_id)
        if recipient is not None and recipient.standing.state is State.HELD:
            return False
        async with self._desk.store.writing_traffic() as c:
            return bool(await delivery_lanes.release(c, endpoint_id, self._desk.now()))

    async def _claim(self, lanes: Sequence[Lane], room: int) -> bool:
        if not lanes:
            return False
        now = self._desk.now()
        until = now + CLAIM_SECONDS * 1000
        async with self._desk.store.writing_traffic() as c:
            rows = await claims.claim(c, LANES, lanes, now=now, until=until, limit=room)
        claimed = [deliveries.read(row) for row in rows]
        try:
            async with self._desk.store.reading() as c:
                events = await event_rows.by_ids(c, {delivery.event_id for delivery in claimed})
        except Refused:
            for delivery in claimed:
                self._results.add(Result(replace(delivery, due_at=now), until))
            raise
        for delivery in claimed:
            task = asyncio.create_task(self._deliver(delivery, until, events.get(delivery.event_id)))
            self._running[task] = _Running(monotonic(), delivery.workspace_id)
            task.add_done_callback(self._running.pop)
        return bool(claimed)

    async def _deliver(self, delivery: Delivery, claim: int, event: Event | None) -> None:
        """Attempt one delivery that was claimed, and have what came of it written."""
        try:
            result = await self._result(delivery, claim, event)
        except BaseException as error:
            # Whatever it was, the delivery is tried again; the endpoint is not to blame.
            if not isinstance(error, asyncio.CancelledError):
                reason = error.refusal.code if isinstance(error, Refused) else f"{type(error).__name__}: {error}"[:500]
                log.warning("delivery_waits", delivery=delivery.id, reason=reason)
            wait = 0 if isinstance(error, asyncio.CancelledError) else int(RETRY_SECONDS * 1000)
            self._results.add(Result(replace(delivery, due_at=self._desk.now() + wait), claim))
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            self._results.add(result)

    async def _result(self, delivery: Delivery, claim: int, event: Event | None) -> Result:
        now = self._desk.now()
        if event is None:
            # The events come from an older copy than the deliveries.
            return Result(replace(delivery, state=State.FAILED, why=Why.EXHAUSTED, due_at=None, updated_at=now), claim)
        try:
            attempt = await self.attempts.make(delivery, event, claim)
        except Stopped as stopped:
            state, why = stopped.verdict
            due_at = now if state is State.PENDING else None
            return Result(replace(delivery, state=state, why=why, due_at=due_at, updated_at=now), claim)
        self._desk.tally.note_attempt(attempt, event.created_at)
        # While the claim holds the lane: nothing follows.
        is_gone = attempt.status == GONE_STATUS and await self._disable(attempt, DisableReason.GONE)
        return Result(after(delivery, attempt, self._desk.now(), self.pause, is_gone=is_gone), claim, attempt)

    def _written(self, results: Sequence[Result]) -> None:
        """Look at once for what comes next in these lanes, and disable the endpoints that are gone, or fail for too long."""
        self.wake()
        failed = [result.attempt for result in results if result.attempt is not None and not result.attempt.succeeded]
        if failed:
            # Beside the writing: a change waits until nobody can believe the old state.
            task = asyncio.create_task(self._look_after(failed))
            self._disabling.add(task)
            task.add_done_callback(self._disabling.discard)

    async def _look_after(self, failed: Sequence[Attempt]) -> None:
        last = {attempt.endpoint_id: attempt for attempt in failed}
        too_old = self._desk.now() - FAILING_SECONDS_MAX * 1000
        with suppress(Refused):
            async with self._desk.store.reading_traffic() as c:
                health = await delivery_lanes.health(c, last)
            for endpoint_id, (failing_since, _) in health.items():
                if failing_since is not None and failing_since <= too_old:
                    await self._disable(last[endpoint_id], DisableReason.FAILING)

    async def _disable(self, attempt: Attempt, reason: DisableReason) -> bool:
        try:
            return await endpoint_health.disable(self._desk, attempt.workspace_id, attempt.endpoint_id, reason, attempt.started_at)
        except Refused:
            # Deleted meanwhile; or the store is away, and the next failure says the same.
            return False
