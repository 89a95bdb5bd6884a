"""Pages: templates filled with what every one of them shows, forms that are ours, and refusals as pages that people can read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from keyrack.assemble import Assembly
from keyrack.console.addresses import Addresses
from keyrack.console.assets import Assets
from keyrack.console.cookies import Cookies
from keyrack.console.delivery_words import FAILING_DAYS_MAX, disabled_in_words
from keyrack.console.forms import FIELDS_MAX, FormTokens, problems, read_form
from keyrack.console.headers import allow_frames
from keyrack.console.lists import BY_TIME, ListQuery
from keyrack.console.moments import moment
from keyrack.console.navigation import Entry, Navigation
from keyrack.gate.pages import return_path
from keyrack.manage import members, sessions, set_ups
from keyrack.manage.cursors import Cursors
from keyrack.manage.sessions import SignedIn
from keyrack.model.catalog import Catalog
from keyrack.model.endpoints import shown_url
from keyrack.model.plans import missing_api
from keyrack.model.principals import Principal
from keyrack.model.refusals import (
    INSUFFICIENT_PERMISSION,
    INTERNAL_ERROR,
    NOT_FOUND,
    PLAN_UPGRADE_REQUIRED,
    SESSION_ENDED,
    Refused,
    of_status,
)
from keyrack.model.unused_permissions import in_words
from keyrack.work.connectors.calls import ConnectorCalls

TEMPLATES = Path(__file__).parent / "templates"
PATH_LENGTH_MAX = 500
HELPERS_MAX = 5
_HTTP_DETAILS = {400: "The console could not read this form.", 404: "There is no such page.", 405: "This page is not reached that way."}


class Sent(NamedTuple):
    """A form that a signed-in member sent from a page of ours."""

    member: Principal
    fields: dict[str, str]


class SentOnce(NamedTuple):
    """The same, of a form whose work is done once. `mark` is the form's own: the same where it is sent again."""

    member: Principal
    fields: dict[str, str]
    mark: str


class Pages:
    """The pages of one host, and who is looking at them. `entries` are those that people find; `build` fills them in."""

    def __init__(self, assembly: Assembly) -> None:
        self.brand = assembly.brand
        self.desk = assembly.desk
        # What levels are given in: what lies in spaces is reached by roles.
        self.categories = [category for category in assembly.desk.categories.values() if not category.in_spaces]
        self.spool = assembly.spool
        self.sender = assembly.deliveries
        self.refusals = assembly.refusals
        self.addresses = Addresses(assembly.settings.base_url, assembly.problems)
        self.cookies = Cookies(assembly.brand.key_prefix, self.addresses, assembly.signers["form"])
        self.assets = Assets(assembly.brand)
        self.entries: Sequence[Entry] = ()
        self._tokens = FormTokens(assembly.signers["form"])
        self._cursors = Cursors(assembly.desk.cursors)
        self._heads = assembly.heads
        self._assembly = assembly
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.globals.update(brand=assembly.brand, icon=self.assets.icon, moment=moment, in_words=in_words)
        self._templates.globals.update(shown_url=shown_url, why_disabled=disabled_in_words, failing_days_max=FAILING_DAYS_MAX)

    @property
    def catalog(self) -> Catalog:
        """The operations that keys may be used for."""
        return self._assembly.catalog

    @property
    def connector_calls(self) -> ConnectorCalls:
        """What calls vendors."""
        return self._assembly.connector_calls

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page, for the member whom `member` has found, if it was asked."""
        member: Principal | None = getattr(request.state, "member", None)
        at = self.addresses.console(request)
        flash = self.cookies.flash(request)
        shared = {
            "at": at,
            "assets": f"{at}/static/{self.assets.version}",
            "flash": flash,
            "form_token": lambda purpose: self._tokens.make(member, purpose) if member else "",
            "here": _below_console(request),
            "community": self.addresses.inside(request, self.brand.community),
            "home": self.addresses.inside(request, self.brand.home),
            "member": member,
            "missing_api": missing_api(self.desk.plans, member.workspace.plan) if member else "",
            "navigation": Navigation(self.entries, member, _below_console(request)) if member else None,
            "theme": self.cookies.theme(request),
        }
        page = HTMLResponse(self._templates.get_template(template).render(shared | values), status)
        if member is not None and member.origin is not None:
            allow_frames(page, member.origin)
        if flash is not None:
            self.cookies.forget_flash(request, page)
        return page

    def again(self, request: Request, template: str, refused: Refused, fields: Sequence[str], **values: Any) -> HTMLResponse:
        """Return a form again, and what is wrong with it beside these fields. Raises the refusal where the form is not at fault."""
        page = self.render(request, template, refused.refusal.status, problems=problems(refused, *fields), **values)
        page.headers.update(refused.headers)
        return page

    async def sign_in(self, request: Request, status: int = 200, **values: Any) -> HTMLResponse:
        """Return the page on which people sign in, for whoever wants to go on where `to` says."""
        openid = self.desk.outside.openid
        asked = {"to": "", "email": "", "problems": {}, "link": "", "is_over": False} | values
        first = not asked["link"] and await set_ups.needed(self.desk)
        return self.render(request, "sessions/sign_in.html", status, **asked, openid=openid.name if openid else "", is_first=first)

    def address(self, request: Request) -> str:
        """Return the client's address, as the gate tells it."""
        return self._heads.address(request.scope)

    async def arrive(self, request: Request, signed_in: SignedIn, to: str = "") -> Response:
        """Lead on into the console, or to the path of this host that `to` names, with a new session."""
        session, secret = signed_in
        await sessions.note_place(self.desk, session, address=self.address(request), user_agent=request.headers.get("user-agent", ""))
        answer = RedirectResponse(return_path(to, self.addresses.console(request)), 303)
        seconds = (session.expires_at - session.created_at) // 1000
        self.cookies.begin_session(request, answer, secret, seconds, framed=session.origin is not None)
        return answer

    async def member(self, request: Request) -> Principal:
        """Return who is signed in, read from the store now. Raises Refused `session_ended` where nobody is; 404 for a null character."""
        member = await sessions.find(self.desk, self.cookies.session(request))
        if member is None:
            raise SESSION_ENDED("Nobody is signed in here, or the sign-in has ended.")
        request.state.member = member
        if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
            # PostgreSQL refuses to look for such a text.
            raise NOT_FOUND("There is no such page.")
        return member

    async def sent(self, request: Request, purpose: str, fields_max: int = FIELDS_MAX) -> Sent:
        """Return a form and who sent it. The form was made for this purpose by `ui.form`. Raises Refused `session_ended`, `csrf_failed`."""
        member, fields, _ = await self.sent_once(request, purpose, fields_max)
        return Sent(member, fields)

    async def sent_once(self, request: Request, purpose: str, fields_max: int = FIELDS_MAX) -> SentOnce:
        """Return what `sent` returns, with the mark for `once`, where the form's work must not be done twice. Raises what `sent` raises."""
        fields = await read_form(request, fields_max)
        member = await self.member(request)
        return SentOnce(member, fields, self._tokens.check(member, purpose, fields))

    def query(self, request: Request, member: Principal, *names: str, orders: Mapping[str, str] = BY_TIME) -> ListQuery:
        """Return what the address of a list asks for, with filters by these names and one of these orders."""
        return ListQuery(request, member, self._cursors, names, orders)

    def go(self, request: Request, path: str, said: str = "", tone: str = "success") -> Response:
        """Lead on to a page, by its path below the console, where something is said once: as a `success`, or a `warning`."""
        answer = RedirectResponse(f"{self.addresses.console(request)}{path}", 303)
        if said:
            self.cookies.say(request, answer, said, tone)
        return answer

    @staticmethod
    def within(path: str) -> str:
        """Return a path that a form has brought along, where it is one below the console: no other leads anywhere."""
        return path if path.startswith("/") and path.isprintable() and len(path) <= PATH_LENGTH_MAX else ""

    async def refused(self, request: Request, refused: Exception) -> Response:
        """Answer a refusal with a page that says what to do, or who can help; who is signed out and only wants to look may sign in."""
        assert isinstance(refused, Refused)
        member: Principal | None = getattr(request.state, "member", None)
        framed = request.headers.get("sec-fetch-dest") == "iframe"
        if refused.refusal is SESSION_ENDED and request.method in ("GET", "HEAD") and not framed:
            here, query = self.addresses.console(request) + _below_console(request), request.url.query
            to = f"{here}?{query}" if query else here
            return await self.sign_in(request, 401, to=to, is_over=bool(self.cookies.session(request)))
        helpers, detail = [], refused.detail
        if refused.refusal is SESSION_ENDED and framed:
            detail = "Your sign-in has ended. Load the page again on which this stands."
        if refused.refusal is INSUFFICIENT_PERMISSION and member is not None:
            helpers = await members.admins(self.desk, member, limit=HELPERS_MAX)
        page = self.render(
            request,
            "refusal.html",
            refused.refusal.status,
            heading=refused.refusal.title,
            detail=detail,
            upgrades=refused.refusal is PLAN_UPGRADE_REQUIRED,
            helpers=helpers,
            may_sign_in=refused.refusal is SESSION_ENDED and not framed,
        )
        page.headers.update(refused.headers)
        if framed and member is None:
            # It shows nothing of anybody, and the frame would stay empty without it.
            allow_frames(page, *self.desk.outside.portal_origins)
        return page

    async def http_error(self, request: Request, error: Exception) -> Response:
        """Answer what the router refuses: unknown pages, wrong methods, forms that cannot be read."""
        assert isinstance(error, HTTPException)
        refusal = of_status(error.status_code)
        detail = _HTTP_DETAILS.get(error.status_code, f"{refusal.title}.")
        # No page has asked who is signed in: whoever is keeps the way back.
        request.state.member = await sessions.find(self.desk, self.cookies.session(request))
        return await self.refused(request, refusal(detail, headers=dict(error.headers or {})))

    async def crashed(self, request: Request, error: Exception) -> Response:
        """Answer a fault of ours without any of its internals."""
        return await self.refused(request, INTERNAL_ERROR("An error on our side stopped this page. Try again in a moment."))


def _below_console(request: Request) -> str:
    """The path that was asked for, below the console's: empty for its first page."""
    return str(request.scope["path"]).partition("/console")[2].rstrip("/")
