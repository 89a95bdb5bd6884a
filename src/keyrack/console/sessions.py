"""Signing in with a link, and out."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from keyrack.console.forms import read_form
from keyrack.console.pages import SIGN_OUT, Pages
from keyrack.manage import sessions

LINK_LENGTH_MAX = 200


class SessionPages:
    """The pages through which a session begins and ends."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def offer(self, request: Request) -> Response:
        """Show what a link does. Only the form on this page uses it up, so that nothing that merely opens links does."""
        return self._pages.render(request, "sign_in.html", link=_whole(request.query_params.get("link", "")))

    async def begin(self, request: Request) -> Response:
        """Exchange a link for a session. Raises Refused `session_ended`."""
        form = await read_form(request)
        session, secret = await sessions.redeem(self._pages.desk, _whole(form.get("link", "")))
        answer = self._to_console(request)
        self._pages.cookie.give(request, answer, secret, (session.expires_at - session.created_at) // 1000)
        return answer

    async def end(self, request: Request) -> Response:
        """End the session. Raises Refused `session_ended`, `csrf_failed`."""
        form = await read_form(request)
        member = await self._pages.member(request)
        self._pages.tokens.check(member, SIGN_OUT, form)
        await sessions.end(self._pages.desk, member)
        answer = RedirectResponse(f"{self._pages.addresses.console(request)}/sign-in", 303)
        self._pages.cookie.take_back(request, answer)
        return answer

    def _to_console(self, request: Request) -> Response:
        return RedirectResponse(self._pages.addresses.console(request), 303)


def _whole(link: str) -> str:
    """What people paste has blanks around it, and no link is longer than this."""
    return link.strip()[:LINK_LENGTH_MAX]
