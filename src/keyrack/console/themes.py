"""Light or dark: as the system says, unless somebody chose."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.cookies import THEMES
from keyrack.console.forms import read_form
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.model.refusals import INVALID_REQUEST


class ThemePages:
    """The switch between light and dark, which is this browser's alone."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [Route("/console/theme", self.choose, methods=["POST"])]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: the switch stands on every page."""
        return []

    async def choose(self, request: Request) -> Response:
        """Remember a choice in the browser, and lead back. Raises Refused `csrf_failed`, 400."""
        form = await read_form(request)
        theme = form.get("theme", "")
        if theme not in THEMES:
            raise INVALID_REQUEST(f"There is no theme {theme[:20]!r}: choose one of {', '.join(THEMES)}.", param="theme")
        answer = self._pages.go(request, self._pages.within(form.get("here", "")))
        self._pages.cookies.choose_theme(request, answer, theme)
        return answer
