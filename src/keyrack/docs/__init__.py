"""The pages that explain. So far the one that every problem document leads to."""

from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from keyrack.assemble import Assembly
from keyrack.model import refusals

HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"}
STYLE = (
    "body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}"
    "code{background:#8882;padding:.1em .3em;border-radius:.2em}"
)


def build(assembly: Assembly) -> dict[str, ASGIApp]:
    """Return the pages by their path prefix."""

    async def errors(request: Request) -> HTMLResponse:
        wanted: str | None = request.path_params.get("code")
        one = assembly.refusals.get(wanted or "")
        known = wanted is None or one is not None
        chosen = list(assembly.refusals.values()) if one is None else [one]
        return HTMLResponse(_page(assembly.brand.name, chosen), status_code=200 if known else 404, headers=HEADERS)

    async def index(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/docs/errors")

    return {"/docs": Starlette(routes=[Route("/docs", index), Route("/docs/errors", errors), Route("/docs/errors/{code}", errors)])}


def _page(brand: str, chosen: list[refusals.Refusal]) -> str:
    sections = "".join(
        f'<section id="{one.code}"><h2><code>{one.code}</code> {escape(one.title)}</h2><p>Status {one.status}. {escape(one.remedy)}'
        f" {'The same call may succeed later.' if one.retryable else 'The same call will fail again.'}</p></section>"
        for one in chosen
    )
    title = f"Errors · {escape(brand)} API"
    everything = '<p><a href="/docs/errors">All error codes</a></p>' if len(chosen) == 1 else ""
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{STYLE}</style>"
    )
    return f'<!doctype html><html lang="en"><head>{head}</head><body><main><h1>{title}</h1>{sections}{everything}</main></body></html>'
