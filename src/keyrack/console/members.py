"""Members: who is in the workspace, what each may do, and who leaves it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.integration_forms import CATEGORIES_MAX, IntegrationForm
from keyrack.console.key_forms import day_of, end_of_day
from keyrack.console.lists import BY_TIME_AND_NAME, ROWS
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import keys, mail, members, passwords, spaces
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.permissions import OrgAccess, Rights
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, INVALID_REQUEST, NOT_FOUND, Refused

ROLES = (
    (Role.MEMBER.value, "Member", "Reads everything outside spaces, and whatever else you give them."),
    (Role.ADMIN.value, "Admin", "Reads and writes everything outside spaces; manages keys, people and settings."),
    (Role.OWNER.value, "Owner", "An admin who also makes owners, and can hand everything over."),
)
"""The roles as forms offer them: value, title, and what it means."""
ASKED = ("role", "deactivate", "remove", "transfer")


class Line(NamedTuple):
    """A member as they stand in the list: `access` in a few words, and what whoever looks may do to them."""

    member: Member
    access: str
    is_self: bool
    may_edit: bool
    may_transfer: bool


class MemberPages:
    """The pages about members."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._form = IntegrationForm(pages)

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/members", self.show, methods=["GET"]),
            Route("/console/members/{member_id}/edit", self.offer_changes, methods=["GET"]),
            Route("/console/members/{member_id}/edit", self.edit, methods=["POST"]),
            Route("/console/members/{member_id}/activate", self.activate, methods=["POST"]),
            Route("/console/members/{member_id}/password", self.ask_password, methods=["GET"]),
            Route("/console/members/{member_id}/password", self.link_password, methods=["POST"]),
            Route("/console/members/{member_id}/{what}", self.ask, methods=["GET"]),
            Route("/console/members/{member_id}/{what}", self.change, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list."""
        return [Entry("members", "/members", "Members", "users", tab="Members", group=self._pages.brand.navigation[0], for_admins=True)]

    async def show(self, request: Request) -> Response:
        """Show the members. Raises Refused `session_ended`, 403, 400."""
        member = await self._pages.member(request)
        query = self._pages.query(request, member, "search", "role", "status", orders=BY_TIME_AND_NAME)
        asked = query.filters
        found = await members.page(
            self._pages.desk,
            member,
            limit=ROWS + 1,
            after=query.place,
            role=read_role(asked["role"]) if asked["role"] else None,
            status=_status(asked["status"]) if asked["status"] else None,
            search=asked["search"] or None,
            order=query.order,
        )
        own = await self._own(member)
        listing = query.page([_line(one, own, member) for one in found], lambda line: query.order.place(line.member))
        return self._pages.render(request, "members/list.html", listing=listing, may_leave=member.decides_roles)

    async def offer_changes(self, request: Request) -> Response:
        """Show the form of what a member may do. Raises Refused `session_ended`, 403, 404."""
        member, one = await self._found(request, "edit")
        form = IntegrationForm.of_rights("", one.rights) | {"may_use_api": "yes" if one.may_use_api else ""}
        form |= {"partner": one.partner or "", "access_until": day_of(one.access_until)}
        return self._pages.render(request, "members/edit.html", problems={}, **await self._shown(member, one, form))

    async def edit(self, request: Request) -> Response:
        """Change what a member may do. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "members.edit", CATEGORIES_MAX)
        member_id = request.path_params["member_id"]
        try:
            _, before = await self._found(request, "edit")
            one = await members.edit(self._pages.desk, member, member_id, **self._chosen(form, before))
        except Refused as refused:
            _, one = await self._found(request, "edit")
            values = await self._shown(member, one, form)
            beside = ["org_access", "permissions", "partner", "access_until"]
            return self._pages.again(request, "members/edit.html", refused, beside, **values)
        return self._pages.go(request, "/members", f"What {one.name} may do is changed.")

    async def ask(self, request: Request) -> Response:
        """Ask before something is done to a member, and say what that ends. Raises Refused `session_ended`, 403, 404."""
        what = _asked(request)
        member, one = await self._found(request, what)
        return await self._asked(request, what, member, one)

    async def change(self, request: Request) -> Response:
        """Do it. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        what, member_id, desk = _asked(request), request.path_params["member_id"], self._pages.desk
        member, form = await self._pages.sent(request, f"members.{what}")
        try:
            match what:
                case "role":
                    one = await members.edit(desk, member, member_id, role=read_role(form.get("role", "")))
                    said = f"{one.name} is {one.role.value} now."
                case "deactivate":
                    one = await members.edit(desk, member, member_id, status=MemberStatus.INACTIVE)
                    said = f"{one.name} is deactivated: signed out, and refused until they are activated again."
                case "remove":
                    one = await members.remove(desk, member, member_id)
                    return await self._removed(request, member, one)
                case _:
                    one = await members.transfer(desk, member, member_id)
                    said = f"{one.name} is the owner now, and you are an admin."
        except Refused as refused:
            one = await members.get(desk, member, member_id)
            return self._pages.again(request, f"members/{what}.html", refused, ["role"], **await self._values(member, one))
        return self._pages.go(request, "" if one.id == member.member_id else "/members", said)

    async def activate(self, request: Request) -> Response:
        """Let a member act again. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "members.activate")
        one = await members.edit(self._pages.desk, member, request.path_params["member_id"], status=MemberStatus.ACTIVE)
        return self._pages.go(request, "/members", f"{one.name} is active again.")

    async def ask_password(self, request: Request) -> Response:
        """Ask before a link for a new password is made. Raises Refused `session_ended`, 403, 404."""
        member, one = await self._found(request, "password")
        return await self._asked(request, "password", member, one)

    async def link_password(self, request: Request) -> Response:
        """Make a link for a new password, and show it this once. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "members.password")
        member_id = request.path_params["member_id"]
        one = await members.get(self._pages.desk, member, member_id)
        try:
            secret = await passwords.reset_link(self._pages.desk, member, member_id)
        except Refused as refused:
            return self._pages.again(request, "members/password.html", refused, (), **await self._values(member, one))
        url = mail.link_url(self._pages.addresses.outside(request), mail.PASSWORD_PATH, secret)
        return self._pages.render(request, "members/password_link.html", one=one, url=url)

    async def _own(self, member: Principal) -> Member:
        return await members.get(self._pages.desk, member, member.member_id or "")

    async def _found(self, request: Request, what: str) -> tuple[Principal, Member]:
        """Return who looks, and at whom. Raises Refused 403 where what is asked about will be refused to them."""
        member = await self._pages.member(request)
        one = await members.get(self._pages.desk, member, request.path_params["member_id"])
        line = _line(one, await self._own(member), member)
        if not (line.may_transfer if what == "transfer" else line.may_edit):
            raise INSUFFICIENT_PERMISSION("Only an owner makes owners, changes or removes them, and hands the workspace over.")
        if what in ("role", "password") and not member.decides_roles:
            raise INSUFFICIENT_PERMISSION("Sign in to the console by yourself to do this.")
        return member, one

    def _chosen(self, form: Mapping[str, str], before: Member) -> dict[str, Any]:
        """What a form gives a member."""
        chosen = self._form.of_person(form) | {"may_use_api": form.get("may_use_api") == "yes"}
        until = form.get("access_until", "")
        if until != day_of(before.access_until):
            chosen["access_until"] = end_of_day(until, "access_until") if until else None
        return chosen | {"partner": form.get("partner", "")}

    async def _shown(self, member: Principal, one: Member, form: Mapping[str, str]) -> dict[str, Any]:
        given = self._form.given(form)
        if given["all"]:
            given["levels"] = {name: form.get(f"level.{name}", "write") for name in given["levels"]}
        found = await spaces.named(self._pages.desk, member, list(one.rights.spaces)) if one.rights.spaces else []
        roles = [(space, one.rights.spaces[space.id].value) for space in found]
        return {
            "one": one,
            "given": given,
            "may_use_api": form.get("may_use_api") == "yes",
            "partner": form.get("partner", ""),
            "access_until": form.get("access_until", ""),
            "categories": self._pages.categories,
            "roles": roles,
        }

    async def _values(self, member: Principal, one: Member) -> dict[str, Any]:
        keys_made = await keys.count_accepted(self._pages.desk, member, known_to=one.id)
        return {"one": one, "roles": ROLES, "role": one.role.value, "in_spaces": len(one.rights.spaces), "keys_made": keys_made}

    async def _asked(self, request: Request, what: str, member: Principal, one: Member) -> Response:
        return self._pages.render(request, f"members/{what}.html", problems={}, **await self._values(member, one))

    async def _removed(self, request: Request, member: Principal, one: Member) -> Response:
        """Lead on from a removal: to the keys that somebody made and may have kept, where they can be rotated."""
        if one.id == member.member_id:
            return self._pages.go(request, "", f"{one.name} is no longer a member.")
        made = await keys.count_accepted(self._pages.desk, member, known_to=one.id)
        if not made or "keys" not in self._pages.brand.lists:
            return self._pages.go(request, "/members", f"{one.name} is no longer a member.")
        counted = "1 key that they made or were shown works" if made == 1 else f"{made:,} keys that they made or were shown work"
        said = f"{one.name} is no longer a member. {counted} on: rotate what they may have a copy of."
        return self._pages.go(request, f"/keys?maker={one.id}", said, tone="warning")


def access_of(rights: Rights) -> str:
    """Say in a few words what rights reach."""
    parts = {OrgAccess.ADMIN: ["Admin"], OrgAccess.READER: ["Reader"], OrgAccess.NONE: []}[rights.org_access]
    counted = (("category", "categories", 0 if rights.has_all else len(rights.permissions)), ("space", "spaces", len(rights.spaces)))
    parts = parts + (["everything"] if rights.has_all else [])
    parts += [f"{count} {one if count == 1 else several}" for one, several, count in counted if count]
    return ", ".join(parts) or "Nothing"


def _line(one: Member, own: Member, member: Principal) -> Line:
    is_self = one.id == own.id
    may_edit = one.role is not Role.OWNER or (own.role is Role.OWNER and member.decides_roles)
    may_transfer = own.role is Role.OWNER and member.decides_roles and not is_self and one.status is MemberStatus.ACTIVE
    return Line(one, access_of(one.rights), is_self, may_edit, may_transfer)


def _asked(request: Request) -> str:
    what: str = request.path_params["what"]
    if what not in ASKED:
        raise NOT_FOUND("There is no such page.")
    return what


def read_role(word: str) -> Role:
    """Return a role as a form names it. Raises Refused 400."""
    try:
        return Role(word)
    except ValueError:
        raise INVALID_REQUEST("Choose owner, admin or member.", param="role") from None


def _status(word: str) -> MemberStatus:
    try:
        return MemberStatus(word)
    except ValueError:
        raise INVALID_REQUEST("Choose active or inactive.", param="status") from None
