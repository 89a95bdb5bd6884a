"""Showing a key's secret again, where the workspace keeps it: after a fresh proof, and noted each time."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.settings import proof_asked, prove
from keyrack.manage import keys, revealing
from keyrack.manage.keys import Listed
from keyrack.model.principals import Principal
from keyrack.model.refusals import PROOF_REQUIRED, Refused


class RevealingPages:
    """The page that asks for the proof, and the one that shows the secret. With JavaScript the list shows it in its place instead."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/keys/{key_id}/reveal", self.ask, methods=["GET"]),
            Route("/console/keys/{key_id}/reveal", self.reveal, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """None: the list of keys leads here."""
        return []

    async def ask(self, request: Request) -> Response:
        """Ask before a secret is shown. Raises Refused `session_ended`, 403, 404."""
        member = await self._pages.member(request)
        listed = await self._listed(request, member)
        asked = await proof_asked(self._pages, member)
        return self._pages.render(request, "keys/reveal.html", listed=listed, problems={}, copies=False, **asked)

    async def reveal(self, request: Request) -> Response:
        """Show a secret, which is noted whatever is then done with it. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        member, form = await self._pages.sent(request, "keys.reveal")
        listed = await self._listed(request, member)
        try:
            member = await prove(self._pages, request, member, form)
            secret = await revealing.reveal(self._pages.desk, member, listed.key.id)
        except Refused as refused:
            member.require_admin("reveal keys")
            asked = await proof_asked(self._pages, member) | {"listed": listed, "copies": form.get("what") == "copy"}
            if refused.refusal is PROOF_REQUIRED:
                return self._pages.render(request, "keys/reveal.html", refused.refusal.status, problems={}, **asked)
            return self._pages.again(request, "keys/reveal.html", refused, ["password"], **asked)
        return self._pages.render(request, "keys/revealed.html", listed=listed, secret=secret.text)

    async def _listed(self, request: Request, member: Principal) -> Listed:
        return await keys.get(self._pages.desk, member, request.path_params["key_id"])
