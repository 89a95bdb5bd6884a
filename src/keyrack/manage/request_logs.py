"""The request log, for whoever may read it: org-level Admins all lines of their workspace, everybody else those of their own calls."""

from dataclasses import replace

from keyrack.manage.desk import Desk
from keyrack.model.principals import Principal
from keyrack.model.refusals import NOT_FOUND
from keyrack.model.request_logs import Filter, Found, RequestLog
from keyrack.store import request_logs as rows
from keyrack.store.paging import Place
from keyrack.store.spool import Spool


async def page(desk: Desk, actor: Principal, wanted: Filter, *, limit: int, after: Place | None = None) -> Found:
    """Return a page of lines, newest first. Without `since` it looks at the 24 hours before now, or before `until`."""
    own = _own(actor, wanted)
    if own is None:
        return Found(())
    async with desk.store.reading_traffic() as c:
        return await rows.search(c, actor.workspace.id, own, now=desk.now(), limit=limit, after=after)


async def get(desk: Desk, spool: Spool, actor: Principal, request_id: str) -> RequestLog:
    """Return the line of a call, also one that still lies in the spool of this machine. Raises Refused 404."""
    line = await rows.find(desk.store, spool, actor.workspace.id, request_id)
    theirs = (line.integration_id, line.member_id) == (actor.integration_id, actor.member_id) != (None, None)
    if not actor.is_admin and not theirs:
        raise NOT_FOUND("There is no such line in the request log.")
    return line


def _own(actor: Principal, wanted: Filter) -> Filter | None:
    """Bound a search to what the actor may read: an owner's calls, with whichever of its credentials. None: nothing is both."""
    if actor.is_admin:
        return wanted
    if actor.integration_id is None and actor.member_id is None:
        return None
    if wanted.integration_id not in (None, actor.integration_id) or wanted.member_id not in (None, actor.member_id):
        return None
    return replace(wanted, integration_id=actor.integration_id, member_id=actor.member_id)
