"""The workspace: who is signed in, where its API is, and the API toggle."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.curls import curl
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import delivery_figures, keys, workspaces
from keyrack.model.permissions import OrgAccess
from keyrack.model.refusals import INVALID_REQUEST

_ACCESS = {
    OrgAccess.NONE: "No org-level access",
    OrgAccess.READER: "Reader: reads every category",
    OrgAccess.ADMIN: "Admin: manages this {workspace}",
}


class WorkspacePages:
    """The pages about the workspace as a whole."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console", self.show, methods=["GET"]),
            Route("/console/api", self.confirm, methods=["GET"]),
            Route("/console/api", self.switch, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The first page."""
        return [Entry("home", "", "Overview", "layout-grid")]

    async def show(self, request: Request) -> Response:
        """Show the workspace. Raises Refused `session_ended`."""
        member = await self._pages.member(request)
        brand = self._pages.brand
        outside = self._pages.addresses.outside(request)
        # Where no list of keys is shown, people call with tokens of their own.
        prefixes = [(mode.value, brand.prefix(mode)) for mode in brand.modes] if brand.lists else [("", brand.token_prefix)]
        placeholder = f"{prefixes[0][1]}_REPLACE_ME"
        return self._pages.render(
            request,
            "workspace.html",
            access=_ACCESS[member.rights.org_access].format(workspace=brand.words.workspace),
            api_url=f"{outside}/api/v1",
            prefixes=prefixes,
            errors_url=f"{outside}/docs/errors",
            placeholder=placeholder,
            curl=curl(outside, placeholder),
        )

    async def confirm(self, request: Request) -> Response:
        """Ask before the API is switched, and say what that ends. Raises Refused `session_ended`, and 403 without org-level Admin."""
        member = await self._pages.member(request)
        active = await keys.count_accepted(self._pages.desk, member)
        back = self._pages.within(request.query_params.get("here", ""))
        counted = "1 active key" if active == 1 else f"{active:,} active keys"
        waiting = await delivery_figures.waiting(self._pages.desk, member)
        return self._pages.render(request, "api_toggle.html", active_keys=active, keys_counted=counted, waiting=waiting, back=back)

    async def switch(self, request: Request) -> Response:
        """Switch the API, and return when that holds everywhere. Raises Refused `session_ended`, `csrf_failed`, 403, 400."""
        member, form = await self._pages.sent(request, "api.switch")
        wanted = _wanted(form)
        await workspaces.switch_api(self._pages.desk, member, wanted)
        return self._pages.go(request, self._pages.within(form.get("here", "")), f"The API is switched {'on' if wanted else 'off'}.")


def _wanted(form: dict[str, str]) -> bool:
    if form.get("api") not in ("on", "off"):
        raise INVALID_REQUEST("This form says neither on nor off.", param="api")
    return form["api"] == "on"
