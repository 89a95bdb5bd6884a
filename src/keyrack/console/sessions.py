"""Signing in with a link, and out."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.forms import read_form
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import sessions

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
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: who is signed in does not look for them."""
        return []

    async def offer(self, request: Request) -> Response:
        """Show what a link does. Only the form on this page uses it up, so that nothing that merely opens links does."""
        return self._pages.render(request, "sign_in.html", link=_whole(request.query_params.get("link", "")))

    async def begin(self, request: Request) -> Response:
        """Exchange a link for a session. Raises Refused `session_ended`."""
        form = await read_form(request)
        session, secret = await sessions.redeem(self._pages.desk, _whole(form.get("link", "")))
        answer = self._pages.go(request, "")
        self._pages.cookies.begin_session(request, answer, secret, (session.expires_at - session.created_at) // 1000)
        return answer

    async def end(self, request: Request) -> Response:
        """End the session. Raises Refused `session_ended`, `csrf_failed`."""
        member, _ = await self._pages.sent(request, "sign-out")
        await sessions.end(self._pages.desk, member)
        answer = self._pages.go(request, "/sign-in")
        self._pages.cookies.end_session(request, answer)
        return answer


def _whole(link: str) -> str:
    """What people paste has blanks around it, and no link is longer than this."""
    return link.strip()[:LINK_LENGTH_MAX]
