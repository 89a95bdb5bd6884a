"""Events, for whoever reads what happened: the activity feed, the audit."""

from keyrack.manage.desk import Desk
from keyrack.model.events import Event
from keyrack.model.permissions import FULL_WRITE
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION
from keyrack.store import events as rows


async def get(desk: Desk, actor: Principal, event_id: str) -> Event:
    """Return an event. Raises Refused 403 without write in every category, 404."""
    _require_full_write(actor)
    await _number(desk)
    async with desk.store.reading() as c:
        return await rows.get(c, actor.workspace.id, event_id)


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
) -> list[Event]:
    """Return events: newest first below the position `before`, or oldest first above the position `after`.

    `kind` is an event type, or ends in `.*` for all that begin so. An event is there as soon as its change was answered, and none gets a
    place below one that was read, however late it is committed. Raises Refused 403 without write in every category.
    """
    _require_full_write(actor)
    await _number(desk)
    within = {"kind": kind, "object_type": object_type, "object_id": object_id, "actor_id": actor_id}
    async with desk.store.reading() as c:
        return await rows.page(c, actor.workspace.id, limit=limit, before=before, after=after, **within)


def _require_full_write(actor: Principal) -> None:
    if not actor.masks.allow(FULL_WRITE):
        raise INSUFFICIENT_PERMISSION(f"To read events, you need {FULL_WRITE.text}; {actor.describe()}.")


async def _number(desk: Desk) -> None:
    """Give every event that was committed by now its place."""
    async with desk.store.reading() as c:
        waiting = await rows.waiting(c)
    while waiting:
        async with desk.store.changing() as c:
            waiting = await rows.number(c) == rows.NUMBERED_MAX
