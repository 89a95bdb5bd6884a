"""Invitations: made, listed, renewed and taken back by admins, and accepted through their link by whoever they are for."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console import space_access
from keyrack.console.forms import read_form
from keyrack.console.integration_forms import CATEGORIES_MAX, IntegrationForm
from keyrack.console.lists import BY_TIME, ROWS
from keyrack.console.members import ROLES, access_of, read_role
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.sessions import whole
from keyrack.console.space_access import ACCESS_FIELDS_MAX
from keyrack.manage import invitations, mail, members, people, sessions
from keyrack.manage.invitations import Invited, Offer
from keyrack.manage.once import DoneBefore, once
from keyrack.model.members import Role
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT, NOT_FOUND, Refused

ORDERS = {**BY_TIME, "expires_at": "Expires first", "-expires_at": "Expires last"}


class InvitationPages:
    """The pages about invitations, for who invites."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._form = IntegrationForm(pages)

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/invitations", self.show, methods=["GET"]),
            Route("/console/invitations", self.create, methods=["POST"]),
            Route("/console/invitations/new", self.offer, methods=["GET"]),
            Route("/console/invitations/{invitation_id}/renew", self.renew, methods=["POST"]),
            Route("/console/invitations/{invitation_id}/revoke", self.ask_revoke, methods=["GET"]),
            Route("/console/invitations/{invitation_id}/revoke", self.revoke, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list, as a tab of the members."""
        return [
            Entry("members", "/invitations", "Members", "users", tab="Invitations", group=self._pages.brand.navigation[0], for_admins=True)
        ]

    async def show(self, request: Request) -> Response:
        """Show the invitations that wait, or with the filter the others. Raises Refused `session_ended`, 403, 400."""
        member = await self._pages.member(request)
        query = self._pages.query(request, member, "state", orders=ORDERS)
        is_open = query.filters["state"] != "over"
        found = await invitations.page(self._pages.desk, member, limit=ROWS + 1, after=query.place, is_open=is_open, order=query.order)
        now = self._pages.desk.now()
        listing = query.page([(one, one.state(now), access_of(one.rights)) for one in found], lambda row: query.order.place(row[0]))
        return self._pages.render(request, "invitations/list.html", listing=listing)

    async def offer(self, request: Request) -> Response:
        """Show the form that invites. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        member.require_admin("invite people")
        return self._pages.render(request, "invitations/new.html", problems={}, **await self._given(member, {}))

    async def create(self, request: Request) -> Response:
        """Invite somebody, by mail or with a link that is shown this once, or go to the step that was asked for: their spaces, and back.

        Raises Refused `session_ended`, `csrf_failed`, 403.
        """
        desk = self._pages.desk
        member, form, mark = await self._pages.sent_once(request, "invitations.create", ACCESS_FIELDS_MAX + CATEGORIES_MAX)
        member.require_admin("invite people")
        asked = form.get("go", "invite")
        if asked == "back":
            return self._pages.render(request, "invitations/new.html", problems={}, **await self._given(member, form))
        if asked != "invite":
            return await self._spaces(request, member, form)
        try:
            chosen = self._chosen(form)
            async with once(desk, member, mark):
                invited = await invitations.create(desk, member, email=form.get("email", ""), **chosen)
        except DoneBefore as done:
            return await self._handed_over_before(request, member, done)
        except Refused as refused:
            if refused.refusal is NOT_FOUND:
                form = await space_access.without_deleted(self._pages, member, form)
                return await self._spaces(request, member, form, {"": space_access.GONE}, CONFLICT.status)
            values = await self._given(member, form)
            return self._pages.again(request, "invitations/new.html", refused, ["email", "role", "org_access", "permissions"], **values)
        return self._handed_over(request, invited)

    async def renew(self, request: Request) -> Response:
        """Give an invitation a new link. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        member, _ = await self._pages.sent(request, "invitations.renew")
        return self._handed_over(request, await invitations.renew(self._pages.desk, member, request.path_params["invitation_id"]))

    async def ask_revoke(self, request: Request) -> Response:
        """Ask before an invitation is taken back. Raises Refused `session_ended`, 403, 404."""
        member = await self._pages.member(request)
        one = await invitations.get(self._pages.desk, member, request.path_params["invitation_id"])
        return self._pages.render(request, "invitations/revoke.html", one=one)

    async def revoke(self, request: Request) -> Response:
        """Take an invitation back. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        member, _ = await self._pages.sent(request, "invitations.revoke")
        one = await invitations.revoke(self._pages.desk, member, request.path_params["invitation_id"])
        return self._pages.go(request, "/invitations", f"The invitation of {one.email} is taken back. Its link lets nobody in.")

    def _chosen(self, form: Mapping[str, str]) -> dict[str, Any]:
        """What a form offers. What is chosen for a member is no admin's: theirs is the role's own. Raises Refused 400."""
        role = read_role(form.get("role", Role.MEMBER.value))
        chosen = {"role": role, "spaces": space_access.roles_in(form), "may_use_api": form.get("may_use_api") == "yes"}
        return chosen | (self._form.of_person(form) if role is Role.MEMBER and "org_access" in form else {})

    async def _given(self, member: Principal, form: Mapping[str, str]) -> dict[str, Any]:
        """The form as it was filled in, with the roles that this member may give."""
        own = await members.get(self._pages.desk, member, member.member_id or "")
        roles = [one for one in ROLES if one[0] != Role.OWNER.value or own.role is Role.OWNER]
        roles = roles if member.decides_roles else roles[:1]
        chosen = {name: value for name, value in form.items() if name.startswith("role.") and value}
        given = {"email": form.get("email", ""), "role": form.get("role", Role.MEMBER.value), "may_use_api": form.get("may_use_api", "")}
        rights = self._form.given({**IntegrationForm.of_rights("", Role.MEMBER.default_rights), **form})
        return {"given": rights | given, "roles": roles, "chosen": chosen, "categories": self._pages.categories}

    async def _spaces(
        self, request: Request, member: Principal, form: Mapping[str, str], beside: Mapping[str, str] | None = None, status: int = 200
    ) -> Response:
        """The step in which spaces are chosen, with what was written in the first."""
        offered, values = await space_access.offer(self._pages, member, form), await self._given(member, form)
        values["carried"] = self._form.details(form)
        return self._pages.render(request, "invitations/new_access.html", status, offered=offered, problems=beside or {}, **values)

    def _handed_over(self, request: Request, invited: Invited) -> Response:
        one = invited.invitation
        if invited.secret is None:
            return self._pages.go(request, "/invitations", f"An invitation is on its way to {one.email}.")
        url = mail.link_url(self._pages.addresses.outside(request), mail.INVITATION_PATH, invited.secret)
        return self._pages.render(request, "invitations/link.html", one=one, url=url)

    async def _handed_over_before(self, request: Request, member: Principal, done: DoneBefore) -> Response:
        """Answer a form that was sent again: there is one invitation, and its link was in the first answer."""
        one = await invitations.get(self._pages.desk, member, done.id_of("invitation") or "")
        if self._pages.desk.outside.sends_mail:
            return self._handed_over(request, Invited(one, None))
        said = f"{one.email} was invited the first time that you pressed, and the link was shown then. Choose New link if you missed it."
        return self._pages.go(request, "/invitations", said, tone="warning")


class JoiningPages:
    """The page behind an invitation's link."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/invitation", self.offer, methods=["GET"]),
            Route("/console/invitation", self.accept, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """Nothing: who is signed in does not look for it."""
        return []

    async def offer(self, request: Request) -> Response:
        """Show what a link offers. Only the form on this page accepts it. Raises Refused `link_ended`, `too_many_failures`."""
        link = whole(request.query_params.get("link", ""))
        offer = await invitations.look(self._pages.desk, link, address=self._pages.address(request))
        session = await self._session(request, offer)
        shown: dict[str, Any] = {"offer": offer, "is_self": session is not None, "link": link, "name": ""}
        return self._pages.render(request, "invitations/accept.html", problems={}, **shown)

    async def accept(self, request: Request) -> Response:
        """Accept the invitation and begin a session. Raises Refused `link_ended`, `csrf_failed`, `too_many_failures`."""
        form = await read_form(request)
        pages, link = self._pages, whole(form.get("link", ""))
        address, name, password = pages.address(request), form.get("name", ""), form.get("password", "")
        offer = await invitations.look(pages.desk, link, address=address)
        session = await self._session(request, offer)
        try:
            signed_in = await invitations.accept(pages.desk, link, address=address, name=name, password=password, session=session)
        except Refused as refused:
            shown = {"offer": offer, "is_self": session is not None, "link": link, "name": name}
            return pages.again(request, "invitations/accept.html", refused, ["name", "password"], **shown)
        if session is not None:
            await sessions.end(pages.desk, session)
        return await pages.arrive(request, signed_in)

    async def _session(self, request: Request, offer: Offer) -> Principal | None:
        """The session of the very person whom the invitation is for."""
        desk = self._pages.desk
        session = await sessions.find(desk, self._pages.cookies.session(request))
        if session is None or not session.decides_roles:
            return None
        mine = await people.workspaces_of(desk, session)
        return session if any(one.member.email == offer.invitation.email for one in mine) else None
