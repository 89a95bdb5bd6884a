"""Invitations: accepted through their link, by somebody new or by somebody who has a login."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.forms import read_form
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.sessions import whole
from keyrack.manage import invitations, people, sessions
from keyrack.manage.invitations import Offer
from keyrack.model.principals import Principal
from keyrack.model.refusals import Refused


class JoiningPages:
    """The page behind an invitation's link."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/invitation", self.offer, methods=["GET"]),
            Route("/console/invitation", self.accept, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: who is signed in does not look for it."""
        return []

    async def offer(self, request: Request) -> Response:
        """Show what a link offers. Only the form on this page accepts it. Raises Refused `link_ended`, `too_many_failures`."""
        link = whole(request.query_params.get("link", ""))
        offer = await invitations.look(self._pages.desk, link, address=self._pages.address(request))
        session = await self._session(request, offer)
        shown: dict[str, Any] = {"offer": offer, "is_self": session is not None, "link": link, "name": ""}
        return self._pages.render(request, "invitations/accept.html", problems={}, **shown)

    async def accept(self, request: Request) -> Response:
        """Accept the invitation and begin a session. Raises Refused `link_ended`, `csrf_failed`, `too_many_failures`."""
        form = await read_form(request)
        pages, link = self._pages, whole(form.get("link", ""))
        address, name, password = pages.address(request), form.get("name", ""), form.get("password", "")
        offer = await invitations.look(pages.desk, link, address=address)
        session = await self._session(request, offer)
        try:
            signed_in = await invitations.accept(pages.desk, link, address=address, name=name, password=password, session=session)
        except Refused as refused:
            shown = {"offer": offer, "is_self": session is not None, "link": link, "name": name}
            return pages.again(request, "invitations/accept.html", refused, ["name", "password"], **shown)
        if session is not None:
            await sessions.end(pages.desk, session)
        return pages.arrive(request, signed_in)

    async def _session(self, request: Request, offer: Offer) -> Principal | None:
        """The session of the very person whom the invitation is for."""
        desk = self._pages.desk
        session = await sessions.find(desk, self._pages.cookies.session(request))
        if session is None or not session.decides_roles:
            return None
        mine = await people.workspaces_of(desk, session)
        return session if any(one.member.email == offer.invitation.email for one in mine) else None
