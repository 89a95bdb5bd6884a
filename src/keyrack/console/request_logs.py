"""API Logs: what was called, why it was refused, how much and how fast; live, and as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console import exports
from keyrack.console.charts import RANGES, SLOW_US, Chart, took
from keyrack.console.curls import BODY_METHODS, curl
from keyrack.console.log_queries import FILTERS, METHODS, STATUSES, chosen_mode, chosen_range, read, tone
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.standings import notices
from keyrack.gate.refusal_pages import with_code
from keyrack.manage import grants, integrations, keys, request_logs
from keyrack.model.call_counts import Subject
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import INVALID_REQUEST, RATE_LIMITED, Refused
from keyrack.model.request_logs import Filter, RequestLog
from keyrack.model.times import iso

LINES = 50
"""Lines on a page; a page that is live holds no more either."""
KEYS_MAX = 100
"""How many keys the page offers to choose from; the logs of any other are reached from the list of keys."""
TAIL_BACK_MS = 600_000
"""What stands in a path as it is (RFC 3986 §3.3)."""


class Step(NamedTuple):
    """A page where a refusal can be mended: its path below the console, and what its link says."""

    path: str
    text: str


class RequestLogPages:
    """The pages about the request log. Org-level Admins see all lines, everybody else those of their own calls."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._exports = 0

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/logs", self.show, methods=["GET"]),
            Route("/console/logs/tail", self.tail, methods=["GET"]),
            Route("/console/logs/export", self.offer_export, methods=["GET"]),
            Route("/console/logs/download", self.export, methods=["GET"]),
            Route("/console/logs/{request_id}", self.details, methods=["GET"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list, beside those of keys and integrations."""
        return [Entry("keys", "/logs", "API Logs", "activity", tab="API Logs", group=self._pages.brand.navigation[0])]

    async def show(self, request: Request) -> Response:
        """Show calls, newest first unless the address says otherwise, and charts of them. Raises Refused `session_ended`, 400."""
        member = await self._pages.member(request)
        query = self._pages.query(request, member, *FILTERS)
        asked, now = query.filters, self._pages.desk.now()
        found = await request_logs.page(self._pages.desk, member, read(asked, now), limit=LINES, after=query.place, order=query.order)
        return self._pages.render(
            request,
            "request_logs/list.html",
            listing=query.continued(found.lines, found.after),
            searched_to=found.searched_to,
            chart=await self._chart(member, asked, now),
            chosen=chosen_range(asked),
            keys=await self._keys(member, asked["key"]),
            integration=await self._integration(member, asked["integration"]),
            app=await self._app(member, asked["app"]),
            query=_address(asked),
            curl=curl(self._outside(request), self._placeholder),
            methods=METHODS,
            statuses=STATUSES,
            ranges=RANGES,
            **self._words,
            **await notices(self._pages.desk, member),
        )

    async def tail(self, request: Request) -> Response:
        """Show the newest calls since a time: what a page that is live asks for again and again. Raises Refused `session_ended`, 400."""
        member = await self._pages.member(request)
        asked = self._pages.query(request, member, *FILTERS).filters
        now = self._pages.desk.now()
        since = request.query_params.get("since", "")
        began = int(since) if since.isdecimal() and len(since) < 16 else now
        wanted = replace(read(asked, now), since=max(began, now - TAIL_BACK_MS))
        found = await request_logs.page(self._pages.desk, member, wanted, limit=LINES)
        return self._pages.render(request, "request_logs/tail.html", lines=found.lines, query=_address(asked), **self._words)

    async def details(self, request: Request) -> Response:
        """Show one call: why it was refused, what to do, and how to send it again. Raises Refused `session_ended`, 404."""
        member = await self._pages.member(request)
        desk, spool = self._pages.desk, self._pages.spool
        line = await request_logs.get(desk, spool, member, request.path_params["request_id"])
        outside = self._outside(request)
        return self._pages.render(
            request,
            "request_logs/details.html",
            line=line,
            refusal=self._pages.refusals.get(line.code or ""),
            mending=self._mending(member, line),
            doc_url=f"{outside}/docs/errors/{line.code}",
            curl=curl(outside, self._placeholder, line.method, line.path),
            sends_body=line.method in BODY_METHODS,
            **self._words,
        )

    async def offer_export(self, request: Request) -> Response:
        """Show the form that makes a file of the lines that were asked for. Raises Refused `session_ended`, 400."""
        member = await self._pages.member(request)
        asked = self._pages.query(request, member, *FILTERS).filters
        wanted = read(asked, self._pages.desk.now())
        return self._pages.render(
            request,
            "request_logs/export.html",
            asked={name: value for name, value in asked.items() if value},
            wanted=wanted,
            chosen=chosen_range(asked),
            lines_max=exports.LINES_MAX,
            query=_address(asked),
        )

    async def export(self, request: Request) -> Response:
        """Send a file of the lines that were asked for, at most LINES_MAX. Raises Refused `session_ended`, 400, 429."""
        member = await self._pages.member(request)
        asked = self._pages.query(request, member, *FILTERS).filters
        kind = request.query_params.get("format", "")
        if kind not in exports.TYPES:
            raise INVALID_REQUEST("Choose CSV or JSONL.", param="format")
        if self._exports >= exports.EXPORTS_AT_ONCE_MAX:
            raise RATE_LIMITED("Others are making files of the log. Try again in a minute.", headers={"Retry-After": "60"})
        now = self._pages.desk.now()
        part = exports.stream(kind, self._batches(request, member, read(asked, now)))
        name = f"api-logs-{iso(now)[:10]}.{kind}"
        return exports.Download(part, media_type=exports.TYPES[kind], headers={"Content-Disposition": f'attachment; filename="{name}"'})

    async def _batches(self, request: Request, member: Principal, wanted: Filter) -> AsyncIterator[Sequence[RequestLog]]:
        """Yield the lines of a file for as long as its reader is signed in. Raises Refused `session_ended`."""
        self._exports += 1
        try:
            after, left = None, exports.LINES_MAX
            while left > 0:
                limit = min(exports.LINES_AT_ONCE, left)
                found = await request_logs.page(self._pages.desk, member, wanted, limit=limit, after=after)
                yield found.lines
                after, left = found.after, left - len(found.lines)
                if after is None:
                    break
                member = await self._pages.member(request)
        finally:
            self._exports -= 1

    async def _chart(self, member: Principal, asked: Mapping[str, str], now: int) -> Chart:
        chosen = chosen_range(asked)
        since, until = chosen.bounds(now)
        named = {"credential": asked["key"], "integration": asked["integration"], "app": asked["app"]}
        subject = next((Subject(kind, value) for kind, value in named.items() if value), Subject())
        counted = await request_logs.series_and_whole(
            self._pages.desk, member, subject, since=since, until=until, step_ms=chosen.step_ms, mode=chosen_mode(asked)
        )
        return Chart(chosen, *counted)

    async def _keys(self, member: Principal, chosen: str) -> list[tuple[str, str]]:
        """Return what the filter of keys offers: the newest, and the one that was chosen, whatever it is."""
        if not member.is_admin:
            return []
        newest = await keys.page(self._pages.desk, member, limit=KEYS_MAX)
        offered = [(one.key.id, f"{one.key.name} ({one.key.prefix}…)") for one in newest]
        if chosen and chosen not in dict(offered):
            try:
                key = (await keys.get(self._pages.desk, member, chosen)).key
                offered.append((chosen, f"{key.name} ({key.prefix}…)"))
            except Refused:
                offered.append((chosen, "The chosen credential"))
        return offered

    async def _integration(self, member: Principal, chosen: str) -> str:
        """Return what the integration is called whose calls alone are shown; empty where that is none."""
        if not chosen or not member.is_admin:
            return ""
        try:
            return (await integrations.get(self._pages.desk, member, chosen)).name
        except Refused:
            return "The chosen integration"

    async def _app(self, member: Principal, chosen: str) -> str:
        """Return what the app is called whose calls alone are shown; empty where that is none."""
        if not chosen or not member.is_admin:
            return ""
        try:
            return (await grants.installed(self._pages.desk, member, chosen)).app.name
        except Refused:
            return "The chosen app"

    def _mending(self, member: Principal, line: RequestLog) -> Step | None:
        """Return where a member who may do so mends what a call was refused for."""
        if not member.is_admin or line.credential_kind is not Kind.KEY:
            return None
        has_keys = "keys" in self._pages.brand.lists
        match line.code:
            case "insufficient_permission" if has_keys and self._pages.brand.edits_levels:
                return Step(f"/keys/{line.credential_id}/edit", "Change its permissions")
            case "insufficient_permission" | "key_revoked" | "key_expired" | "key_disabled" if not has_keys:
                return Step(f"/integrations/{line.integration_id}", "Open the integration")
            case "key_revoked" | "key_expired":
                return Step("/keys/new", "Create a new key")
            case "key_disabled":
                return Step("/keys", "Enable it in the list of keys")
            case "api_disabled":
                return Step("/api", "Switch the API on")
        return None

    def _outside(self, request: Request) -> str:
        return self._pages.addresses.outside(request)

    @property
    def _placeholder(self) -> str:
        return f"{self._pages.brand.key_prefix}_REPLACE_ME"

    @property
    def _words(self) -> dict[str, Any]:
        return {"took": took, "tone": tone, "slow_us": SLOW_US, "with_code": with_code}


def _address(asked: Mapping[str, str]) -> str:
    """The filters as an address has them."""
    return urlencode({name: value for name, value in asked.items() if value})
