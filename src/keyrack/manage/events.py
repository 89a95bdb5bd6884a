"""Events, for whoever reads what happened: the activity feed, the audit, programs that keep a copy."""

from keyrack.manage.desk import Desk
from keyrack.model.events import Event, readable
from keyrack.model.principals import Principal
from keyrack.model.refusals import NOT_FOUND
from keyrack.store import events as rows


async def get(desk: Desk, actor: Principal, event_id: str) -> Event:
    """Return an event that the actor may read. Raises Refused 404."""
    await number(desk)
    async with desk.store.reading() as c:
        event = await rows.get(c, actor.workspace.id, event_id)
    if not readable(desk.event_types, desk.categories, actor.masks).holds(event):
        raise NOT_FOUND("There is no such event.")
    return event


async def position(desk: Desk, actor: Principal, event_id: str) -> int:
    """Return the place of an event in the order, also of one that the actor may not read (any more): a place tells nothing of it.

    Raises Refused 404.
    """
    await number(desk)
    async with desk.store.reading() as c:
        return await rows.position(c, actor.workspace.id, event_id)


async def page(
    desk: Desk,
    actor: Principal,
    *,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    kind: str | None = None,
    object_type: str | None = None,
    object_id: str | None = None,
    actor_id: str | None = None,
    numbered: bool = False,
) -> list[Event]:
    """Return events that the actor may read: newest first below the position `before`, or oldest first above the position `after`.

    `kind` is an event type, or ends in `.*` for all that begin so. An event is there as soon as its change was answered, and none gets a
    place below one that was read, however late it is committed. `numbered`: who asks has seen to it that every event has its place.
    """
    if not numbered:
        await number(desk)
    within = {"kind": kind, "object_type": object_type, "object_id": object_id, "actor_id": actor_id}
    of = readable(desk.event_types, desk.categories, actor.masks)
    async with desk.store.reading() as c:
        return await rows.page(c, actor.workspace.id, limit=limit, before=before, after=after, of=of, **within)


async def arrived(desk: Desk, after: int | None) -> tuple[int, frozenset[str]]:
    """Return the newest position of all events, and which workspaces have some above the position `after`; None asks for none of them."""
    await number(desk)
    async with desk.store.reading() as c:
        return await rows.arrived(c, after)


async def number(desk: Desk) -> int | None:
    """Give every event that was committed by now its place. Returns the last one where none was without; None: there are new ones."""
    async with desk.store.reading() as c:
        newest = await rows.newest_of_all(c)
    waiting = newest is None
    while waiting:
        async with desk.store.changing() as c:
            waiting = await rows.number(c) == rows.NUMBERED_MAX
    return newest
