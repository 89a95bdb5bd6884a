"""Passwords: forgotten ones, and new ones chosen with a link."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.forms import read_form
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.sessions import whole
from keyrack.manage import passwords
from keyrack.model.refusals import Refused


class PasswordPages:
    """The pages for who does not know their password."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/forgot", self.ask, methods=["GET"]),
            Route("/console/forgot", self.forgot, methods=["POST"]),
            Route("/console/new-password", self.offer, methods=["GET"]),
            Route("/console/new-password", self.choose, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: who is signed in does not look for them."""
        return []

    async def ask(self, request: Request) -> Response:
        """Ask for the email, or say who can help where no mail goes out."""
        sends = self._pages.desk.outside.sends_mail
        return self._pages.render(request, "passwords/forgot.html", sends_mail=sends, sent_to="", email="", problems={})

    async def forgot(self, request: Request) -> Response:
        """Send a link, where the email is somebody's; the answer is the same where it is not. Raises Refused `csrf_failed`."""
        form = await read_form(request)
        email = form.get("email", "")
        shown: dict[str, Any] = {"sends_mail": self._pages.desk.outside.sends_mail, "email": email}
        try:
            await passwords.forgot(self._pages.desk, email=email, address=self._pages.address(request))
        except Refused as refused:
            return self._pages.again(request, "passwords/forgot.html", refused, ["email"], sent_to="", **shown)
        return self._pages.render(request, "passwords/forgot.html", sent_to=email.strip(), problems={}, **shown)

    async def offer(self, request: Request) -> Response:
        """Show the form for a new password. Only sending it uses the link up."""
        link = whole(request.query_params.get("link", ""))
        return self._pages.render(request, "passwords/new.html", link=link, problems={})

    async def choose(self, request: Request) -> Response:
        """Set the password and begin a session; all others end. Raises Refused `link_ended`, `csrf_failed`."""
        form = await read_form(request)
        link = whole(form.get("link", ""))
        try:
            signed_in = await passwords.reset(self._pages.desk, link, new=form.get("password", ""), address=self._pages.address(request))
        except Refused as refused:
            return self._pages.again(request, "passwords/new.html", refused, ["password"], link=link)
        return await self._pages.arrive(request, signed_in)
