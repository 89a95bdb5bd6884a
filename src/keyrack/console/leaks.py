"""The page on which anybody ends a key that they found, without signing in."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.forms import read_form
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.crypto.format import Secret
from keyrack.manage import leaks
from keyrack.model.leaks import FOUND_IN_LENGTH_MAX
from keyrack.model.refusals import Refused

FIELDS = ("secret", "found_in")


class LeakPages:
    """The page of leaked keys."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/leaked", self.ask, methods=["GET"]),
            Route("/console/leaked", self.report, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: who finds a key is mostly nobody's member."""
        return []

    async def ask(self, request: Request) -> Response:
        """Show the form. What stands in the address is not read: a key would stay in logs and histories."""
        return self._pages.render(request, "leaks/report.html", said="", found_in="", problems={})

    async def report(self, request: Request) -> Response:
        """End the key that somebody has. The answer is the same whether or not there is one. Raises Refused `csrf_failed`."""
        form = await read_form(request)
        pages, found_in = self._pages, form.get("found_in", "").strip()[:FOUND_IN_LENGTH_MAX]
        try:
            await leaks.report(pages.desk, Secret(form.get("secret", "").strip()), found_in=found_in, address=pages.address(request))
        except Refused as refused:
            return pages.again(request, "leaks/report.html", refused, FIELDS, said="", found_in=found_in)
        return pages.render(request, "leaks/report.html", said=leaks.REPORTED, found_in="", problems={})
