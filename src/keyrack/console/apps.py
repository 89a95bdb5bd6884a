"""Developer's corner: the workspace's own apps, registering one, its client secret, and deleting it."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.fields import name_in
from keyrack.console.forms import problems
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import apps
from keyrack.manage.apps import Registered
from keyrack.manage.once import DoneBefore, once
from keyrack.model.apps import App, in_words, offered
from keyrack.model.refusals import Refused

AT = "/apps"
APPS_SHOWN_MAX = 100
FIELDS_MAX = 200


class AppPages:
    """The pages about apps that the workspace has registered."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route(f"/console{AT}", self.show, methods=["GET"]),
            Route(f"/console{AT}/new", self.offer, methods=["GET"]),
            Route(f"/console{AT}/new", self.create, methods=["POST"]),
            Route(f"/console{AT}/{{app_id}}/secret", self.ask_rotation, methods=["GET"]),
            Route(f"/console{AT}/{{app_id}}/secret", self.rotate, methods=["POST"]),
            Route(f"/console{AT}/{{app_id}}/delete", self.ask_deletion, methods=["GET"]),
            Route(f"/console{AT}/{{app_id}}/delete", self.delete, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list."""
        return [Entry("apps", AT, "Developer’s corner", "api", tab="My apps", group=self._pages.brand.navigation[0], for_admins=True)]

    async def show(self, request: Request) -> Response:
        """Show the apps. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        found = await apps.page(self._pages.desk, member, limit=APPS_SHOWN_MAX)
        return self._pages.render(request, "apps/list.html", found=found, issuer=self._pages.addresses.outside(request).rstrip("/"))

    async def offer(self, request: Request) -> Response:
        """Show the form of a new app. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        member.require_admin("register apps")
        return self._new(request, {}, {})

    async def create(self, request: Request) -> Response:
        """Register an app, and show its secret this once. Raises Refused `session_ended`, `csrf_failed`, 403."""
        member, form, mark = await self._pages.sent_once(request, "apps.create", FIELDS_MAX)
        chosen: dict[str, Any] = {
            "redirect_uris": form.get("redirect_uris", "").split(),
            "scopes": [scope for scope in offered(self._pages.desk.categories) if form.get(f"scope.{scope}") == "yes"],
            "public": form.get("public") == "yes",
            "homepage_url": form.get("homepage_url", ""),
        }
        try:
            name = name_in(form)
            async with once(self._pages.desk, member, mark):
                made = await apps.create(self._pages.desk, member, name=name, **chosen)
        except DoneBefore:
            return self._issued_before(request)
        except Refused as refused:
            return self._new(request, form, problems(refused, "name", "redirect_uris", "scopes", "homepage_url"), refused.refusal.status)
        return self._issued(request, made)

    async def ask_rotation(self, request: Request) -> Response:
        """Ask before an app gets another secret. Raises Refused `session_ended`, 403, 404."""
        return self._pages.render(request, "apps/rotate.html", app=await self._app(request))

    async def rotate(self, request: Request) -> Response:
        """Give an app another secret, and show it this once. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        member, _, mark = await self._pages.sent_once(request, "apps.rotate")
        try:
            async with once(self._pages.desk, member, mark):
                made = await apps.rotate_secret(self._pages.desk, member, request.path_params["app_id"])
        except DoneBefore:
            return self._issued_before(request)
        return self._issued(request, made)

    async def ask_deletion(self, request: Request) -> Response:
        """Ask before an app is deleted. Raises Refused `session_ended`, 403, 404."""
        return self._pages.render(request, "apps/delete.html", app=await self._app(request))

    async def delete(self, request: Request) -> Response:
        """Delete an app. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "apps.delete")
        app = await apps.get(self._pages.desk, member, request.path_params["app_id"])
        await apps.delete(self._pages.desk, member, app.id)
        return self._pages.go(request, AT, f"{app.name} is deleted. Whatever it was let into refuses it from now on.")

    async def _app(self, request: Request) -> App:
        return await apps.get(self._pages.desk, await self._pages.member(request), request.path_params["app_id"])

    def _new(self, request: Request, form: Mapping[str, str], beside: Mapping[str, str], status: int = 200) -> Response:
        categories = self._pages.desk.categories
        scopes = [(scope, in_words(scope, categories), form.get(f"scope.{scope}") == "yes") for scope in offered(categories)]
        given = {name: form.get(name, "") for name in ("name", "redirect_uris", "homepage_url", "public")}
        return self._pages.render(request, "apps/new.html", status, given=given, scopes=scopes, problems=beside)

    def _issued(self, request: Request, made: Registered) -> Response:
        return self._pages.render(request, "apps/issued.html", app=made.app, secret=made.secret)

    def _issued_before(self, request: Request) -> Response:
        said = "The secret was made the first time that you pressed, and shown then. Rotate it if you missed it."
        return self._pages.go(request, AT, said, tone="warning")
