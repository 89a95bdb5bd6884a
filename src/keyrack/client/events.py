"""Events: what happened in the workspace, and who did it."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

import msgspec

from keyrack.client.objects import Object, got, listed
from keyrack.client.operations import Listing, Operation, Page, Part, S
from keyrack.client.requests import Request
from keyrack.client.send import AsyncSender, SyncSender

WAIT_SECONDS = 20
"""How long the server keeps a call waiting for the next event; the timeout of an attempt has to be longer."""


class Actor(msgspec.Struct, frozen=True):
    """Who made a change, under the name of that moment."""

    kind: str
    id: str
    name: str
    integration_id: str | None
    member_id: str | None


class Sent(msgspec.Struct, frozen=True):
    """Where an event was sent, or why not: `state` and `why` are those of the delivery."""

    delivery_id: str
    endpoint_id: str
    state: str
    why: str | None


class Event(Object, frozen=True, kw_only=True):
    """A change that somebody made, and where it was sent of the endpoints that the caller manages."""

    id: str
    type: str
    object_type: str
    object_id: str
    actor: Actor
    mode: str
    request_id: str | None
    data: dict[str, Any]
    created_at: datetime
    deliveries: list[Sent]


class Following(Part[S]):
    """Events as they come, without an end: `for event in client.events.follow()`, or `async for`.

    `after` is the id of the last one that was yielded: whoever goes on there, also in another program, meets each event once.
    """

    def __init__(self, sender: S, after: str | None, filters: dict[str, Any]) -> None:
        super().__init__(sender)
        self.after = after
        self._filters = filters
        self._from_now_on = after is None

    def __iter__(self: "Following[SyncSender]") -> Iterator[Event]:
        if not isinstance(self._sender, SyncSender):
            raise TypeError("these events are of an AsyncClient: async for")
        while True:
            for event in self._new(self._sender.run(self._next())):
                self.after = event.id
                yield event

    async def __aiter__(self: "Following[AsyncSender]") -> AsyncIterator[Event]:
        if not isinstance(self._sender, AsyncSender):
            raise TypeError("these events are of a Client: for, without async")
        while True:
            for event in self._new(await self._sender.run(self._next())):
                self.after = event.id
                yield event

    def _next(self) -> Request[Page[Event]]:
        if self._from_now_on:
            return listed(Event, "events", limit=1)
        return listed(Event, "events", **self._filters, sort="created_at", limit=100, starting_after=self.after, wait_seconds=WAIT_SECONDS)

    def _new(self, page: Page[Event]) -> list[Event]:
        """Return what is to be yielded of a page: nothing of the first one, which only says where it begins."""
        if not self._from_now_on:
            return page.data
        self._from_now_on = False
        self.after = page.data[0].id if page.data else None
        return []


class Events(Part[S]):
    """Events. `list(sort="created_at", starting_after=last_id)`, again and again, meets each one once."""

    def list(self, **filters: Any) -> Listing[S, Event]:
        """List events: `type`, `object_type`, `object_id`, `actor_id`, `sort`, `limit`, `cursor`, `starting_after`, `wait_seconds`."""
        return Listing(self._sender, listed(Event, "events", **filters))

    @Operation
    def get(self, event_id: str) -> Request[Event]:
        """Get an event."""
        return got(Event, "events", event_id)

    def follow(self, *, after: str | None = None, **filters: Any) -> Following[S]:
        """Return the events behind the one with the id `after`, or from now on, and each new one when it comes.

        The filters are `type`, `object_type`, `object_id`, `actor_id`. A call that fails for good raises KeyrackError out of the loop.
        """
        return Following(self._sender, after, filters)
