"""The console: the pages on which people look after their workspace. Server-rendered; nothing needs JavaScript."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from keyrack.assemble import Assembly
from keyrack.console.addresses import SIGN_IN, sign_in_url
from keyrack.console.headers import Hardened
from keyrack.console.pages import Pages
from keyrack.console.sessions import SessionPages
from keyrack.console.workspaces import WorkspacePages
from keyrack.model.refusals import Refused

__all__ = ["build", "sign_in_url"]


def build(assembly: Assembly) -> dict[str, ASGIApp]:
    """Return the console by its path prefix."""
    pages = Pages(assembly)
    sessions, workspaces = SessionPages(pages), WorkspacePages(pages)
    routes = [
        Route("/console", workspaces.show, methods=["GET"]),
        Route("/console/api", workspaces.confirm, methods=["GET"]),
        Route("/console/api", workspaces.switch, methods=["POST"]),
        Route(SIGN_IN, sessions.offer, methods=["GET"]),
        Route(SIGN_IN, sessions.begin, methods=["POST"]),
        Route("/console/sign-out", sessions.end, methods=["POST"]),
        Route("/console/console.css", pages.style.answer, methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={Refused: pages.refused, HTTPException: pages.http_error, Exception: pages.crashed})
    return {"/console": Hardened(app)}
