"""The settings of a workspace, and the switch for showing secrets again, which asks for a fresh proof in place."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.usage import limit_words
from keyrack.manage import passwords, revealing, sessions, workspaces
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, INVALID_REQUEST, PROOF_REQUIRED, Refused
from keyrack.model.sessions import is_fresh


class SettingsPages:
    """The pages about how a workspace is set."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/settings", self.show, methods=["GET"]),
            Route("/console/settings", self.rename, methods=["POST"]),
            Route("/console/settings/revealing", self.ask, methods=["GET"]),
            Route("/console/settings/revealing", self.switch, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The settings."""
        return [Entry("settings", "/settings", "General", "settings", group=self._pages.brand.navigation[0], for_admins=True)]

    async def show(self, request: Request) -> Response:
        """Show how the workspace is set. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        workspace = await workspaces.get(self._pages.desk, member)
        return self._pages.render(request, "workspaces/settings.html", problems={}, **self._shown(member, workspace.name))

    async def rename(self, request: Request) -> Response:
        """Rename the workspace. Raises Refused `session_ended`, `csrf_failed`, 403."""
        member, form = await self._pages.sent(request, "settings.name")
        name = form.get("name", "")
        try:
            renamed = await workspaces.rename(self._pages.desk, member, name)
        except Refused as refused:
            member.require_admin("rename the workspace")
            return self._pages.again(request, "workspaces/settings.html", refused, ["name"], **self._shown(member, name))
        return self._pages.go(request, "/settings", f"It is called {renamed.name} now.")

    async def ask(self, request: Request) -> Response:
        """Ask before the showing of secrets is switched, and say what that ends. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        _require_say(member)
        return self._pages.render(request, "workspaces/revealing.html", problems={}, **await proof_asked(self._pages, member))

    async def switch(self, request: Request) -> Response:
        """Switch the showing of secrets. Raises Refused `session_ended`, `csrf_failed`, 403."""
        member, form = await self._pages.sent(request, "settings.revealing")
        _require_say(member)
        try:
            if form.get("revealing") not in ("on", "off"):
                raise INVALID_REQUEST("This form says neither on nor off.")
            member = await prove(self._pages, request, member, form)
            workspace = await revealing.switch(self._pages.desk, member, form["revealing"] == "on")
        except Refused as refused:
            asked = await proof_asked(self._pages, member)
            return self._pages.again(request, "workspaces/revealing.html", refused, ["password"], **asked)
        said = "shown again to admins who ask" if workspace.revealing else "shown once only, and kept copies are destroyed"
        return self._pages.go(request, "/settings", f"Secrets of keys made from now on are {said}.")

    def _shown(self, member: Principal, name: str) -> dict[str, Any]:
        plan = self._pages.desk.plans.get(member.workspace.plan)
        quotas = [(meter, plan.meters[meter.name]) for meter in self._pages.desk.meters.values()] if plan else []
        return {"name": name, "plan": plan, "quotas": quotas, "limit_words": limit_words, "may_reveal": member.decides_roles}


def _require_say(member: Principal) -> None:
    member.require_admin("switch the showing of secrets")
    if not member.decides_roles:
        raise INSUFFICIENT_PERMISSION("Sign in to the console by yourself to do this.")


async def proof_asked(pages: Pages, member: Principal) -> dict[str, Any]:
    """Return what `proof.html` shows: whether a proof is asked for, and how this person can give it."""
    fresh = is_fresh(member.proved_at, pages.desk.now())
    openid = pages.desk.outside.openid
    has_password = not fresh and member.decides_roles and await passwords.is_set(pages.desk, member)
    return {"asks_proof": not fresh, "has_password": has_password, "openid": openid.name if openid else ""}


async def prove(pages: Pages, request: Request, member: Principal, form: Mapping[str, str]) -> Principal:
    """Return the member as they are once the password in a form has proved them, where it was asked for and given.

    Raises Refused: `sign_in_failed` beside `password`; 400 where it was asked for and is missing; `too_many_failures`.
    """
    if is_fresh(member.proved_at, pages.desk.now()):
        return member
    if not form.get("password"):
        raise PROOF_REQUIRED("For this, prove that it is you.", param="password")
    await sessions.prove(pages.desk, member, password=form["password"], address=pages.address(request))
    return await pages.member(request)
