"""The request log over HTTP."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, StringConstraints, WithJsonSchema

from keyrack.api.dependencies import ANYBODY, PLAIN, Actor, Desk, TheAssembly
from keyrack.api.examples import LOG
from keyrack.api.fields import Id, ObjectView, PathId, Search, Time, TimeGiven
from keyrack.api.lists import ListQuery, Page, TheLists
from keyrack.manage import request_logs
from keyrack.model.orders import Place
from keyrack.model.principals import Kind, Mode
from keyrack.model.request_logs import Filter, RequestLog, status_range

router = APIRouter(prefix="/logs")


def _status(text: str) -> str:
    status_range(text)
    return text.lower()


class LogQuery(ListQuery):
    """The filters of the request log. Without `since` it begins 24 hours before `until`, or before now.

    Calls stand at the time at which they began, and are there once they have ended: oldest first is for a time that is over, and a program
    that follows what happens reads the events.

    `path` that begins with a slash names whole segments; any other text may stand anywhere in path or route. `status` is one like 404, or
    a class like 4xx.
    """

    path: Search | None = None
    method: Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{1,20}$")] | None = None
    status: Annotated[str, AfterValidator(_status), WithJsonSchema({"type": "string", "pattern": "^[1-5]([0-9]{2}|[xX]{2})$"})] | None = (
        None
    )
    credential_id: Id | None = None
    app_id: Id | None = None
    mode: Mode | None = None
    since: TimeGiven | None = None
    until: TimeGiven | None = None
    sort: Literal["created_at", "-created_at"] = "-created_at"


class LogView(ObjectView):
    """One call. `reason` is the refusal in words."""

    EXAMPLE: ClassVar = LOG

    object: Literal["log"] = "log"
    request_id: str
    path: str
    route: str | None
    method: str
    status: int
    code: str | None
    reason: str | None
    credential_kind: Kind | None
    credential_id: str | None
    credential_name: str | None
    integration_id: str | None
    member_id: str | None
    app_id: str | None
    grant_id: str | None
    mode: Mode | None
    ip_address: str | None
    user_agent: str | None
    duration_ms: float
    created_at: Time


class LogPage(Page[LogView]):
    """A page of the log. Where the search stopped before the page was full, `searched_back_to`, or oldest first `searched_up_to`, is set:
    continue with the cursor.
    """

    searched_back_to: Time | None = None
    searched_up_to: Time | None = None


@router.get("", dependencies=[ANYBODY])
async def list_logs(query: Annotated[LogQuery, Query()], actor: Actor, desk: Desk, assembly: TheAssembly, lists: TheLists) -> LogPage:
    """List calls, newest first unless `sort` says otherwise: the caller's own; for an org-level Admin all of the workspace."""
    wanted = query.filters()
    wanted["status"] = status_range(query.status) if query.status else None
    after = await lists.after(query, partial(request_logs.get, desk, assembly.spool, actor), _place)
    found = await request_logs.page(desk, actor, Filter(**wanted), limit=query.limit, after=after, order=query.order)
    page = lists.continued(query, [view(line) for line in found.lines], found.after)
    searched = "searched_back_to" if query.order.descending else "searched_up_to"
    return LogPage(**dict(page), **{searched: found.searched_to})


@router.get("/{request_id}", dependencies=[ANYBODY, PLAIN])
async def get_log(request_id: PathId, actor: Actor, desk: Desk, assembly: TheAssembly) -> LogView:
    """Get the line of one call, from the moment of its answer on."""
    return view(await request_logs.get(desk, assembly.spool, actor, request_id))


def _place(line: RequestLog) -> Place:
    return line.created_at, line.request_id


def view(line: RequestLog) -> LogView:
    """Return a line as it is on the wire."""
    shown = {name: getattr(line, name) for name in LogView.model_fields if name not in ("object", "id")}
    return LogView(id=line.request_id, **shown)
