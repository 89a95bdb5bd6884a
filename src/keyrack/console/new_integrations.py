"""The wizard that makes an integration: its details, the spaces it reaches, and its first key. Nothing is made before the last step."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console import space_access
from keyrack.console.fields import mode_in, name_in
from keyrack.console.forms import problems
from keyrack.console.integration_forms import CATEGORIES_MAX, IntegrationForm
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages, SentOnce
from keyrack.console.space_access import ACCESS_FIELDS_MAX
from keyrack.manage import keys, plans
from keyrack.manage.once import DoneBefore, once
from keyrack.model.principals import Mode
from keyrack.model.refusals import CONFLICT, NOT_FOUND, Refused


class NewIntegrationPages:
    """The steps of the wizard. Each is a form that carries what the others hold, so one can go back and nothing is lost."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._forms = IntegrationForm(pages)

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/integrations/new", self.begin, methods=["GET"]),
            Route("/console/integrations/new", self.go_on, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: the list of integrations leads here."""
        return []

    async def begin(self, request: Request) -> Response:
        """Show the first step. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        member.require_admin("create integrations")
        plans.require_api_in(self._pages.desk, member.workspace)
        return self._details(request, {}, {})

    async def go_on(self, request: Request) -> Response:
        """Go to the step that was asked for, or make the integration. Raises Refused `session_ended`, `csrf_failed`, 403."""
        sent = await self._pages.sent_once(request, "integrations.create", ACCESS_FIELDS_MAX + CATEGORIES_MAX)
        sent.member.require_admin("create integrations")
        asked = sent.fields.get("go", "")
        if asked == "back":
            return self._details(request, sent.fields, {})
        try:
            self._forms.check(sent.fields)
        except Refused as refused:
            return self._details(request, sent.fields, problems(refused, "name", "mode", "org_access", "permissions"), 400)
        if asked in ("save", "anyway"):
            return await self._save(request, sent)
        return await self._spaces(request, sent)

    async def _save(self, request: Request, sent: SentOnce) -> Response:
        form = sent.fields
        try:
            rights = self._forms.rights(form)
            if rights.reach_nothing and form["go"] != "anyway":
                return await self._spaces(request, sent, reaches_nothing=True)
            name, mode = name_in(form), mode_in(form.get("mode", Mode.LIVE))
            async with once(self._pages.desk, sent.member, sent.mark):
                issued = await keys.create(self._pages.desk, sent.member, name=name, mode=mode, rights=rights)
        except DoneBefore as done:
            return self._forms.issued_before(request, done.id_of("integration") or "")
        except Refused as refused:
            if refused.refusal is NOT_FOUND:
                form = await space_access.without_deleted(self._pages, sent.member, form)
                return await self._spaces(request, sent._replace(fields=form), {"": space_access.GONE}, CONFLICT.status)
            return await self._spaces(request, sent, problems(refused), refused.refusal.status)
        return self._forms.issued(request, issued, wizard=True)

    def _details(self, request: Request, form: Mapping[str, str], beside: Mapping[str, str], status: int = 200) -> Response:
        carried = {name: value for name, value in form.items() if name.startswith("role.") and value}
        given = self._forms.given(form)
        return self._pages.render(
            request, "integrations/new.html", status, given=given, carried=carried, problems=beside, categories=self._pages.categories
        )

    async def _spaces(
        self,
        request: Request,
        sent: SentOnce,
        beside: Mapping[str, str] | None = None,
        status: int = 200,
        *,
        reaches_nothing: bool = False,
    ) -> Response:
        offered = await space_access.offer(self._pages, sent.member, sent.fields)
        carried = self._forms.details(sent.fields)
        return self._pages.render(
            request,
            "integrations/new_access.html",
            status,
            offered=offered,
            carried=carried,
            given=self._forms.given(sent.fields),
            problems=beside or {},
            reaches_nothing=reaches_nothing,
        )
