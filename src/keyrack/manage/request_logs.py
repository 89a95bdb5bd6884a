"""The request log, for whoever may read it: org-level Admins all lines of their workspace, everybody else those of their own calls."""

from dataclasses import replace
from typing import Any

from keyrack.manage.desk import Desk
from keyrack.model.principals import Principal
from keyrack.model.refusals import NOT_FOUND
from keyrack.model.request_logs import Filter, Found, RequestLog
from keyrack.store import request_logs as rows
from keyrack.store.paging import Place
from keyrack.store.spool import Spool


async def page(desk: Desk, actor: Principal, wanted: Filter, *, limit: int, after: Place | None = None) -> Found:
    """Return a page of lines, newest first. Without `since` it looks at the 24 hours before now, or before `until`."""
    own = _own(actor)
    if any(getattr(wanted, name) not in (None, value) for name, value in own.items()):
        return Found(())
    bounded = replace(wanted, **own)
    async with desk.store.reading_traffic() as c:
        return await rows.search(c, actor.workspace.id, bounded, now=desk.now(), limit=limit, after=after)


async def get(desk: Desk, spool: Spool, actor: Principal, request_id: str) -> RequestLog:
    """Return the line of a call, also one that still lies in the spool of this machine. Raises Refused 404."""
    line = await rows.find(desk.store, spool, actor.workspace.id, request_id)
    if any(getattr(line, name) != value for name, value in _own(actor).items()):
        raise NOT_FOUND("There is no such line in the request log.")
    return line


def _own(actor: Principal) -> dict[str, Any]:
    """What every line has that the actor may read: an owner's calls are its own, with whichever of its credentials."""
    if actor.is_admin:
        return {}
    owner = {"integration_id": actor.integration_id, "member_id": actor.member_id}
    own = {name: value for name, value in owner.items() if value is not None}
    return own or {"credential_id": actor.credential_id}
