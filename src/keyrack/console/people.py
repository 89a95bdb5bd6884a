"""People: what somebody sets for themselves, where they are signed in, and which of their workspaces they look at."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.forms import problems
from keyrack.console.navigation import Entry, own_entry
from keyrack.console.pages import HELPERS_MAX, Pages
from keyrack.console.settings import proof_asked
from keyrack.manage import members, passwords, people, sessions
from keyrack.model.principals import Principal
from keyrack.model.refusals import Refused


class PeoplePages:
    """The pages about whoever is signed in."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/preferences", self.show, methods=["GET"]),
            Route("/console/preferences", self.rename, methods=["POST"]),
            Route("/console/preferences/password", self.change_password, methods=["POST"]),
            Route("/console/preferences/sign-outs", self.end_others, methods=["POST"]),
            Route("/console/workspaces", self.workspaces, methods=["GET"]),
            Route("/console/workspaces", self.switch, methods=["POST"]),
            Route("/console/leave", self.ask_leave, methods=["GET"]),
            Route("/console/leave", self.leave, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The preferences, where tokens stand beside them; else one's name at the foot of the sidebar leads there."""
        brand = self._pages.brand
        if not brand.personal_tokens:
            return []
        return [own_entry(brand.navigation[0], "/preferences", "You")]

    async def show(self, request: Request) -> Response:
        """Show the preferences. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        return await self._preferences(request, member, member.credential_name, {})

    async def rename(self, request: Request) -> Response:
        """Change the person's name. Raises Refused `session_ended`, `csrf_failed`, 403."""
        member, form = await self._pages.sent(request, "preferences.name")
        try:
            await people.rename(self._pages.desk, member, form.get("name", ""))
        except Refused as refused:
            return await self._preferences(request, member, form.get("name", ""), problems(refused, "name"), refused)
        return self._pages.go(request, "/preferences", "Your name is changed.")

    async def change_password(self, request: Request) -> Response:
        """Change the password; the person's other sign-ins end. Raises Refused `session_ended`, `csrf_failed`, 403."""
        member, form = await self._pages.sent(request, "preferences.password")
        address = self._pages.address(request)
        try:
            await passwords.change_own(
                self._pages.desk, member, current=form.get("current", ""), new=form.get("password", ""), address=address
            )
        except Refused as refused:
            beside = problems(refused, "current", "password")
            # What belongs to no field stands at the top of its own card.
            told = {name or "all": text for name, text in beside.items()}
            return await self._preferences(request, member, member.credential_name, told, refused)
        return self._pages.go(request, "/preferences", "Your password is changed. Your other sign-ins have ended.")

    async def end_others(self, request: Request) -> Response:
        """End the person's other sessions. Raises Refused `session_ended`, `csrf_failed`, 403."""
        member, _ = await self._pages.sent(request, "preferences.sign-outs")
        ended = await sessions.end_all(self._pages.desk, member, but_this=True)
        return self._pages.go(request, "/preferences", f"{ended} other {'sign-in has' if ended == 1 else 'sign-ins have'} ended.")

    async def workspaces(self, request: Request) -> Response:
        """Show the workspaces that the person is in. Raises Refused `session_ended`."""
        member = await self._pages.member(request)
        mine = await people.workspaces_of(self._pages.desk, member)
        return self._pages.render(request, "people/workspaces.html", mine=mine)

    async def switch(self, request: Request) -> Response:
        """Go on in another workspace. Raises Refused `session_ended`, `csrf_failed`, 404."""
        member, form = await self._pages.sent(request, "workspaces.switch")
        return await self._pages.arrive(request, await sessions.switch(self._pages.desk, member, form.get("workspace_id", "")))

    async def ask_leave(self, request: Request) -> Response:
        """Ask before somebody leaves the workspace. Raises Refused `session_ended`."""
        await self._pages.member(request)
        return self._pages.render(request, "people/leave.html", problems={})

    async def leave(self, request: Request) -> Response:
        """Leave the workspace. Raises Refused `session_ended`, `csrf_failed`, 403."""
        member, _ = await self._pages.sent(request, "leave")
        try:
            await members.leave(self._pages.desk, member)
        except Refused as refused:
            return self._pages.again(request, "people/leave.html", refused, ())
        answer = self._pages.go(request, "/sign-in", f"You have left {member.workspace.name}.")
        self._pages.cookies.end_session(request, answer)
        return answer

    async def _preferences(
        self, request: Request, member: Principal, name: str, beside: Mapping[str, str], refused: Refused | None = None
    ) -> Response:
        desk = self._pages.desk
        values: dict[str, Any] = {
            **await proof_asked(self._pages, member),
            "name": name,
            "problems": beside,
            "open": await sessions.open_of(desk, member),
            "has_password": await passwords.is_set(desk, member),
            "helpers": [] if member.may_use_api else await members.admins(desk, member, limit=HELPERS_MAX),
            "email": next(one.member.email for one in await people.workspaces_of(desk, member)),
        }
        page = self._pages.render(request, "people/preferences.html", refused.refusal.status if refused else 200, **values)
        page.headers.update(refused.headers if refused else {})
        return page
