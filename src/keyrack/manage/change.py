"""One change, in order: the only way to write what people own.

open a short transaction of Keyrack's own → act → event rows in the same transaction → revision, as its last statement → commit (without an
answer: look whether it happened) → wait until nobody can believe the old state → return.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

from keyrack.manage.desk import Desk
from keyrack.model.calls import CURRENT
from keyrack.model.events import Actor, Event, EventType
from keyrack.model.principals import Mode, Principal
from keyrack.model.refusals import (
    CHANGE_INSIDE_TRANSACTION,
    CONFLICT,
    IDEMPOTENCY_KEY_IN_USE,
    NOT_FOUND,
    OUTCOME_UNKNOWN,
    STORE_UNAVAILABLE,
    Refused,
)
from keyrack.model.replays import MADE_MAX, Lost, Replay
from keyrack.store import bells, changes, events, replays
from keyrack.store.database import Connection
from keyrack.store.ids import new_id

FIND_OUT_SECONDS_MAX = 5.0
FIND_OUT_PAUSE_SECONDS = 0.1


class ChangeWithoutEvent(Exception):
    """A change wrote rows and recorded no event: it must not commit. A fault in the code that made it."""


class Change:
    """One change under way."""

    def __init__(self, desk: Desk, actor: Principal, connection: Connection) -> None:
        self.connection = connection
        self.now = desk.now()
        self.id = new_id()
        self.workspace_id = actor.workspace.id
        self._actor = actor
        self._events: list[Event] = []
        self._told: list[Event] = []
        self._touched: set[str] = set()
        self._settles = False

    @property
    def is_known_by_its_id(self) -> bool:
        """Whether the store can tell later that this change was committed: it keeps the ids of access changes."""
        return bool(self._touched)

    @property
    def actor_name(self) -> str:
        """The name of whoever makes this change."""
        return self._actor.credential_name

    @property
    def kinds(self) -> list[str]:
        """The types of the events that were recorded so far."""
        return [event.type for event in self._events]

    def touch(self, *ids: str) -> None:
        """Say that what a cache may hold of these ids is no longer true: makes this an access change."""
        self._touched.update(ids)

    def found_done(self) -> None:
        """Say that the work was done already: the change still returns only when nobody can believe the old state."""
        self._settles = True

    def record(self, kind: EventType, object_id: str, data: Mapping[str, Any], mode: Mode | None = None) -> None:
        """Record what happened, for the activity feed, the audit and webhooks: in this mode, or in that of who acts."""
        call = CURRENT.get()
        # A form of the console is no call, and has no line in the log; that of a public operation is in no workspace's.
        request_id = call.request_id or None if call is not None and call.principal is not None else None
        event = self._event(self.workspace_id, kind, object_id, data, Actor.of(self._actor), mode or self._actor.mode)
        self._events.append(replace(event, request_id=request_id))

    def tell(self, workspace_id: str, kind: EventType, object_id: str, data: Mapping[str, Any], actor: Actor) -> None:
        """Record what a change that was recorded here means for another workspace: `actor` is all that it learns of who made it."""
        self._told.append(self._event(workspace_id, kind, object_id, data, actor, Mode.LIVE))

    async def finish(self) -> int | None:
        """Write the events and, last, the revision. Returns the revision to settle, or None where nobody could believe anything old."""
        if self.connection.writes and not self._events:
            raise ChangeWithoutEvent("a change wrote rows without recording an event")
        for event in (*self._events, *self._told):
            await events.add(self.connection, event)
        await self._note_that_it_happened()
        if self._touched:
            return await changes.bump(self.connection, self._touched, self.id)
        return await changes.newest_that_lasts(self.connection) if self._settles else None

    def _event(self, workspace_id: str, kind: EventType, object_id: str, data: Mapping[str, Any], actor: Actor, mode: Mode) -> Event:
        what: dict[str, Any] = {"type": kind.name, "object_type": kind.name.split(".")[0], "object_id": object_id, "data": data}
        return Event(id=new_id(), workspace_id=workspace_id, actor=actor, mode=mode, created_at=self.now, **what)

    async def _note_that_it_happened(self) -> None:
        """Where an idempotency key lets the call happen once, have a retry told so, whatever becomes of the answer (CONSISTENCY §5)."""
        call = CURRENT.get()
        if call is None or call.claim is None or not self._events:
            return
        made = [{"object": event.object_type, "id": event.object_id} for event in self._events[:MADE_MAX]]
        claim = call.claim
        happened = Replay(claim.fingerprint, claim.request_id, None, None, Lost.ANSWER, made)
        if not await replays.save(self.connection, claim, happened, self.now):
            told = "Another call with this idempotency key was faster; nothing has changed here."
            raise IDEMPOTENCY_KEY_IN_USE(told, headers={"Retry-After": "1"})


@asynccontextmanager
async def change(desk: Desk, actor: Principal) -> AsyncIterator[Change]:
    """Make one change as `actor`. Leaving the block commits it and returns when it holds everywhere; an exception leaves nothing.

    Raises Refused `change_inside_transaction` in a call whose host transaction is open: it would wait for a lock that the call holds;
    `outcome_unknown` where nobody can tell whether it was committed.
    """
    call = CURRENT.get()
    if call is not None and call.sessions is not None:
        raise CHANGE_INSIDE_TRANSACTION("A change of Keyrack's own things was made inside rack.transaction.")
    current: Change | None = None
    revision: int | None = None
    trust = desk.store.trust
    with desk.trace("change") as told:
        try:
            waited_seconds = call.waited_seconds if call is not None else 0.0
            async with AsyncExitStack() as last, desk.store.changing(actor.workspace.id, waited_seconds) as connection:
                current = Change(desk, actor, connection)
                yield current  # act
                await last.enter_async_context(desk.store.revising)  # until the commit
                revision = await current.finish()  # events, then the revision
        except Refused as refused:
            if refused.refusal is not OUTCOME_UNKNOWN or current is None or revision is None or not current.is_known_by_its_id:
                await _settle_what_is_gone(desk, refused, trust)
                raise
            await _find_out(desk, actor, current.id, refused)
        told["keyrack.change.events"] = kinds = current.kinds if current is not None else []
        if kinds:
            bells.ring()
        if revision is not None:  # committed
            told["keyrack.change.revision"] = revision
            await settled(desk, revision)


async def _find_out(desk: Desk, actor: Principal, change_id: str, unknown: Refused) -> None:
    """Return where a change was committed whose commit got no answer. Raises Refused: nothing has changed, or nobody can tell."""
    ends_at = monotonic() + FIND_OUT_SECONDS_MAX
    # The server that went away may be another one now: what is open leads to the old one.
    desk.store.distrust()
    while monotonic() < ends_at:
        try:
            async with desk.store.changing(actor.workspace.id) as connection:
                committed = await changes.committed(connection, change_id)
        except Refused:
            await asyncio.sleep(FIND_OUT_PAUSE_SECONDS)
            continue
        if committed:
            return
        raise STORE_UNAVAILABLE("The store went away before the change was committed: nothing has changed.", headers={"Retry-After": "1"})
    raise unknown


async def _settle_what_is_gone(desk: Desk, refused: Refused, trust: int) -> None:
    """Before the answer that something is not there (any more), wait as the change that removed it does: it may be a moment old.

    Nor is it given where the server that said so may have been replaced meanwhile: what is new may be on the other one alone.
    """
    if refused.refusal in (NOT_FOUND, CONFLICT):
        async with desk.store.reading() as connection:
            revision = await changes.newest(connection)
        await settled(desk, revision)
        await desk.feed.begin_again()
        if desk.store.trust != trust:
            raise STORE_UNAVAILABLE("The store went away before this was looked up: nothing has changed.", headers={"Retry-After": "1"})


async def settled(desk: Desk, revision: int) -> None:
    """Return when nobody can believe what held before a revision. A caller who goes away does not stop the wait."""
    began = monotonic()
    await asyncio.shield(asyncio.create_task(desk.feed.settle(revision)))
    desk.tally.change_waits.observe(monotonic() - began)
