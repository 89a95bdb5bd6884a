"""“Need help?”: what support will ask for, written down before it asks, and the way to whoever the host says helps."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.docs.site import Site
from keyrack.manage import integrations, sessions

FIELDS = {
    "integration": "The name of the integration or key",
    "code": "The error code",
    "request_id": "The request id",
    "message": "What you did, and what you saw",
}
"""What is asked, and what it is called."""
LENGTH_MAX = 500
NAMES_MAX = 50


class HelpPage:
    """The page on which people put together what they tell support."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [Route("/docs/help", self.show)]

    async def show(self, request: Request) -> Response:
        """Show the form, and where what it holds can be sent to."""
        given = {name: _plain(request.query_params.get(name, "")) for name in FIELDS}
        filled = {FIELDS[name]: text for name, text in given.items() if text}
        brand = self._site.brand
        text = "\n".join(f"{label}: {value}" for label, value in filled.items())
        subject = f"{brand.name} API" + (f": {given['code']}" if given["code"] else "")
        code = (await self._site.library()).find(f"errors/{given['code']}") if given["code"] else None
        page = await self._site.render(
            request,
            "help.html",
            fields=FIELDS,
            integrations=await self._integrations(request),
            given=given,
            text=text,
            about=code,
            mail=f"mailto:{quote(brand.support_email, safe='@')}?subject={quote(subject)}&body={quote(text)}"
            if brand.support_email
            else "",
            support_url=_with(brand.support_url, {name: value for name, value in given.items() if value}),
        )
        # What it holds may be somebody's.
        page.headers["Cache-Control"] = "no-store"
        return page

    async def _integrations(self, request: Request) -> list[str]:
        """The names to choose from, where an admin has signed in to the console."""
        site = self._site
        secure = site.place(request).base_url.startswith("https://")
        cookie = f"{'__Host-' if secure else ''}{site.brand.key_prefix}_session"
        member = await sessions.find(site.desk, request.cookies[cookie]) if request.cookies.get(cookie) else None
        if member is None or not member.is_admin:
            return []
        return [one.name for one in await integrations.page(site.desk, member, limit=NAMES_MAX)]


def _with(url: str, parameters: dict[str, str]) -> str:
    """Return an address with these parameters added to those that it has."""
    if not url or not parameters:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n").strip()[:LENGTH_MAX]
