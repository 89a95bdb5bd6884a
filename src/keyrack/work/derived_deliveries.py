"""What follows from events for endpoints: a delivery for each that wants it, and a line that says why where it gets nothing."""

from collections import defaultdict
from collections.abc import Sequence

from keyrack.feed.recipients import Recipients
from keyrack.manage.desk import Desk
from keyrack.manage.endpoints import ENDPOINT_CREATED
from keyrack.model.deliveries import Delivery, State
from keyrack.model.events import Event
from keyrack.model.recipients import Recipient
from keyrack.store import delivery_lanes, recipients
from keyrack.store.database import Connection
from keyrack.store.ids import new_id
from keyrack.work.event_readers import came_before


class DerivedDeliveries:
    """Derives deliveries. Those of a disabled endpoint are skipped, and are there: whoever enables it again can have them sent."""

    name = "deliveries"

    def __init__(self, desk: Desk, known: Recipients) -> None:
        self._desk = desk
        self._known = known

    async def derive(self, events: Sequence[Event]) -> Sequence[Delivery]:
        """Return the deliveries of events, in their order."""
        async with self._desk.store.reading() as c:
            found = await recipients.of_workspaces(c, {event.workspace_id for event in events})
            by_workspace: dict[str, list[Recipient]] = defaultdict(list)
            for one in found:
                by_workspace[one.workspace.id].append(self._known.compiled(one))
            told = [
                (event, recipient)
                for event in events
                for recipient in by_workspace[event.workspace_id]
                if recipient.hears_of(event) and not await came_before(c, event, recipient.endpoint, ENDPOINT_CREATED)
            ]
        return [self._delivery(event, recipient) for event, recipient in told]

    async def add(self, c: Connection, derived: Sequence[Delivery]) -> None:
        """Add them."""
        await delivery_lanes.add(c, derived)

    def _delivery(self, event: Event, recipient: Recipient) -> Delivery:
        now = self._desk.now()
        state, why = recipient.verdict(event, self._desk.event_types, self._desk.categories)
        return Delivery(
            id=new_id(),
            workspace_id=event.workspace_id,
            endpoint_id=recipient.endpoint.id,
            event_id=event.id,
            event_type=event.type,
            position=event.position or 0,
            mode=event.mode,
            state=state,
            created_at=now,
            updated_at=now,
            why=why,
            due_at=now if state is State.PENDING else None,
        )
