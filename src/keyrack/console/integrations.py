"""Integrations: the list, one of them, editing it, which spaces it reaches, rotating its key and deleting it."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console import space_access
from keyrack.console.fields import mode_in, name_in
from keyrack.console.forms import problems
from keyrack.console.integration_forms import CATEGORIES_MAX, IntegrationForm
from keyrack.console.lists import BY_TIME_AND_NAME, ROWS
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.space_access import ACCESS_FIELDS_MAX
from keyrack.console.standings import notices
from keyrack.console.unused_permissions import known_since
from keyrack.manage import integrations, keys, plans, request_logs, spaces, unused_permissions
from keyrack.manage.integrations import Listed
from keyrack.manage.once import DoneBefore, once
from keyrack.model.call_counts import Subject
from keyrack.model.permissions import Level, OrgAccess, Rights
from keyrack.model.principals import Mode, Principal
from keyrack.model.refusals import CONFLICT, NOT_FOUND, Refused

SPACES_NAMED_MAX = 12


class IntegrationPages:
    """The pages about integrations that there are."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._forms = IntegrationForm(pages)

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/integrations", self.show, methods=["GET"]),
            Route("/console/integrations/{integration_id}", self.details, methods=["GET"]),
            Route("/console/integrations/{integration_id}/edit", self.offer_changes, methods=["GET"]),
            Route("/console/integrations/{integration_id}/edit", self.edit, methods=["POST"]),
            Route("/console/integrations/{integration_id}/spaces", self.offer_spaces, methods=["GET"]),
            Route("/console/integrations/{integration_id}/spaces", self.choose_spaces, methods=["POST"]),
            Route("/console/integrations/{integration_id}/rotate", self.ask_rotation, methods=["GET"]),
            Route("/console/integrations/{integration_id}/rotate", self.rotate, methods=["POST"]),
            Route("/console/integrations/{integration_id}/delete", self.ask_deletion, methods=["GET"]),
            Route("/console/integrations/{integration_id}/delete", self.delete, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list, where the brand has one: beside that of keys, or in its place."""
        brand = self._pages.brand
        if "integrations" not in brand.lists:
            return []
        title, group = brand.navigation[-1], brand.navigation[0]
        return [Entry("keys", "/integrations", title, "api", tab="Integrations", group=group, for_admins=True)]

    async def show(self, request: Request) -> Response:
        """Show the integrations. Raises Refused `session_ended`, 403, 400."""
        member = await self._pages.member(request)
        query = self._pages.query(request, member, "search", orders=BY_TIME_AND_NAME)
        search = query.filters["search"] or None
        found = await integrations.listed_page(
            self._pages.desk, member, limit=ROWS + 1, after=query.place, search=search, order=query.order
        )
        listing = query.page(found, lambda line: query.order.place(line.integration))
        told = await notices(self._pages.desk, member)
        return self._pages.render(request, "integrations/list.html", listing=listing, access=self._access, **told)

    async def details(self, request: Request) -> Response:
        """Show one integration. Raises Refused `session_ended`, 403, 404."""
        member, listed = await self._listed(request)
        integration, rights, pages = listed.integration, listed.integration.rights, self._pages
        unused = await unused_permissions.of(pages.desk, member, pages.catalog, [integration])
        there = await spaces.named(self._pages.desk, member, list(rights.spaces)[:SPACES_NAMED_MAX])
        return self._pages.render(
            request,
            "integrations/details.html",
            listed=listed,
            levels=[(category.title, rights.level(category)) for category in self._pages.categories],
            spaces=[(space, rights.spaces[space.id]) for space in there],
            calls=await self._calls(member, listed),
            unused=unused.get(integration.id),
            known=known_since(integration, pages.desk.now()),
        )

    async def offer_changes(self, request: Request) -> Response:
        """Show the form that changes an integration. Raises Refused `session_ended`, 403, 404."""
        _, listed = await self._listed(request)
        form = self._forms.of_rights(listed.integration.name, listed.integration.rights) | {"partner": listed.integration.partner or ""}
        return self._edit_form(request, listed, form, {})

    async def edit(self, request: Request) -> Response:
        """Change an integration's name and access. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "integrations.edit", CATEGORIES_MAX)
        _, listed = await self._listed(request)
        try:
            fields = {"name": name_in(form), "partner": form.get("partner", ""), **self._forms.chosen(form)}
            edited = await integrations.edit(self._pages.desk, member, listed.integration.id, **fields)
        except Refused as refused:
            beside = problems(refused, "name", "partner", "org_access", "permissions")
            return self._edit_form(request, listed, form, beside, refused.refusal.status)
        return self._pages.go(request, f"/integrations/{edited.id}", f"{edited.name} is saved. What changed holds from now on.")

    async def offer_spaces(self, request: Request) -> Response:
        """Show in which spaces an integration has which role. Raises Refused `session_ended`, 403, 404."""
        member, listed = await self._listed(request)
        return await self._spaces_form(request, member, listed, space_access.fields_of(listed.integration.rights.spaces))

    async def choose_spaces(self, request: Request) -> Response:
        """Save roles in spaces, or show other spaces to choose. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "integrations.spaces", ACCESS_FIELDS_MAX)
        _, listed = await self._listed(request)
        if form.get("go") != "save":
            return await self._spaces_form(request, member, listed, form)
        try:
            saved = await integrations.set_space_roles(self._pages.desk, member, listed.integration.id, space_access.changes_in(form))
        except Refused as refused:
            if refused.refusal is NOT_FOUND:
                form = await space_access.without_deleted(self._pages, member, form)
                return await self._spaces_form(request, member, listed, form, {"": space_access.GONE}, CONFLICT.status)
            return await self._spaces_form(request, member, listed, form, problems(refused), refused.refusal.status)
        return self._pages.go(request, f"/integrations/{saved.id}", f"The space access of {saved.name} is saved. It holds from now on.")

    async def ask_rotation(self, request: Request) -> Response:
        """Ask before a key is rotated, and say what that breaks. Raises Refused `session_ended`, 403, 404."""
        member, listed = await self._listed(request)
        plans.require_api_in(self._pages.desk, member.workspace)
        return await self._rotation(request, member, listed, {})

    async def rotate(self, request: Request) -> Response:
        """End the integration's keys of a mode, and show a new one this once. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        desk = self._pages.desk
        member, form, mark = await self._pages.sent_once(request, "integrations.rotate")
        _, listed = await self._listed(request)
        try:
            mode = mode_in(form.get("mode", Mode.LIVE))
            async with once(desk, member, mark):
                issued = await keys.rotate_all(desk, member, listed.integration.id, mode)
        except DoneBefore:
            return self._forms.issued_before(request, listed.integration.id)
        except Refused as refused:
            return await self._rotation(request, member, listed, problems(refused, "mode"), refused.refusal.status)
        return self._forms.issued(request, issued)

    async def ask_deletion(self, request: Request) -> Response:
        """Ask before an integration is deleted, and say what that breaks. Raises Refused `session_ended`, 403, 404."""
        member, listed = await self._listed(request)
        return self._pages.render(request, "integrations/delete.html", listed=listed, calls=await self._calls(member, listed))

    async def delete(self, request: Request) -> Response:
        """Delete an integration. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "integrations.delete")
        deleted = await integrations.delete(self._pages.desk, member, request.path_params["integration_id"])
        return self._pages.go(request, "/integrations", f"{deleted.name} is deleted. Its keys are refused from now on.")

    async def _listed(self, request: Request) -> tuple[Principal, Listed]:
        member = await self._pages.member(request)
        return member, await integrations.listed(self._pages.desk, member, request.path_params["integration_id"])

    async def _calls(self, member: Principal, listed: Listed) -> int:
        """How many calls were made in the last hour with the present key; where there are several, with any of the integration's."""
        alone = listed.keys_present == 1
        subject = Subject("credential", listed.keys[0].id) if alone else Subject("integration", listed.integration.id)
        return await request_logs.calls_last_hour(self._pages.desk, member, subject)

    @staticmethod
    def _access(rights: Rights) -> list[str]:
        """What an integration may do, in a few words each: the first is the widest."""
        found = [] if rights.org_access is OrgAccess.NONE else [rights.org_access.value.capitalize()]
        if rights.has_all:
            found.append("All permissions")
        elif levels := sum(1 for level in rights.permissions.values() if level > Level.NONE):
            found.append(f"{levels} categor{'y' if levels == 1 else 'ies'}")
        if count := len(rights.spaces):
            found.append(f"{count} space{'' if count == 1 else 's'}")
        return found

    def _edit_form(
        self, request: Request, listed: Listed, form: Mapping[str, str], beside: Mapping[str, str], status: int = 200
    ) -> Response:
        given, categories = self._forms.given(form), self._pages.categories
        return self._pages.render(
            request, "integrations/edit.html", status, listed=listed, given=given, problems=beside, categories=categories
        )

    async def _spaces_form(
        self,
        request: Request,
        member: Principal,
        listed: Listed,
        form: Mapping[str, str],
        beside: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        offered = await space_access.offer(self._pages, member, form)
        return self._pages.render(request, "integrations/access.html", status, listed=listed, offered=offered, problems=beside or {})

    async def _rotation(
        self, request: Request, member: Principal, listed: Listed, beside: Mapping[str, str], status: int = 200
    ) -> Response:
        calls = await self._calls(member, listed)
        mode = listed.keys[0].mode if listed.keys else Mode.LIVE
        return self._pages.render(request, "integrations/rotate.html", status, listed=listed, calls=calls, mode=mode, problems=beside)
