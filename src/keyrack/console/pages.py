"""Pages: templates filled with what every one of them shows, and refusals as pages that people can read."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from keyrack.assemble import Assembly
from keyrack.console.addresses import Addresses
from keyrack.console.cookies import SessionCookie
from keyrack.console.forms import FormTokens
from keyrack.console.styles import Style
from keyrack.manage import sessions
from keyrack.model.principals import Principal
from keyrack.model.refusals import INTERNAL_ERROR, SESSION_ENDED, Refused, of_status

TEMPLATES = Path(__file__).parent / "templates"
SIGN_OUT = "sign-out"
_HTTP_DETAILS = {400: "The console could not read this form.", 404: "There is no such page.", 405: "This page is not reached that way."}


class Pages:
    """The pages of one host, and who is looking at them."""

    def __init__(self, assembly: Assembly) -> None:
        self.brand = assembly.brand
        self.desk = assembly.desk
        self.addresses = Addresses(assembly.settings.base_url, assembly.problems)
        self.cookie = SessionCookie(assembly.brand.key_prefix, self.addresses)
        self.tokens = FormTokens(assembly.signers["form"])
        self.style = Style(assembly.brand.color)
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.globals.update(brand=assembly.brand, style_version=self.style.version)

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page, for the member whom `member` has found, if it was asked."""
        member: Principal | None = getattr(request.state, "member", None)
        token = self.tokens.make(member, SIGN_OUT) if member else ""
        at = self.addresses.console(request)
        return HTMLResponse(self._templates.get_template(template).render(at=at, member=member, sign_out_token=token, **values), status)

    async def member(self, request: Request) -> Principal:
        """Return who is signed in, read from the store now. Raises Refused `session_ended` where nobody is."""
        member = await sessions.find(self.desk, self.cookie.read(request))
        if member is None:
            raise SESSION_ENDED("Nobody is signed in here, or the sign-in has ended. Open a new sign-in link to come in.")
        request.state.member = member
        return member

    async def refused(self, request: Request, refused: Exception) -> Response:
        """Answer a refusal with a page that says what to do."""
        assert isinstance(refused, Refused)
        heading, detail = refused.refusal.title, refused.detail
        leads_back = not request.url.path.endswith("/console")
        page = self.render(request, "refusal.html", refused.refusal.status, heading=heading, detail=detail, leads_back=leads_back)
        page.headers.update(refused.headers)
        return page

    async def http_error(self, request: Request, error: Exception) -> Response:
        """Answer what the router refuses: unknown pages, wrong methods, forms that cannot be read."""
        assert isinstance(error, HTTPException)
        refusal = of_status(error.status_code)
        detail = _HTTP_DETAILS.get(error.status_code, f"{refusal.title}.")
        return await self.refused(request, refusal(detail, headers=dict(error.headers or {})))

    async def crashed(self, request: Request, error: Exception) -> Response:
        """Answer a fault of ours without any of its internals."""
        return await self.refused(request, INTERNAL_ERROR("An error on our side stopped this page. Try again in a moment."))
