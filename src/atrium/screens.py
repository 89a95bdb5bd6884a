"""What people see: templates filled with what every page shows, for the member who signed in."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from atrium.dependencies import Configured
from keyrack import Brand, Caller

HERE = Path(__file__).parent
STATIC = HERE / "static"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def iso(at: int) -> str:
    """Return a time in ms since the epoch as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(at: int, form: str) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime(form)


_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_templates.globals.update(iso=iso, utc=_utc)
_templates.filters["words"] = lambda name: name.replace("_", " ").capitalize()


class Screen:
    """One page on its way to the member who asked for it."""

    def __init__(self, request: Request, caller: Caller, brand: Brand) -> None:
        self._request = request
        self._caller = caller
        self._brand = brand

    @property
    def root(self) -> str:
        """What a proxy or a mount has put in front of this host's paths."""
        return str(self._request.scope.get("root_path", ""))

    def show(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return the page."""
        at = self.root
        shared = {
            "at": at,
            "here": self._request.url.path.removeprefix(at),
            "brand": self._brand,
            "caller": self._caller,
            "links": self._request.app.state.links,
        }
        return HTMLResponse(_templates.get_template(template).render(shared | values), status, headers=HEADERS)

    def show_missing(self, what: str) -> HTMLResponse:
        """Return the page for a thing that is not there, or not for this member: nothing tells the two apart."""
        return self.show("missing.html", 404, what=what)

    def go(self, path: str) -> RedirectResponse:
        """Lead on to another page of ours, after a form has done its work."""
        return RedirectResponse(f"{self.root}{path}", 303)

    def older(self, next_cursor: str | None) -> str | None:
        """Return the address of the page of a list that follows this one, if one does."""
        if next_cursor is None:
            return None
        return "?" + self._request.url.remove_query_params("starting_after").include_query_params(cursor=next_cursor).query


def show_to_anybody(request: Request, brand: Brand, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page for whoever comes, signed in or not."""
    shared = {"at": str(request.scope.get("root_path", "")), "brand": brand}
    return HTMLResponse(_templates.get_template(template).render(shared | values), status, headers=HEADERS)


async def _screen(request: Request, caller: Caller, configured: Configured) -> Screen:
    return Screen(request, caller, configured.brand)


Screens = Annotated[Screen, Depends(_screen)]
