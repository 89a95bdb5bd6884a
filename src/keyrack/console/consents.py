"""The page that asks a member whether an app may act for them, and where."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.headers import POLICY
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import consents, plans
from keyrack.manage.consents import Asked
from keyrack.model.apps import in_words
from keyrack.model.client_metadata import host_of
from keyrack.model.grants import ACCESS_MS, REFRESH_IDLE_MS, REFRESH_MS
from keyrack.model.plans import missing_api
from keyrack.model.refusals import INSUFFICIENT_PERMISSION

DAY_MS = 24 * 3600 * 1000


class ConsentPages:
    """The pages on which apps are let in."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/authorize", self.ask, methods=["GET"]),
            Route("/console/authorize", self.answer, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: apps lead there."""
        return []

    async def ask(self, request: Request) -> Response:
        """Ask whether the app may act. Raises Refused 400 for a request of no app's; `session_ended`, 403."""
        # Who is not signed in is led nowhere, not even with an error: else any link to here could lead anywhere (RFC 9700 §4.11.2).
        member = await self._pages.member(request)
        wanted = await consents.asked(self._pages.desk, member, request.query_params.multi_items(), self._issuer(request))
        if wanted.wrong is not None:
            return self._go(wanted.refusal(self._issuer(request), wanted.wrong))
        found = await consents.choices(self._pages.desk, member)
        if not found:
            raise INSUFFICIENT_PERMISSION("You may not use the API here, so no app may act for you. An owner or admin can let you.")
        offered = [one for one in found if not missing_api(self._pages.desk.plans, one.workspace.plan)]
        if not offered:
            plans.require_api_in(self._pages.desk, found[0].workspace)
        page = self._pages.render(
            request,
            "consents/ask.html",
            wanted=wanted,
            words=[in_words(scope, self._pages.desk.categories) for scope in wanted.scopes],
            workspaces=[(one.workspace.id, one.workspace.name) for one in offered],
            current=member.workspace.id,
            told_by=host_of(wanted.app.client_id),
            goes_to=urlsplit(wanted.redirect_uri).netloc,
            query=request.url.query,
            hours=ACCESS_MS // (DAY_MS // 24),
            idle_days=REFRESH_IDLE_MS // DAY_MS,
            days=REFRESH_MS // DAY_MS,
        )
        # Browsers hold what a form's answer leads to against its policy, too.
        page.headers["content-security-policy"] = POLICY.replace("form-action 'self'", f"form-action 'self' {_origin(wanted)}")
        return page

    async def answer(self, request: Request) -> Response:
        """Let the app in, or don't. Raises Refused `session_ended`, `csrf_failed`, 400, 403, 404."""
        member, form = await self._pages.sent(request, "consents.answer")
        issuer = self._issuer(request)
        wanted = await consents.asked(self._pages.desk, member, request.query_params.multi_items(), issuer)
        if wanted.wrong is not None:
            return self._go(wanted.refusal(issuer, wanted.wrong))
        if form.get("answer") != "allow":
            return self._go(consents.deny(wanted, issuer))
        return self._go(await consents.allow(self._pages.desk, member, wanted, form.get("workspace_id", ""), issuer))

    def _issuer(self, request: Request) -> str:
        return self._pages.addresses.outside(request).rstrip("/")

    @staticmethod
    def _go(uri: str) -> Response:
        # The address stands in the header as it was registered, letter by letter.
        answer = Response(status_code=303)
        answer.headers["location"] = uri
        return answer


def _origin(wanted: Asked) -> str:
    parts = urlsplit(wanted.redirect_uri)
    return f"{parts.scheme}://{parts.netloc}"
