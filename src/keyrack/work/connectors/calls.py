"""Calls to vendors, from the event to the vendor's answer: derived once per event and connector, made once, sent until it arrived."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from inspect import isawaitable
from time import monotonic
from typing import Any

import structlog

from keyrack.manage import connectors
from keyrack.manage.connector_calls import KEPT_SECONDS
from keyrack.manage.desk import Desk
from keyrack.model.connector_calls import (
    AGE_SECONDS_MAX,
    DETAIL_LENGTH_MAX,
    Answer,
    ConnectorCall,
    Verdict,
    Why,
    lane_of,
    next_pause_seconds,
)
from keyrack.model.connectors import CONNECTORS_MAX, Connector, DisableReason, Vendor
from keyrack.model.deliveries import State, Trigger
from keyrack.model.events import Event
from keyrack.model.principals import Mode, Principal
from keyrack.model.refusals import NOT_FOUND, Refused
from keyrack.store import claims, events, workspaces
from keyrack.store import connector_calls as rows
from keyrack.store import connectors as connector_rows
from keyrack.store.claims import Lane
from keyrack.store.database import Connection
from keyrack.store.ids import new_id
from keyrack.work.connectors import CALL_SECONDS_MAX, Account, Clients, Outgoing
from keyrack.work.event_readers import EventReader, came_before

log = structlog.get_logger("keyrack.connectors")
AT_ONCE = 32
AT_ONCE_EACH = 4
"""How many calls are under way at the same time, and of one connector: so a vendor that hangs holds up nobody but itself."""

LANES_LOOKED_AT = 500
LANES_OF_ONE_LOOKED_AT = 50
COMPOSE_SECONDS_MAX = 10.0
REQUEST_LENGTH_MAX = 256 * 1024
CLAIM_SECONDS = 90
"""Longer than one call with all that belongs to it: what a process has claimed that dies comes back then."""

OUTAGE_SECONDS = 15
"""How long the other calls of a connector wait behind one that met an outage."""

RELEASE_SECONDS = 5.0
HELD_MAX = 1000
STOP_SECONDS_MAX = 10.0


class Derivation:
    """What events become at the connectors of their workspaces: one call each, also where it is skipped, so that people see why."""

    name = "connectors"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._types = {kind for vendor in desk.vendors.values() for kind in vendor.events}

    async def derive(self, found: Sequence[Event]) -> Sequence[ConnectorCall]:
        """Return the calls that follow from events."""
        told = [event for event in found if event.type in self._types]
        connected: dict[str, list[Connector]] = {}
        async with self._desk.store.reading() as c:
            for workspace_id in {event.workspace_id for event in told}:
                connected[workspace_id] = await connector_rows.page(c, workspace_id, limit=CONNECTORS_MAX)
            become = [
                (event, one)
                for event in told
                for one in connected[event.workspace_id]
                if one.wants(event.type) and not await came_before(c, event, one, connectors.CONNECTOR_CREATED)
            ]
        now = self._desk.now()
        return [_derived(event, one, now) for event, one in become]

    async def add(self, c: Connection, derived: Sequence[Any]) -> None:
        """Add the calls."""
        if derived:
            await rows.add_new(c, derived)


class ConnectorCalls:
    """Makes the calls of a process. `turn` begins what is due, and waits for none of it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._reader = EventReader(desk, Derivation(desk), lambda: None)
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._is_stopping = False
        self._released_at = 0.0
        self._clients = Clients()

    async def start(self) -> None:
        """Begin to follow the events, where any of them can become a call. Raises Refused."""
        self._is_stopping = False
        if self._desk.vendors:
            await self._reader.start()

    async def stop(self) -> None:
        """Begin no more calls, and give those under way some time to end."""
        self._is_stopping = True
        await self._reader.stop()
        if self._under_way:
            _, late = await asyncio.wait(list(self._under_way), timeout=STOP_SECONDS_MAX)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        await self._clients.close()

    async def read(self) -> int:
        """Derive from the next events, and return how many there were."""
        return await self._reader.turn()

    async def turn(self) -> int:
        """Begin the calls that are due, as many as there is room for, and return how many."""
        if self._is_stopping or not self._desk.vendors:
            return 0
        if monotonic() - self._released_at > RELEASE_SECONDS:
            self._released_at = monotonic()
            await self._release()
        claimed = await self._claim()
        for call in claimed:
            task = asyncio.create_task(self._run(call), name=f"keyrack:connector_call:{call.id}")
            self._under_way[task] = call.connector_id
            task.add_done_callback(self._under_way.pop)
        return len(claimed)

    async def settle(self) -> None:
        """Return when no call is under way."""
        while self._under_way:
            await asyncio.wait(list(self._under_way))

    async def prune(self) -> None:
        """Forget calls that ended long ago."""
        while True:
            async with self._desk.store.writing_traffic() as c:
                if await rows.prune(c, self._desk.now() - KEPT_SECONDS * 1000) < rows.PRUNED_MAX:
                    return

    async def check(self, actor: Principal, connector_id: str) -> Answer:
        """Ask the vendor whether it takes a connector's credentials. Raises Refused: 403 without org-level Admin and for test keys, 404."""
        connectors.require_say(actor, "check connectors")
        connector = await connectors.get(self._desk, actor, connector_id)
        vendor = connectors.vendor_of(self._desk, connector.vendor)
        return await self._ask(vendor, connector, None)

    async def _claim(self, connector_id: str = "") -> list[ConnectorCall]:
        """Take calls that are due, as many as there is room for; of one connector alone the next one."""
        now, free = self._desk.now(), 1 if connector_id else AT_ONCE - len(self._under_way)
        async with self._desk.store.reading_traffic() as c:
            due_at = await claims.next_due(c, rows.LANES)
            if free <= 0 or due_at is None or due_at > now:
                return []
            lanes = await self._lanes_of(c, now, connector_id) if connector_id else await self._free_lanes(c, now, free)
        if not lanes:
            return []
        wanted = [Lane(lane, at_once=1, in_order=True) for lane in lanes]
        async with self._desk.store.writing_traffic() as c:
            until = now + CLAIM_SECONDS * 1000
            return [rows.read(row) for row in await claims.claim(c, rows.LANES, wanted, now=now, until=until, limit=free)]

    async def _free_lanes(self, c: Connection, now: int, limit: int) -> list[str]:
        """Return lanes in which something is due, of each connector no more than may run at once."""
        busy, found = Counter(self._under_way.values()), list[str]()
        after: str | None = ""
        while after is not None and len(found) < limit:
            lanes, after = await claims.due_lanes(c, rows.LANES, now=now, after=after, limit=LANES_LOOKED_AT)
            random.shuffle(lanes)  # so that no connector is always the last
            for lane in lanes:
                connector_id = lane.partition(":")[0]
                if busy[connector_id] < AT_ONCE_EACH:
                    busy[connector_id] += 1
                    found.append(lane)
        return found[:limit]

    async def _lanes_of(self, c: Connection, now: int, connector_id: str) -> list[str]:
        """Return a few lanes of one connector in which something is due."""
        first = lane_of(connector_id, "")
        lanes, _ = await claims.due_lanes(c, rows.LANES, now=now, after=first, limit=LANES_OF_ONE_LOOKED_AT)
        return [lane for lane in lanes if lane.startswith(first)]

    async def _run(self, call: ConnectorCall) -> None:
        """Make a call, and those of its connector that are due after it: what comes in a rush need not wait for the next turn."""
        claimed = [call]
        try:
            while claimed:
                await self._attempt(claimed[0])
                claimed = [] if self._is_stopping else await self._claim(call.connector_id)
        except Exception as error:  # noqa: BLE001 - the call comes back when its claim ends
            log.warning("connector_call_lost", call=call.id, error=type(error).__name__)

    async def _attempt(self, call: ConnectorCall) -> None:
        """Make one attempt, and note what came of it. A process that dies in between makes it again, under the same idempotency key."""
        desk = self._desk
        connector = await self._connector(call)
        vendor = desk.vendors.get(call.vendor)
        over = _over(call, connector, vendor, desk.now())
        if over is not None or connector is None or vendor is None:
            await self._note(over or call)
            return
        began = monotonic()
        try:
            made = await self._made(call, connector, vendor)
        except Exception as error:  # noqa: BLE001 - the host's own function: its database may be away
            log.warning("connector_call_not_made", call=call.id, kind=call.event_type, error=type(error).__name__)
            answer = Answer(Verdict.AGAIN, None, "not_made", f"What this event becomes could not be made: {type(error).__name__}.")
            await self._note(_answered(call, answer, desk.now(), _ms_since(began)))
            return
        if made is None:
            detail = "There was nothing to send, or nobody to send it to."
            await self._note(replace(call, state=State.SKIPPED, why=Why.NOTHING_TO_SEND, detail=detail, due_at=None, updated_at=desk.now()))
            return
        # The host may have taken seconds: what an admin has changed meanwhile counts.
        connector = await self._connector(call)
        over = _over(made, connector, vendor, desk.now())
        if over is not None or connector is None:
            await self._note(over or made)
            return
        made = replace(made, request=vendor.addressed(made.request or {}, connector.settings))
        began = monotonic()
        answer = await self._ask(vendor, connector, made)
        await self._conclude(made, vendor, connector, answer, _ms_since(began))

    async def _connector(self, call: ConnectorCall) -> Connector | None:
        async with self._desk.store.reading() as c:
            try:
                await workspaces.get(c, call.workspace_id)
                return await connector_rows.get(c, call.workspace_id, call.connector_id)
            except Refused as refused:
                if refused.refusal is not NOT_FOUND:
                    raise
        return None

    async def _made(self, call: ConnectorCall, connector: Connector, vendor: Vendor) -> ConnectorCall | None:
        """Return the call with what it sends: made before the first attempt and kept, so that every attempt sends the same."""
        if call.request is not None:
            return replace(call, request=vendor.addressed(call.request, connector.settings))
        async with self._desk.store.reading() as c:
            event = await events.get(c, call.workspace_id, call.event_id)
        content = vendor.compose(event)
        if isawaitable(content):
            async with asyncio.timeout(COMPOSE_SECONDS_MAX):
                content = await content
        if content is None:
            return None
        made = replace(call, request=vendor.addressed(vendor.request(content), connector.settings))
        if len(repr(made.request)) > REQUEST_LENGTH_MAX:
            raise ValueError("what an event becomes is too long")
        async with self._desk.store.writing_traffic() as c:
            await rows.save_request(c, made)
        return made

    async def _ask(self, vendor: Vendor, connector: Connector, call: ConnectorCall | None) -> Answer:
        """Send a call, or without one ask whether the credentials are good. An outage is an answer, too."""
        try:
            account = Account(connectors.opened(self._desk, connector), self._desk.outside.vendor_urls)
        except ValueError:
            return Answer(Verdict.RECONNECT, None, "sealed", "Its credentials were sealed with a key that is gone: enter them again.")
        known = None
        if call is not None and vendor.keeps_links:
            async with self._desk.store.reading_traffic() as c:
                known = await rows.link(c, call.workspace_id, call.connector_id, call.object_id)
        try:
            async with asyncio.timeout(CALL_SECONDS_MAX):
                client = await self._clients.get(vendor.name)
                if call is None:
                    return _storable(await client.check(account))
                return _storable(await client.send(account, Outgoing(call.request or {}, call.idempotency_key, known)))
        except TimeoutError:
            return Answer(Verdict.AGAIN, None, "timeout", f"{vendor.title} did not answer within {CALL_SECONDS_MAX:.0f} seconds.")
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the call is kept
            # A client's own words may quote what was sent: only their kind is told, and to the operator.
            log.warning("vendor_unreachable", vendor=vendor.name, error=type(error).__name__)
            return Answer(Verdict.AGAIN, None, "unreachable", f"{vendor.title} could not be reached.")

    async def _conclude(self, call: ConnectorCall, vendor: Vendor, connector: Connector, answer: Answer, duration_ms: int) -> None:
        now = self._desk.now()
        async with self._desk.store.writing_traffic() as c:
            if answer.verdict is Verdict.SENT and vendor.keeps_links and answer.object_id:
                await rows.save_link(c, call.workspace_id, call.connector_id, call.object_id, answer.object_id, now)
            await rows.save(c, _answered(call, answer, now, duration_ms))
            waits = {Verdict.LATER: answer.retry_after_seconds or 1, Verdict.AGAIN: OUTAGE_SECONDS}.get(answer.verdict)
            if waits is not None:
                await rows.put_off(c, call.workspace_id, call.connector_id, now + waits * 1000)
        if answer.verdict is Verdict.RECONNECT:
            await connectors.need_reconnection(self._desk, connector, answer.detail)

    async def _note(self, call: ConnectorCall) -> None:
        async with self._desk.store.writing_traffic() as c:
            await rows.save(c, call)

    async def _release(self) -> None:
        """Let calls go on that were held until somebody connected the account again."""
        async with self._desk.store.reading_traffic() as c:
            held = await rows.held(c, HELD_MAX)
        for workspace_id, connector_id in held:
            connector = None
            async with self._desk.store.reading() as c:
                with suppress(Refused):
                    connector = await connector_rows.get(c, workspace_id, connector_id)
            if connector is None or connector.disable_reason is not DisableReason.RECONNECT:
                async with self._desk.store.writing_traffic() as c:
                    await rows.release(c, workspace_id, connector_id, self._desk.now())


def _derived(event: Event, connector: Connector, now: int) -> ConnectorCall:
    state, why, due_at = State.PENDING, None, now
    if event.mode is Mode.TEST:
        state, why = State.SKIPPED, Why.TEST_MODE
    elif connector.disable_reason is DisableReason.CHOSEN:
        state, why = State.SKIPPED, Why.CONNECTOR_DISABLED
    elif connector.disable_reason is DisableReason.RECONNECT:
        state, why = State.HELD, Why.RECONNECT
    return ConnectorCall(
        id=new_id(),
        workspace_id=event.workspace_id,
        connector_id=connector.id,
        vendor=connector.vendor,
        event_id=event.id,
        event_type=event.type,
        object_id=event.object_id,
        position=event.position or 0,
        mode=event.mode,
        state=state,
        why=why,
        created_at=now,
        updated_at=now,
        due_at=due_at if state is State.PENDING else None,
    )


def _over(call: ConnectorCall, connector: Connector | None, vendor: Vendor | None, now: int) -> ConnectorCall | None:
    """Return the call as it is where no attempt may be made (any more), None where one may."""
    state, why = State.SKIPPED, None
    if connector is None:
        why = Why.CONNECTOR_DELETED
    elif connector.disable_reason is DisableReason.RECONNECT:
        state, why = State.HELD, Why.RECONNECT
    elif connector.disabled_at is not None or vendor is None:
        why = Why.CONNECTOR_DISABLED
    elif call.trigger is Trigger.SCHEDULE and now - call.created_at > AGE_SECONDS_MAX * 1000:
        state, why = State.FAILED, Why.EXHAUSTED
    return None if why is None else replace(call, state=state, why=why, due_at=None, updated_at=now)


def _answered(call: ConnectorCall, answer: Answer, now: int, duration_ms: int) -> ConnectorCall:
    """Return a call after a vendor's answer."""
    tried = replace(
        call,
        attempts=call.attempts + 1,
        status=answer.status,
        code=answer.code,
        detail=answer.detail[:DETAIL_LENGTH_MAX] or None,
        duration_ms=duration_ms,
        vendor_object_id=answer.object_id or call.vendor_object_id,
        updated_at=now,
        due_at=None,
    )
    if answer.verdict is Verdict.SENT:
        return replace(tried, state=State.SUCCEEDED, why=None)
    if answer.verdict is Verdict.REFUSED:
        return replace(tried, state=State.FAILED, why=Why.REFUSED)
    if answer.verdict is Verdict.RECONNECT:
        return replace(tried, state=State.HELD, why=Why.RECONNECT)
    if answer.verdict is Verdict.LATER:
        return replace(tried, due_at=now + (answer.retry_after_seconds or 1) * 1000)
    failures = call.failures + 1
    pause = next_pause_seconds(failures, random.uniform(-1, 1), answer.retry_after_seconds)  # noqa: S311 - spreads pauses
    if pause is None:
        return replace(tried, failures=failures, state=State.FAILED, why=Why.EXHAUSTED)
    return replace(tried, failures=failures, due_at=now + int(pause * 1000))


def _storable(answer: Answer) -> Answer:
    """Return an answer without what no database takes, and no vendor means: what could not be noted would be sent for ever."""
    texts = {name: getattr(answer, name) for name in ("code", "detail", "object_id")}
    kept = {name: text.replace("\x00", "").encode("utf-8", "replace").decode() for name, text in texts.items() if text is not None}
    return replace(answer, **kept)


def _ms_since(began: float) -> int:
    return int((monotonic() - began) * 1000)
