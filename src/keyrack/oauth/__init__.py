"""OAuth 2.1 for apps of others: the endpoints that programs call. Members are asked in the console."""

from authlib.oauth2.rfc6749.errors import OAuth2Error
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from keyrack.assemble import Assembly
from keyrack.model.refusals import Refused
from keyrack.oauth.metadata import Metadata
from keyrack.oauth.registration import Registration
from keyrack.oauth.tokens import NO_STORE, Tokens, read_form, told_of


def build(assembly: Assembly, host: ASGIApp) -> dict[str, ASGIApp]:
    """Return the endpoints by their path prefixes. What the host has below `/.well-known` itself stays the host's."""
    tokens, metadata = Tokens(assembly), Metadata(assembly)

    async def authorize(request: Request) -> Response:
        """Lead the member to the page that asks them. 303, so that nothing a form has sent is sent on (RFC 9700 §4.12)."""
        query = request.url.query
        if request.method == "POST":
            try:
                query = str(request.url.replace_query_params(**await read_form(request)).query)
            except OAuth2Error as error:
                return told_of(error)
        return RedirectResponse(f"{metadata.inside(request, '/console/authorize')}?{query}", 303, headers=NO_STORE)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        told = {"error": "temporarily_unavailable" if error.refusal.retryable else "invalid_request", "error_description": error.detail}
        return JSONResponse(told, error.refusal.status, headers=NO_STORE | error.headers)

    routes = [
        Route("/oauth/authorize", authorize, methods=["GET", "POST"]),
        Route("/oauth/token", tokens.give, methods=["POST"]),
        Route("/oauth/revoke", tokens.revoke, methods=["POST"]),
        Route("/oauth/introspect", tokens.introspect, methods=["POST"]),
    ]
    if assembly.settings.client_registration:
        routes.append(Route("/oauth/register", Registration(assembly).register, methods=["POST"]))
    known = [
        Route("/.well-known/oauth-authorization-server", metadata.of_server, methods=["GET"]),
        Route("/.well-known/oauth-protected-resource", metadata.of_resource, methods=["GET"]),
    ]
    described = Starlette(routes=known)
    paths = {route.path for route in known}

    async def well_known(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
        await (described if path in paths else host)(scope, receive, send)

    return {"/oauth": Starlette(routes=routes, exception_handlers={Refused: refused}), "/.well-known": well_known}
