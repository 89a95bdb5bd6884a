"""Events, for whoever reads what happened: the activity feed, the audit."""

from keyrack.manage.desk import Desk
from keyrack.model.events import Event
from keyrack.model.permissions import FULL_WRITE
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION
from keyrack.store import events as rows


async def page(
    desk: Desk,
    actor: Principal,
    *,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    kind: str | None = None,
    object_id: str | None = None,
    actor_id: str | None = None,
) -> list[Event]:
    """Return events: newest first below the position `before`, or oldest first above the position `after`.

    An event is there as soon as its change was answered. Raises Refused 403 without write in every category.
    """
    if not actor.masks.allow(FULL_WRITE):
        raise INSUFFICIENT_PERMISSION(f"To read events, you need {FULL_WRITE.text}; {actor.describe()}.")
    await _number(desk)
    async with desk.store.reading() as c:
        return await rows.page(
            c, actor.workspace.id, limit=limit, before=before, after=after, kind=kind, object_id=object_id, actor_id=actor_id
        )


async def _number(desk: Desk) -> None:
    """Give every event that was committed by now its place."""
    async with desk.store.reading() as c:
        waiting = await rows.waiting(c)
    while waiting:
        async with desk.store.changing() as c:
            waiting = await rows.number(c) == rows.NUMBERED_MAX
