"""Set-up: the first person of all makes their login and a workspace, with a link that whoever runs the program gives them."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.forms import read_form
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.sessions import whole
from keyrack.manage import members, set_ups
from keyrack.model.refusals import LINK_ENDED, Refused

FIELDS = ("workspace_name", "name", "email", "password")


class SetUpPages:
    """The page of the first set-up."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/set-up", self.offer, methods=["GET"]),
            Route("/console/set-up", self.complete, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: who is signed in does not look for them."""
        return []

    async def offer(self, request: Request) -> Response:
        """Show the form. Raises Refused `link_ended` where somebody can sign in already."""
        if not await set_ups.needed(self._pages.desk):
            raise LINK_ENDED("Somebody can sign in here already: ask them to invite you.")
        link = whole(request.query_params.get("link", ""))
        return self._pages.render(request, "set_ups/set_up.html", link=link, given=dict.fromkeys(FIELDS, ""), problems={})

    async def complete(self, request: Request) -> Response:
        """Use the link up: the workspace, its owner and their session, or nothing of it. Raises Refused `link_ended`, `csrf_failed`."""
        form = await read_form(request)
        pages, link = self._pages, whole(form.get("link", ""))
        given = {name: form.get(name, "") for name in FIELDS}
        try:
            members.checked_name(given["name"])
        except Refused as refused:
            return pages.again(request, "set_ups/set_up.html", refused, FIELDS, link=link, given=given)
        try:
            signed_in = await set_ups.complete(pages.desk, link, **given, address=pages.address(request))
        except Refused as refused:
            if refused.param == "name":
                refused.param = "workspace_name"
            return pages.again(request, "set_ups/set_up.html", refused, FIELDS, link=link, given=given)
        return await pages.arrive(request, signed_in)
