"""Signing in through the operator's OpenID provider: there and back."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.gate.pages import return_path
from keyrack.manage import openid
from keyrack.manage.openid import BEGUN_SECONDS
from keyrack.model.refusals import Refused


class OpenIdPages:
    """The way to the provider and the way back; the button for it stands on the sign-in page."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes. The way there is a GET: the policy lets no form lead to another host, and this signs nobody in."""
        return [
            Route("/console/openid", self.begin, methods=["GET"]),
            Route("/console/openid/callback", self.finish, methods=["GET"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: who is signed in does not look for them."""
        return []

    async def begin(self, request: Request) -> Response:
        """Lead to the provider. Raises Refused 409 where none is set up, `store_unavailable` where it does not answer."""
        asked = request.query_params
        begun = await openid.begin(self._pages.desk, return_to=return_path(asked.get("to", ""), ""), prove="prove" in asked)
        answer = RedirectResponse(begun.url, 303)
        self._pages.cookies.begin_openid(request, answer, begun.kept, BEGUN_SECONDS)
        return answer

    async def finish(self, request: Request) -> Response:
        """Begin a session for whom the provider names. Raises Refused `store_unavailable`."""
        pages = self._pages
        kept, replaces = pages.cookies.openid(request), pages.cookies.session(request)
        try:
            finished = await openid.finish(pages.desk, kept, dict(request.query_params), address=pages.address(request), replaces=replaces)
        except Refused as refused:
            answer: Response = await pages.sign_in(request, refused.refusal.status, problems={"": refused.detail})
            answer.headers.update(refused.headers)
        else:
            answer = await pages.arrive(request, finished.signed_in, finished.return_to)
        pages.cookies.end_openid(request, answer)
        return answer
