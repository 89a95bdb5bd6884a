"""The page of usage: what was used of the plan, live and test apart, and what the plan allows."""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import usage
from keyrack.model.limits import DAY_SECONDS, MONTH_SECONDS, Limit
from keyrack.model.usage import ModeUsage

_WINDOWS = {1: "a second", 60: "a minute", 3600: "an hour", DAY_SECONDS: "a day", MONTH_SECONDS: "a month"}
_EACH = {"workspace": "", "integration": ", for each integration", "key": ", for each key"}
_NEARLY = 0.8


class Bar(NamedTuple):
    """A quota as people see it: of a day or month, or, without a `window`, of what exists. `quota` None: there is no end of it."""

    title: str
    unit: str
    window: str | None
    used: int
    quota: int | None
    reset_at: int | None

    @property
    def tone(self) -> str:
        """How much is used: little, nearly all, or all."""
        if self.quota is None or self.used < self.quota * _NEARLY:
            return "good"
        return "warn" if self.used < self.quota else "bad"


class UsagePages:
    """The page about what the plan allows and what was used of it. Every member may see it."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The route."""
        return [Route("/console/usage", self.show, methods=["GET"])]

    @property
    def entries(self) -> Sequence[Entry]:
        """The page, beside the settings."""
        return [Entry("usage", "/usage", "Usage", "clock", group=self._pages.brand.navigation[0])]

    async def show(self, request: Request) -> Response:
        """Show what was used. Raises Refused `session_ended`, `store_unavailable`."""
        member = await self._pages.member(request)
        plan = self._pages.desk.plans.get(member.workspace.plan)
        used = await usage.of(self._pages.desk, member)
        return self._pages.render(
            request,
            "usage/show.html",
            plan=plan,
            modes=[(mode.value.title(), _bars(in_mode)) for mode, in_mode in used.items()],
            limit_words=limit_words,
        )


def limit_words(limit: Limit) -> str:
    """Say what a limit allows: `1,000 calls in a second, 5,000 at once, for each key`."""
    window = _WINDOWS.get(limit.window_seconds, f"{limit.window_seconds:,} seconds")
    burst = f", {limit.at_once:,} at once" if limit.at_once != limit.quota else ""
    return f"{limit.quota:,} {'call' if limit.quota == 1 else 'calls'} in {window}{burst}{_EACH[limit.per]}"


def _bars(used: ModeUsage) -> list[Bar]:
    """What exists, and what is counted by day or month: the rest is over before a page is read."""
    of_meters = [Bar(one.meter.title, one.meter.unit, one.meter.window, one.used, one.quota, one.reset_at) for one in used.meters]
    of_limits = [
        Bar(
            f"Calls: {one.limit.name}",
            "calls",
            _WINDOWS[one.limit.window_seconds].removeprefix("a "),
            one.used,
            one.limit.quota,
            one.reset_at,
        )
        for one in used.limits
        if one.limit.is_calendar
    ]
    return of_meters + of_limits
