"""The docs site, for developers outside: guides from Markdown, and what the product knows of itself, as pages of the host's brand."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from keyrack.docs import errors, versions
from keyrack.docs.event_types import EventTypes
from keyrack.docs.facts import Docs
from keyrack.docs.feedback import FeedbackPages
from keyrack.docs.help import HelpPage
from keyrack.docs.openapi import Described, Document
from keyrack.docs.openapi_routes import Part
from keyrack.docs.reference import Reference
from keyrack.docs.site import Generated, Site

__all__ = ["Described", "Docs", "Document", "Part", "Site", "build", "generated"]


def generated(document: Document) -> tuple[Generated, ...]:
    """Return what makes pages of what the product knows of itself: each a function from the host's facts to pages."""
    return (errors.pages, EventTypes(document).pages, Reference(document).pages, versions.pages)


def build(site: Site, document: Document) -> dict[str, ASGIApp]:
    """Return the docs by their path prefixes. The indexes for programs also stand at the host's root."""

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return await site.missing(request)
        return Response(f"{error.detail}\n", error.status_code, dict(error.headers or {}), "text/plain")

    routes = [
        Route("/docs", site.begin),
        Route("/docs/llms.txt", site.index),
        Route("/docs/llms-full.txt", site.full),
        Route("/docs/search", site.search),
        Route("/docs/openapi.json", document.answer),
        Route("/docs/theme", site.choose_theme, methods=["POST"]),
        *FeedbackPages(site).routes,
        *HelpPage(site).routes,
        Route("/docs/{slug:path}", site.show),
    ]
    handlers = {HTTPException: refuse}
    return {
        "/docs": Starlette(routes=routes, exception_handlers=handlers),
        "/llms.txt": Starlette(routes=[Route("/llms.txt", site.index)], exception_handlers=handlers),
        "/llms-full.txt": Starlette(routes=[Route("/llms-full.txt", site.full)], exception_handlers=handlers),
    }
