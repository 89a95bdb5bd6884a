"""Signing in with a password or a link, and out."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.forms import problems, read_form
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import sessions
from keyrack.model.refusals import Refused

LINK_LENGTH_MAX = 200


class SessionPages:
    """The pages through which a session begins and ends."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/sign-in", self.offer, methods=["GET"]),
            Route("/console/sign-in", self.begin, methods=["POST"]),
            Route("/console/sign-out", self.end, methods=["POST"]),
            Route("/console/sign-out/everywhere", self.end_all, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: who is signed in does not look for them."""
        return []

    async def offer(self, request: Request) -> Response:
        """Offer to sign in, or show what a link does. Only the form here uses it up: nothing that merely opens links does."""
        asked = request.query_params
        return await self._pages.sign_in(request, to=asked.get("next", ""), link=whole(asked.get("link", "")))

    async def begin(self, request: Request) -> Response:
        """Exchange a password or a link for a session. Raises Refused `session_ended`, `csrf_failed`."""
        form = await read_form(request)
        pages = self._pages
        if "link" in form:
            return await pages.arrive(request, await sessions.redeem(pages.desk, whole(form["link"])))
        email, password, to = (form.get(name, "") for name in ("email", "password", "to"))
        replaces = pages.cookies.session(request)
        try:
            signed_in = await sessions.sign_in(
                pages.desk, email=email, password=password, address=pages.address(request), replaces=replaces
            )
        except Refused as refused:
            page = await pages.sign_in(request, refused.refusal.status, to=to, email=email, problems=problems(refused))
            page.headers.update(refused.headers)
            return page
        return await pages.arrive(request, signed_in, to)

    async def end(self, request: Request) -> Response:
        """End the session. Raises Refused `session_ended`, `csrf_failed`."""
        member, _ = await self._pages.sent(request, "sign-out")
        await sessions.end(self._pages.desk, member)
        return self._left(request, "You are signed out.")

    async def end_all(self, request: Request) -> Response:
        """End every session of the person. Raises Refused `session_ended`, `csrf_failed`, 403."""
        member, _ = await self._pages.sent(request, "sign-out.everywhere")
        ended = await sessions.end_all(self._pages.desk, member)
        return self._left(request, f"You are signed out everywhere: {ended} {'sign-in has' if ended == 1 else 'sign-ins have'} ended.")

    def _left(self, request: Request, said: str) -> Response:
        answer = self._pages.go(request, "/sign-in", said)
        self._pages.cookies.end_session(request, answer)
        return answer


def whole(link: str) -> str:
    """What people paste has blanks around it, and no link is longer than this."""
    return link.strip()[:LINK_LENGTH_MAX]
