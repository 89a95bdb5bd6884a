"""What integrations hold and have never used: taken with one click, and given back with another."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console import space_access
from keyrack.console.integration_forms import CATEGORIES_MAX, IntegrationForm
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.space_access import ACCESS_FIELDS_MAX
from keyrack.manage import unused_permissions
from keyrack.manage.unused_permissions import KNOWN_DAYS
from keyrack.model.integrations import Integration
from keyrack.model.permissions import Rights
from keyrack.model.refusals import CONFLICT, Refused
from keyrack.model.unused_permissions import in_words

_DAY_MS = 24 * 3600 * 1000
FIELDS_MAX = ACCESS_FIELDS_MAX + CATEGORIES_MAX


class UnusedPermissionPages:
    """The pages that narrow an integration, and with it every key that it has. Lists and details lead here."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._forms = IntegrationForm(pages)

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/integrations/{integration_id}/narrow", self.narrow, methods=["POST"]),
            Route("/console/integrations/{integration_id}/widen", self.widen, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: what is unused is pointed out where it is held."""
        return []

    async def narrow(self, request: Request) -> Response:
        """Take what was never used, and offer to give it back. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        pages = self._pages
        member, form = await pages.sent(request, "integrations.narrow")
        back = pages.within(form.get("back", ""))
        try:
            narrowed = await unused_permissions.narrow(pages.desk, member, pages.catalog, request.path_params["integration_id"])
        except Refused as refused:
            if refused.refusal is not CONFLICT:
                raise
            return pages.go(request, back, refused.detail, tone="warning")
        before, after = narrowed.before, narrowed.after
        held = IntegrationForm.of_rights(before.name, before.rights) | space_access.fields_of(before.rights.spaces)
        return pages.render(
            request,
            "integrations/narrowed.html",
            integration=after,
            taken=narrowed.permissions,
            kept=in_words(after.rights),
            later=before.rights.has_all,
            held=held | {"narrowed_at": str(after.updated_at), "back": back},
            back=back,
        )

    async def widen(self, request: Request) -> Response:
        """Give back what was taken. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        pages = self._pages
        member, form = await pages.sent(request, "integrations.widen", FIELDS_MAX)
        back, at = pages.within(form.get("back", "")), form.get("narrowed_at", "")
        held = Rights(self._forms.org_access(form), self._forms.permissions(form), space_access.roles_in(form))
        narrowed_at = int(at) if at.isdecimal() and len(at) < 16 else 0
        try:
            integration = await unused_permissions.widen(pages.desk, member, request.path_params["integration_id"], narrowed_at, held)
        except Refused as refused:
            if refused.refusal is not CONFLICT:
                raise
            return pages.go(request, back, refused.detail, tone="warning")
        return pages.go(request, back, f"{integration.name} may do again what it could before.")


def known_since(integration: Integration, now: int) -> str:
    """Return for how long it is known what an integration was used for, as words before `it was not used for`."""
    return "Since it was made" if integration.created_at > now - KNOWN_DAYS * _DAY_MS else f"In the last {KNOWN_DAYS} days"
