"""How endpoints fare, for org-level Admins who look at them: deliveries by the hour, how long attempts take, what fails and since when."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from keyrack.manage.desk import Desk
from keyrack.model.call_counts import Durations
from keyrack.model.endpoints import Endpoint
from keyrack.model.principals import Principal
from keyrack.store import delivery_figures as rows
from keyrack.store import endpoints as endpoint_rows
from keyrack.store.delivery_figures import Answer, Backlog, HourCount

__all__ = ["Answer", "Backlog", "HourCount", "Series", "Trouble", "hours", "last_answers", "receivers", "series", "trouble", "waiting"]


class Series(NamedTuple):
    """What an endpoint got in a time: deliveries by hour and state, and how long attempts took, by hour."""

    hours: Sequence[HourCount]
    durations: Mapping[int, Durations]


class Trouble(NamedTuple):
    """Why an endpoint fails: what came of the last attempt, and what it has not got."""

    answer: Answer | None
    backlog: Backlog


async def hours(desk: Desk, actor: Principal, endpoint_ids: Collection[str], since: int) -> list[HourCount]:
    """Return the deliveries of endpoints that were made since a time (ms), counted by hour and state. Raises Refused 403."""
    _require_admin(actor)
    async with desk.store.reading_traffic() as c:
        return await rows.by_hour(c, actor.workspace.id, endpoint_ids, since)


async def series(desk: Desk, actor: Principal, endpoint_id: str, since: int) -> Series:
    """Return what an endpoint got since a time (ms). Raises Refused 403."""
    _require_admin(actor)
    async with desk.store.reading_traffic() as c:
        counted = await rows.by_hour(c, actor.workspace.id, [endpoint_id], since)
        return Series(counted, await rows.durations(c, actor.workspace.id, endpoint_id, since))


async def last_answers(desk: Desk, actor: Principal, delivery_ids: Collection[str]) -> Mapping[str, Answer]:
    """Return what the last attempt of each of these deliveries came to. Raises Refused 403."""
    _require_admin(actor)
    async with desk.store.reading_traffic() as c:
        return await rows.last_answers(c, actor.workspace.id, delivery_ids)


async def trouble(desk: Desk, actor: Principal, endpoint_id: str, since: int) -> Trouble:
    """Return why an endpoint fails, and what it has not got since a time (ms). Raises Refused 403."""
    _require_admin(actor)
    async with desk.store.reading_traffic() as c:
        answer = await rows.last_answer(c, actor.workspace.id, endpoint_id)
        return Trouble(answer, await rows.backlog(c, actor.workspace.id, endpoint_id, since))


async def waiting(desk: Desk, actor: Principal, endpoint_id: str | None = None) -> int:
    """Return how many deliveries wait, or are held: to one endpoint, or to all of the workspace. Raises Refused 403."""
    _require_admin(actor)
    if endpoint_id is None:
        async with desk.store.reading() as c:
            of_workspace = [endpoint.id for endpoint in await endpoint_rows.of_workspace(c, actor.workspace.id)]
    async with desk.store.reading_traffic() as c:
        return await rows.waiting(c, actor.workspace.id, of_workspace if endpoint_id is None else [endpoint_id])


async def receivers(desk: Desk, actor: Principal, endpoint_ids: Collection[str]) -> Mapping[str, Endpoint]:
    """Return the endpoints that deliveries speak of, by their ids, also those that were deleted since. Raises Refused 403."""
    _require_admin(actor)
    async with desk.store.reading() as c:
        return await endpoint_rows.named(c, actor.workspace.id, endpoint_ids)


def _require_admin(actor: Principal) -> None:
    actor.require_admin("see how endpoints fare")
