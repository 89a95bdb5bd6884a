"""Events: what happened in the workspace, and who did it."""

from datetime import datetime
from typing import Any

import msgspec

from keyrack.client.objects import Object, listed
from keyrack.client.operations import Listing, Part, S


class Actor(msgspec.Struct, frozen=True):
    """Who made a change, under the name of that moment."""

    kind: str
    id: str
    name: str
    integration_id: str | None
    member_id: str | None


class Event(Object, frozen=True, kw_only=True):
    """A change that somebody made."""

    id: str
    type: str
    object_type: str
    object_id: str
    actor: Actor
    mode: str
    request_id: str | None
    data: dict[str, Any]
    created_at: datetime


class Events(Part[S]):
    """Events. `list(sort="created_at", starting_after=last_id)`, again and again, meets each one once."""

    def list(self, **filters: Any) -> Listing[S, Event]:
        """List events: `type`, `object_type`, `object_id`, `actor_id`, `sort`, `limit`, `cursor`, `starting_after`."""
        return Listing(self._sender, listed(Event, "events", **filters))
