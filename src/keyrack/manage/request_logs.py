"""The request log, for whoever may read it: org-level Admins all lines of their workspace, everybody else those of their own calls."""

from dataclasses import replace
from typing import Any

from keyrack.manage.desk import Desk
from keyrack.model.call_counts import BUCKETS_MAX, MINUTE_MS, Bucket, Subject, buckets, whole
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.refusals import NOT_FOUND
from keyrack.model.request_logs import Filter, Found, RequestLog
from keyrack.store import call_counts
from keyrack.store import request_logs as rows
from keyrack.store.spool import Spool

HOUR_MS = 60 * MINUTE_MS


async def page(desk: Desk, actor: Principal, wanted: Filter, *, limit: int, after: Place | None = None, order: Order = NEWEST) -> Found:
    """Return a page of lines, by `created_at` either way. Without `since` it looks at the 24 hours before now, or before `until`."""
    own = _own(actor)
    if any(getattr(wanted, name) not in (None, value) for name, value in own.items()):
        return Found(())
    bounded = replace(wanted, **own)
    async with desk.store.reading_traffic() as c:
        return await rows.search(c, actor.workspace.id, bounded, now=desk.now(), limit=limit, after=after, order=order)


async def get(desk: Desk, spool: Spool, actor: Principal, request_id: str) -> RequestLog:
    """Return the line of a call, also one that still lies in the spool of this machine. Raises Refused 404."""
    line = await rows.find(desk.store, spool, actor.workspace.id, request_id)
    if any(getattr(line, name) != value for name, value in _own(actor).items()):
        raise NOT_FOUND("There is no such line in the request log.")
    return line


async def series(
    desk: Desk, actor: Principal, subject: Subject, *, since: int, until: int, step_ms: int, mode: Mode | None = None
) -> list[Bucket]:
    """Return how many calls there were from `since` to before `until` (ms), in buckets of a step, oldest first: as fresh as the log.

    Times and step count whole minutes: `since` is taken down to its minute. Whoever is no org-level Admin sees its own calls alone. Raises
    ValueError for a step below a minute, or for more than BUCKETS_MAX buckets.
    """
    return (await series_and_whole(desk, actor, subject, since=since, until=until, step_ms=step_ms, mode=mode))[0]


async def series_and_whole(
    desk: Desk, actor: Principal, subject: Subject, *, since: int, until: int, step_ms: int, mode: Mode | None = None
) -> tuple[list[Bucket], Bucket]:
    """Return what `series` returns, and all of it as one bucket: quantiles of parts do not add up to the whole's."""
    since -= since % MINUTE_MS
    if step_ms < MINUTE_MS or step_ms % MINUTE_MS or until - since > BUCKETS_MAX * step_ms:
        raise ValueError(f"a step is one or more whole minutes, and a chart has at most {BUCKETS_MAX} of them")
    own = _own_subject(actor)
    if own is not None and subject not in (Subject(), own, Subject("credential", actor.credential_id)):
        return buckets({}, since, until, step_ms), Bucket(since)
    wanted = own if own is not None and subject == Subject() else subject
    async with desk.store.reading_traffic() as c:
        last = (until - 1) // MINUTE_MS
        counts = await call_counts.by_step(c, actor.workspace.id, wanted, mode, since // MINUTE_MS, last, step_ms // MINUTE_MS)
    return buckets(counts, since, until, step_ms), whole(counts, since)


async def calls_last_hour(desk: Desk, actor: Principal, subject: Subject) -> int:
    """Return how many calls of a subject the last hour saw, this moment included."""
    until = desk.now() + 1
    return sum(bucket.calls for bucket in await series(desk, actor, subject, since=until - HOUR_MS, until=until, step_ms=HOUR_MS))


def _own_subject(actor: Principal) -> Subject | None:
    """Whose calls the actor may see counted, or None: everybody's."""
    return next((Subject(name.removesuffix("_id"), value) for name, value in _own(actor).items()), None)


def _own(actor: Principal) -> dict[str, Any]:
    """What every line has that the actor may read: an owner's calls are its own, with whichever of its credentials."""
    if actor.is_admin:
        return {}
    if actor.kind in (Kind.PERSONAL_TOKEN, Kind.ACCESS_TOKEN):
        # Tokens of one member may do unlike things: a narrow one learns nothing of what the others call.
        return {"credential_id": actor.credential_id}
    owner = {"integration_id": actor.integration_id, "member_id": actor.member_id}
    own = {name: value for name, value in owner.items() if value is not None}
    return own or {"credential_id": actor.credential_id}
