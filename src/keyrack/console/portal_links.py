"""Portal links: a host's own user comes in through one, into a frame on the host's page or into a window of their own."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.forms import read_form
from keyrack.console.headers import allow_frames
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.sessions import whole
from keyrack.manage import portal_links, sessions


class PortalLinkPages:
    """The page behind a portal link."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/portal", self.offer, methods=["GET"]),
            Route("/console/portal", self.begin, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: hosts send people here."""
        return []

    async def offer(self, request: Request) -> Response:
        """Show the form that uses a link up, which sends itself where scripts run. Whose link it is nobody knows before that.

        In a browser in which somebody signed in by themselves it waits for a click: no page elsewhere makes them somebody else unseen.
        """
        session = await sessions.find(self._pages.desk, self._pages.cookies.session(request))
        link, waits = whole(request.query_params.get("link", "")), session is not None and session.decides_roles
        page = self._pages.render(request, "portal_links/portal.html", link=link, waits=waits)
        allow_frames(page, *self._pages.desk.outside.portal_origins)
        return page

    async def begin(self, request: Request) -> Response:
        """Exchange a link for a session, which stands in frames of the link's origin alone. Raises Refused `link_ended`, `csrf_failed`."""
        form = await read_form(request)
        return await self._pages.arrive(request, await portal_links.redeem(self._pages.desk, whole(form.get("link", ""))))
