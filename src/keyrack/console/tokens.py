"""Personal preferences > API: a member's own tokens in the workspace, generating the default one, and making narrower ones."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.charts import DAY_MS
from keyrack.console.curls import curl
from keyrack.console.fields import name_in
from keyrack.console.forms import problems
from keyrack.console.integration_forms import CATEGORIES_MAX, IntegrationForm
from keyrack.console.key_forms import bounds_in
from keyrack.console.members import access_of
from keyrack.console.navigation import Entry, own_entry
from keyrack.console.pages import Pages
from keyrack.manage import plans, request_logs, tokens
from keyrack.manage.once import DoneBefore, once
from keyrack.manage.tokens import Issued, Listed
from keyrack.model.call_counts import Subject
from keyrack.model.permissions import Rights
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, NOT_FOUND, Refused
from keyrack.model.tokens import NAMED_DAYS, NAMED_DAYS_MAX

AT = "/preferences/api"


class TokenPages:
    """The pages about one's own tokens here."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._form = IntegrationForm(pages)

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route(f"/console{AT}", self.show, methods=["GET"]),
            Route(f"/console{AT}/generate", self.ask_generation, methods=["GET"]),
            Route(f"/console{AT}/generate", self.generate, methods=["POST"]),
            Route(f"/console{AT}/new", self.offer, methods=["GET"]),
            Route(f"/console{AT}/new", self.create, methods=["POST"]),
            Route(f"/console{AT}/{{token_id}}/revoke", self.ask_end, methods=["GET"]),
            Route(f"/console{AT}/{{token_id}}/revoke", self.end, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list."""
        return [own_entry(self._pages.brand.navigation[0], AT, "API", for_api_users=True)]

    async def show(self, request: Request) -> Response:
        """Show one's own tokens here. Raises Refused `session_ended`, 403 with who can help for members who may not use the API."""
        member = await self._member(request)
        found = await tokens.own(self._pages.desk, member)
        outside, now = self._pages.addresses.outside(request), self._pages.desk.now()
        return self._pages.render(
            request,
            "tokens/list.html",
            default=next((one for one in found if one.token.is_default), None),
            named=[(one, one.token.state(now), access_of(one.token.rights or Rights())) for one in found if not one.token.is_default],
            docs_url=f"{outside}/docs",
            reference_url=f"{outside}/docs/api/explorer",
        )

    async def ask_generation(self, request: Request) -> Response:
        """Ask before the default token is generated, and say what that ends. Raises Refused `session_ended`, 403."""
        member = await self._member(request)
        plans.require_api_in(self._pages.desk, member.workspace)
        found = await tokens.own(self._pages.desk, member)
        present = next((one for one in found if one.token.is_default), None)
        shown: dict[str, Any] = {
            "present": present,
            "named": len(found) - (present is not None),
            "calls": await self._calls(member, present),
        }
        return self._pages.render(request, "tokens/generate.html", **shown)

    async def generate(self, request: Request) -> Response:
        """Generate the default token, and show its secret this once. Raises Refused `session_ended`, `csrf_failed`, 403, 429."""
        member, form, mark = await self._pages.sent_once(request, "tokens.generate")
        try:
            async with once(self._pages.desk, member, mark):
                issued = await tokens.generate(self._pages.desk, member, end_named=form.get("end_named") == "yes")
        except DoneBefore:
            return self._issued_before(request)
        return self._issued(request, issued)

    async def offer(self, request: Request) -> Response:
        """Show the form of a named token. Raises Refused `session_ended`, 403."""
        plans.require_api_in(self._pages.desk, (await self._member(request)).workspace)
        last_day = datetime.fromtimestamp((self._pages.desk.now() + (NAMED_DAYS - 1) * DAY_MS) / 1000, UTC).date()
        return self._new(request, {"expires_at": last_day.isoformat()}, {})

    async def create(self, request: Request) -> Response:
        """Make a named token, and show its secret this once. Raises Refused `session_ended`, `csrf_failed`, 403."""
        desk = self._pages.desk
        member, form, mark = await self._pages.sent_once(request, "tokens.create", CATEGORIES_MAX)
        try:
            rights = Rights(**self._form.chosen(form))
            expires_at = bounds_in(form)["expires_at"]
            async with once(desk, member, mark):
                issued = await tokens.create(desk, member, name=name_in(form), rights=rights, expires_at=expires_at)
        except DoneBefore:
            return self._issued_before(request)
        except Refused as refused:
            beside = problems(refused, "name", "org_access", "permissions", "expires_at")
            return self._new(request, form, beside, refused.refusal.status)
        return self._issued(request, issued)

    async def ask_end(self, request: Request) -> Response:
        """Ask before a token is revoked. Raises Refused `session_ended`, 403, 404."""
        member = await self._member(request)
        listed = await self._own(request, member)
        calls = await self._calls(member, listed)
        return self._pages.render(
            request, "tokens/revoke.html", held=listed.held, calls=calls, to=f"{AT}/{listed.token.id}/revoke", back=AT
        )

    async def end(self, request: Request) -> Response:
        """Revoke a token. Raises Refused `session_ended`, `csrf_failed`, 404."""
        member, _ = await self._pages.sent(request, "tokens.revoke")
        listed = await self._own(request, member)
        await tokens.revoke(self._pages.desk, member, listed.token.id)
        return self._pages.go(request, AT, f"{listed.token.name} has ended. It is refused from now on.")

    async def _member(self, request: Request) -> Principal:
        member = await self._pages.member(request)
        if not member.decides_roles:
            raise INSUFFICIENT_PERMISSION("Sign in to the console by yourself to see your tokens.")
        if not member.may_use_api:
            raise INSUFFICIENT_PERMISSION("You may not use the API here. An admin can let you: Members > Edit access > May use the API.")
        return member

    async def _own(self, request: Request, member: Principal) -> Listed:
        listed = await tokens.get(self._pages.desk, member, request.path_params["token_id"])
        if listed.token.member_id != member.member_id:
            raise NOT_FOUND("There is no such token of yours here.")
        return listed

    async def _calls(self, member: Principal, listed: Listed | None) -> int:
        if listed is None:
            return 0
        return await request_logs.calls_last_hour(self._pages.desk, member, Subject("credential", listed.token.id))

    def _new(self, request: Request, form: Mapping[str, str], beside: Mapping[str, str], status: int = 200) -> Response:
        given: dict[str, Any] = self._form.given(form) | {"expires_at": form.get("expires_at", "")}
        shown = {"given": given, "categories": self._pages.categories, "days_max": NAMED_DAYS_MAX}
        return self._pages.render(request, "tokens/new.html", status, problems=beside, **shown)

    def _issued(self, request: Request, issued: Issued) -> Response:
        line = curl(self._pages.addresses.outside(request), issued.secret.text)
        return self._pages.render(request, "tokens/issued.html", issued=issued, curl=line)

    def _issued_before(self, request: Request) -> Response:
        said = "The token was made the first time that you pressed, and shown then. Generate another if you missed it."
        return self._pages.go(request, AT, said, tone="warning")
