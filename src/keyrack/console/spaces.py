"""Spaces: the list, who is in one of them, people beside integrations, and what role each has there."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.fields import name_in
from keyrack.console.forms import problems
from keyrack.console.lists import BY_TIME_AND_NAME, ROWS
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import integrations, members, spaces
from keyrack.manage.once import DoneBefore, once
from keyrack.model.permissions import SpaceRole
from keyrack.model.principals import Principal
from keyrack.model.refusals import INVALID_REQUEST, Refused
from keyrack.model.spaces import Holder, Space

KINDS = {"member": "People", "integration": "Integrations"}
OFFERED_MAX = 100
"""How many people, and how many integrations, are offered to be added at once: more are found by name."""


class SpacePages:
    """The pages about spaces."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/spaces", self.show, methods=["GET"]),
            Route("/console/spaces", self.create, methods=["POST"]),
            Route("/console/spaces/new", self.offer, methods=["GET"]),
            Route("/console/spaces/{space_id}", self.details, methods=["GET"]),
            Route("/console/spaces/{space_id}/edit", self.offer_name, methods=["GET"]),
            Route("/console/spaces/{space_id}/edit", self.rename, methods=["POST"]),
            Route("/console/spaces/{space_id}/delete", self.ask_deletion, methods=["GET"]),
            Route("/console/spaces/{space_id}/delete", self.delete, methods=["POST"]),
            Route("/console/spaces/{space_id}/roles", self.offer_role, methods=["GET"]),
            Route("/console/spaces/{space_id}/roles", self.give_role, methods=["POST"]),
            Route("/console/spaces/{space_id}/roles/{holder_id}", self.ask_role, methods=["GET"]),
            Route("/console/spaces/{space_id}/roles/{holder_id}", self.change_role, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list: everybody finds the spaces that they are in."""
        in_spaces = any(category.in_spaces for category in self._pages.desk.categories.values())
        return [Entry("spaces", "/spaces", "Spaces", "building")] if in_spaces else []

    async def show(self, request: Request) -> Response:
        """Show the spaces that the member can see. Raises Refused `session_ended`, 400."""
        member = await self._pages.member(request)
        query = self._pages.query(request, member, "search", orders=BY_TIME_AND_NAME)
        search = query.filters["search"] or None
        found = await spaces.listed_page(self._pages.desk, member, limit=ROWS + 1, after=query.place, search=search, order=query.order)
        listing = query.page(found, lambda line: query.order.place(line.space))
        return self._pages.render(request, "spaces/list.html", listing=listing)

    async def details(self, request: Request) -> Response:
        """Show who is in a space. Raises Refused `session_ended`, 404, 400."""
        member, space = await self._space(request)
        query = self._pages.query(request, member, "kind")
        kind = query.filters["kind"] if query.filters["kind"] in KINDS else None
        after = query.place[1] if query.place else None
        found = await spaces.holders(self._pages.desk, member, space.id, limit=ROWS + 1, after=after, kind=kind)
        listing = query.page(found, lambda holder: (0, holder.id))
        manages = spaces.manages(member, space.id)
        return self._pages.render(request, "spaces/details.html", space=space, listing=listing, kinds=KINDS, manages=manages)

    async def offer(self, request: Request) -> Response:
        """Show the form that makes a space. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        member.require_admin("create spaces")
        return self._pages.render(request, "spaces/new.html", name="", problems={})

    async def create(self, request: Request) -> Response:
        """Make a space, which its maker manages. Raises Refused `session_ended`, `csrf_failed`, 403."""
        desk = self._pages.desk
        member, form, mark = await self._pages.sent_once(request, "spaces.create")
        try:
            name = name_in(form)
            async with once(desk, member, mark):
                space = await spaces.create(desk, member, name)
        except DoneBefore as done:
            space = await spaces.get(desk, member, done.id_of("space") or "")
        except Refused as refused:
            beside, status = problems(refused, "name"), refused.refusal.status
            return self._pages.render(request, "spaces/new.html", status, name=form.get("name", ""), problems=beside)
        return self._pages.go(request, f"/spaces/{space.id}", f"{space.name} was made. You are its manager.")

    async def offer_name(self, request: Request) -> Response:
        """Show the form that renames a space. Raises Refused `session_ended`, 403, 404."""
        member, space = await self._space(request)
        member.require_admin("rename spaces")
        return self._pages.render(request, "spaces/edit.html", space=space, name=space.name, problems={})

    async def rename(self, request: Request) -> Response:
        """Give a space another name. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "spaces.edit")
        _, space = await self._space(request)
        try:
            renamed = await spaces.rename(self._pages.desk, member, space.id, name_in(form))
        except Refused as refused:
            beside, status = problems(refused, "name"), refused.refusal.status
            return self._pages.render(request, "spaces/edit.html", status, space=space, name=form.get("name", ""), problems=beside)
        return self._pages.go(request, f"/spaces/{space.id}", f"The space is called {renamed.name} now.")

    async def ask_deletion(self, request: Request) -> Response:
        """Ask before a space is deleted. Raises Refused `session_ended`, 403, 404."""
        member, space = await self._space(request)
        member.require_admin("delete spaces")
        return self._pages.render(request, "spaces/delete.html", space=space)

    async def delete(self, request: Request) -> Response:
        """Delete a space. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "spaces.delete")
        deleted = await spaces.delete(self._pages.desk, member, request.path_params["space_id"])
        return self._pages.go(request, "/spaces", f"{deleted.name} is deleted. Nobody reaches what lay there any more.")

    async def offer_role(self, request: Request) -> Response:
        """Show who can be added to a space. Raises Refused `session_ended`, 403, 404."""
        member, space = await self._space(request)
        return await self._role_form(request, member, space, {}, {})

    async def give_role(self, request: Request) -> Response:
        """Add somebody to a space. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "spaces.add")
        _, space = await self._space(request)
        try:
            if not form.get("holder"):
                raise INVALID_REQUEST("Choose a person or an integration.", param="holder")
            holder = await spaces.set_role(self._pages.desk, member, space.id, form["holder"], _role(form))
        except Refused as refused:
            return await self._role_form(request, member, space, form, problems(refused, "holder", "role"), refused.refusal.status)
        return self._pages.go(request, f"/spaces/{space.id}", f"{holder.name} is {holder.role.value} here from now on.")

    async def ask_role(self, request: Request) -> Response:
        """Show the role of somebody, to change it or take it. Raises Refused `session_ended`, 403, 404."""
        member, space = await self._space(request)
        holder = await spaces.holder(self._pages.desk, member, space.id, request.path_params["holder_id"])
        return self._asked(request, space, holder, {})

    async def change_role(self, request: Request) -> Response:
        """Change somebody's role, or take it. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "spaces.role")
        _, space = await self._space(request)
        holder = await spaces.holder(self._pages.desk, member, space.id, request.path_params["holder_id"])
        if form.get("go") == "remove":
            await spaces.remove_role(self._pages.desk, member, space.id, holder.id)
            return self._pages.go(request, f"/spaces/{space.id}", f"{holder.name} is no longer in this space.")
        try:
            changed = await spaces.set_role(self._pages.desk, member, space.id, holder.id, _role(form))
        except Refused as refused:
            return self._asked(request, space, holder, problems(refused, "role"), refused.refusal.status)
        return self._pages.go(request, f"/spaces/{space.id}", f"{changed.name} is {changed.role.value} here from now on.")

    async def _space(self, request: Request) -> tuple[Principal, Space]:
        member = await self._pages.member(request)
        return member, await spaces.get(self._pages.desk, member, request.path_params["space_id"])

    async def _role_form(
        self, request: Request, member: Principal, space: Space, form: Mapping[str, str], beside: Mapping[str, str], status: int = 200
    ) -> Response:
        """The form that adds somebody. Raises Refused 403: only who may list people and integrations can choose among them."""
        desk, search = self._pages.desk, form.get("search", request.query_params.get("search", "")).strip() or None
        people = await members.page(desk, member, limit=OFFERED_MAX, search=search)
        programs = await integrations.page(desk, member, limit=OFFERED_MAX, search=search)
        options = [("", "Choose a person or an integration")] if people or programs else []
        options += [(one.id, f"{one.name} ({one.email})") for one in people]
        options += [(one.id, f"{one.name} (integration)") for one in programs]
        given = {"holder": form.get("holder", ""), "role": form.get("role", SpaceRole.VIEWER.value), "search": search or ""}
        return self._pages.render(request, "spaces/add.html", status, space=space, options=options, given=given, problems=beside)

    def _asked(self, request: Request, space: Space, holder: Holder, beside: Mapping[str, str], status: int = 200) -> Response:
        return self._pages.render(request, "spaces/role.html", status, space=space, holder=holder, problems=beside)


def _role(form: Mapping[str, str]) -> SpaceRole:
    try:
        return SpaceRole(form.get("role", ""))
    except ValueError:
        raise INVALID_REQUEST("Choose viewer, contributor or manager.", param="role") from None
