"""Personal preferences > Apps: the apps that somebody has let in, in all their workspaces, and shutting any of them out."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.navigation import Entry, own_entry
from keyrack.console.pages import Pages
from keyrack.manage import own_grants
from keyrack.model.apps import in_words

AT = "/preferences/apps"


class OwnGrantPages:
    """The pages about the apps that act for somebody."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route(f"/console{AT}", self.show, methods=["GET"]),
            Route(f"/console{AT}/{{grant_id}}/revoke", self.ask, methods=["GET"]),
            Route(f"/console{AT}/{{grant_id}}/revoke", self.end, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list."""
        return [own_entry(self._pages.brand.navigation[0], AT, "Apps")]

    async def show(self, request: Request) -> Response:
        """Show the apps that act for the person. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        categories = self._pages.desk.categories
        found = [
            (held, workspace, [in_words(scope, categories) for scope in held.held.scopes])
            for held, workspace in await own_grants.held(self._pages.desk, member)
        ]
        return self._pages.render(request, "grants/mine.html", found=found)

    async def ask(self, request: Request) -> Response:
        """Ask before an app is shut out. Raises Refused `session_ended`, 403, 404."""
        member = await self._pages.member(request)
        held, workspace = await own_grants.find(self._pages.desk, member, request.path_params["grant_id"])
        return self._pages.render(request, "grants/revoke.html", held=held, workspace=workspace, to=f"{AT}/{held.id}/revoke", back=AT)

    async def end(self, request: Request) -> Response:
        """Shut an app out. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "grants.revoke")
        held = await own_grants.revoke(self._pages.desk, member, request.path_params["grant_id"])
        return self._pages.go(request, AT, f"{held.app.name} acts for you no more. Its tokens are refused from now on.")
