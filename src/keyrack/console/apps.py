"""Developer's corner: the workspace's own apps, registering and changing one, its secret and webhook, and shutting one out."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console import app_forms
from keyrack.console.app_forms import FIELDS, FIELDS_MAX
from keyrack.console.forms import problems
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import apps, endpoints, grants, request_logs
from keyrack.manage.apps import Registered
from keyrack.manage.grants import APP_UNINSTALLED
from keyrack.manage.once import DoneBefore, once
from keyrack.model.apps import App, in_words
from keyrack.model.call_counts import Subject
from keyrack.model.principals import Principal
from keyrack.model.refusals import Refused

AT = "/apps"
APPS_SHOWN_MAX = 100
ENDPOINTS_SHOWN_MAX = 20


class AppPages:
    """The pages about apps: those that the workspace has registered, and uninstalling whichever members have let in."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        one = f"/console{AT}/{{app_id}}"
        asked = (
            ("secret", self.ask_rotation, self.rotate),
            ("edit", self.offer_changes, self.edit),
            ("webhook", self.offer_webhook, self.add_webhook),
            ("uninstall", self.ask_uninstall, self.uninstall),
            ("delete", self.ask_deletion, self.delete),
        )
        return [
            Route(f"/console{AT}", self.show, methods=["GET"]),
            Route(f"/console{AT}/new", self.offer, methods=["GET"]),
            Route(f"/console{AT}/new", self.create, methods=["POST"]),
            Route(one, self.details, methods=["GET"]),
            *(Route(f"{one}/{what}", ask, methods=["GET"]) for what, ask, _ in asked),
            *(Route(f"{one}/{what}", answer, methods=["POST"]) for what, _, answer in asked),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list."""
        return [Entry("apps", AT, "Developer’s corner", "api", tab="My apps", group=self._pages.brand.navigation[0], for_admins=True)]

    async def show(self, request: Request) -> Response:
        """Show the apps. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        found = [(one.app, one.grants) for one in await apps.page(self._pages.desk, member, limit=APPS_SHOWN_MAX)]
        return self._pages.render(request, "apps/list.html", found=found, issuer=self._pages.addresses.outside(request).rstrip("/"))

    async def details(self, request: Request) -> Response:
        """Show an app: what it asks for, who lets it in, and how much it calls. Raises Refused `session_ended`, 403, 404."""
        member, app = await self._own(request)
        desk = self._pages.desk
        return self._pages.render(
            request,
            "apps/details.html",
            app=app,
            words=[in_words(scope, desk.categories, "the member is") for scope in app.scopes],
            own_words=[in_words(scope, desk.categories) for scope in app.own_scopes],
            here_grants=(await apps.get(desk, member, app.id)).grants,
            elsewhere=await apps.grants_elsewhere(desk, member, app.id),
            calls=await request_logs.calls_last_hour(desk, member, Subject("app", app.id)),
            endpoints=await endpoints.page(desk, member, limit=ENDPOINTS_SHOWN_MAX, app_id=app.id),
        )

    async def offer(self, request: Request) -> Response:
        """Show the form of a new app. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        member.require_admin("register apps")
        return self._form(request, {}, {})

    async def create(self, request: Request) -> Response:
        """Register an app, and show its secret this once. Raises Refused `session_ended`, `csrf_failed`, 403."""
        member, form, mark = await self._pages.sent_once(request, "apps.create", FIELDS_MAX)
        try:
            fields = app_forms.chosen(self._pages, form)
            async with once(self._pages.desk, member, mark):
                made = await apps.create(self._pages.desk, member, public=form.get("public") == "yes", **fields)
        except DoneBefore:
            return self._issued_before(request)
        except Refused as refused:
            return self._form(request, form, problems(refused, *FIELDS), refused.refusal.status)
        return self._issued(request, made)

    async def offer_changes(self, request: Request) -> Response:
        """Show the form that changes an app. Raises Refused `session_ended`, 403, 404."""
        _, app = await self._own(request)
        return self._form(request, app_forms.as_written(self._pages, app), {}, app=app)

    async def edit(self, request: Request) -> Response:
        """Change an app. What is taken from it ends at once. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "apps.edit", FIELDS_MAX)
        _, app = await self._own(request)
        try:
            await apps.edit(self._pages.desk, member, app.id, **app_forms.chosen(self._pages, form))
        except Refused as refused:
            return self._form(request, form, problems(refused, *FIELDS), refused.refusal.status, app=app)
        return self._pages.go(request, f"{AT}/{app.id}", "The app is saved. What it may do no more is refused from now on.")

    async def ask_rotation(self, request: Request) -> Response:
        """Ask before an app gets another secret. Raises Refused `session_ended`, 403, 404."""
        return self._pages.render(request, "apps/rotate.html", app=(await self._own(request))[1])

    async def rotate(self, request: Request) -> Response:
        """Give an app another secret, and show it this once. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        member, _, mark = await self._pages.sent_once(request, "apps.rotate")
        try:
            async with once(self._pages.desk, member, mark):
                made = await apps.rotate_secret(self._pages.desk, member, request.path_params["app_id"])
        except DoneBefore:
            return self._issued_before(request)
        return self._issued(request, made, is_rotated=True)

    async def offer_webhook(self, request: Request) -> Response:
        """Show the form that says where the app is told of its end. Raises Refused `session_ended`, 403, 404."""
        return self._pages.render(request, "apps/webhook.html", app=(await self._own(request))[1], url="", problems={})

    async def add_webhook(self, request: Request) -> Response:
        """Have an app told where it was let in no more, and show what that is signed with this once. Raises Refused as `offer_webhook`."""
        desk = self._pages.desk
        member, form, mark = await self._pages.sent_once(request, "apps.webhook")
        _, app = await self._own(request)
        url = form.get("url", "").strip()
        try:
            async with once(desk, member, mark):
                issued = await endpoints.create(desk, member, url=url, events=[APP_UNINSTALLED.name], description=app.name, app_id=app.id)
        except DoneBefore:
            return self._issued_before(request, f"{AT}/{app.id}")
        except Refused as refused:
            beside, status = problems(refused, "url"), refused.refusal.status
            return self._pages.render(request, "apps/webhook.html", status, app=app, url=url, problems=beside)
        return self._pages.render(request, "apps/webhook_issued.html", app=app, endpoint=issued.endpoint, secret=issued.secret)

    async def ask_uninstall(self, request: Request) -> Response:
        """Ask before an app is shut out of the workspace. Raises Refused `session_ended`, 403, 404."""
        member = await self._pages.member(request)
        found = await grants.installed(self._pages.desk, member, request.path_params["app_id"])
        return self._pages.render(request, "apps/uninstall.html", app=found.app, count=found.grants)

    async def uninstall(self, request: Request) -> Response:
        """Shut an app out of the workspace, whoever let it in. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        desk = self._pages.desk
        member, _ = await self._pages.sent(request, "apps.uninstall")
        app = (await grants.installed(desk, member, request.path_params["app_id"])).app
        ended = await grants.uninstall(desk, member, app.id)
        said = f"{app.name} acts for nobody here any more: it was let in by {ended} {'person' if ended == 1 else 'people'}."
        return self._pages.go(request, "/access", said)

    async def ask_deletion(self, request: Request) -> Response:
        """Ask before an app is deleted. Raises Refused `session_ended`, 403, 404."""
        return self._pages.render(request, "apps/delete.html", app=(await self._own(request))[1])

    async def delete(self, request: Request) -> Response:
        """Delete an app. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "apps.delete")
        _, app = await self._own(request)
        await apps.delete(self._pages.desk, member, app.id)
        return self._pages.go(request, AT, f"{app.name} is deleted. Whatever it was let into refuses it from now on.")

    async def _own(self, request: Request) -> tuple[Principal, App]:
        member = await self._pages.member(request)
        return member, (await apps.get(self._pages.desk, member, request.path_params["app_id"])).app

    def _form(
        self, request: Request, form: Mapping[str, str], beside: Mapping[str, str], status: int = 200, app: App | None = None
    ) -> Response:
        """The form of a new app, or of one that there is, as it was filled in."""
        template = "apps/new.html" if app is None else "apps/edit.html"
        return self._pages.render(request, template, status, app=app, problems=beside, **app_forms.given(self._pages, form))

    def _issued(self, request: Request, made: Registered, *, is_rotated: bool = False) -> Response:
        return self._pages.render(request, "apps/issued.html", app=made.app, secret=made.secret, is_rotated=is_rotated)

    def _issued_before(self, request: Request, to: str = AT) -> Response:
        said = "The secret was made the first time that you pressed, and shown then. Rotate it if you missed it."
        return self._pages.go(request, to, said, tone="warning")
