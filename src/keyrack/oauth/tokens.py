"""The endpoints on which apps prove themselves: token, revocation and introspection (RFC 6749 §3.2, RFC 7009, RFC 7662)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError, OAuth2Error, UnauthorizedClientError
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keyrack.assemble import Assembly
from keyrack.manage import app_tokens, oauth_tokens
from keyrack.manage.app_tokens import OwnAccess
from keyrack.manage.consents import invalid_target
from keyrack.manage.oauth_tokens import Given
from keyrack.model.apps import App, is_ours

BODY_BYTES_MAX = 16 * 1024
FIELDS_MAX = 20
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_FORM = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str]:
    """Return the parameters of a form; those without a value count as left out. Raises InvalidRequestError (RFC 6749 §3.1, §3.2)."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise InvalidRequestError(f"The body has more than {BODY_BYTES_MAX} bytes.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise InvalidRequestError(f"Send the parameters as {_FORM}.")
    try:
        fields = parse_qsl(body.decode("ascii"), strict_parsing=bool(body), errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise InvalidRequestError("The body is no form.") from None
    # An app may name several resources (RFC 8707 §2).
    resources = [value for name, value in fields if name == "resource"]
    once = [name for name, _ in fields if name != "resource"]
    if len(set(once)) < len(once):
        raise InvalidRequestError("A parameter stands twice.")
    return {**dict(fields), "resource": " ".join(resources)} if resources else dict(fields)


class Tokens:
    """Gives tokens, takes them back and says what they are."""

    def __init__(self, assembly: Assembly) -> None:
        self._desk = assembly.desk
        self._heads = assembly.heads
        self._problems = assembly.problems

    async def give(self, request: Request) -> Response:
        """Exchange a code, a refresh token, or the app's own credentials."""
        return await _answered(request, self._give)

    async def revoke(self, request: Request) -> Response:
        """Take a token back; also an unknown one has ended then (RFC 7009 §2.2)."""
        return await _answered(request, self._revoke)

    async def introspect(self, request: Request) -> Response:
        """Say what a token of the app may do at this moment."""
        return await _answered(request, self._introspect)

    async def _give(self, request: Request, form: Mapping[str, str]) -> dict[str, Any]:
        app = await self._client(request, form)
        if not all(is_ours(resource, self._issuer(request)) for resource in form.get("resource", "").split()):
            raise invalid_target(self._issuer(request))
        match form.get("grant_type"):
            case "authorization_code":
                code, verifier = _needed(form, "code"), _needed(form, "code_verifier")
                given = await oauth_tokens.redeem(self._desk, app, code, form.get("redirect_uri"), verifier)
            case "refresh_token":
                given = await oauth_tokens.refresh(self._desk, app, _needed(form, "refresh_token"), form.get("scope"))
            case "client_credentials":
                return _shown(await app_tokens.give(self._desk, app, form.get("scope")))
            case None:
                raise InvalidRequestError("grant_type is missing.")
            case _:
                raise OAuth2Error("grant_type is authorization_code, refresh_token or client_credentials.", error="unsupported_grant_type")
        return {**_shown(given), "refresh_token": given.refresh.text}

    async def _revoke(self, request: Request, form: Mapping[str, str]) -> dict[str, Any]:
        app = await self._client(request, form)
        token = _needed(form, "token")
        await oauth_tokens.revoke(self._desk, app, token)
        await app_tokens.revoke(self._desk, app, token)
        return {}

    async def _introspect(self, request: Request, form: Mapping[str, str]) -> dict[str, Any]:
        app = await self._client(request, form)
        if app.is_public:
            raise UnauthorizedClientError("A public app cannot ask what a token is.")
        token = _needed(form, "token")
        told = await oauth_tokens.introspect(self._desk, app, token) or await app_tokens.introspect(self._desk, app, token)
        if told is None:
            return {"active": False}
        return {
            "active": True,
            "client_id": app.client_id,
            "scope": " ".join(told.scopes),
            "sub": told.subject,
            "workspace_id": told.workspace_id,
            "token_type": "Bearer",
            "iss": self._issuer(request),
            "aud": self._issuer(request),
            "iat": told.token.created_at // 1000,
            "exp": told.token.expires_at // 1000,
        }

    def _issuer(self, request: Request) -> str:
        return self._problems.base_url(request.scope).rstrip("/")

    async def _client(self, request: Request, form: Mapping[str, str]) -> App:
        """Return the app that the call proves, by exactly one method (RFC 6749 §2.3)."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret")
        if "authorization" in request.headers:
            try:
                named, own = extract_basic_authorization({"Authorization": request.headers["authorization"]})
            except UnicodeDecodeError:
                named, own = None, None
            if named is None or own is None:
                raise InvalidClientError("The Authorization header holds no client credentials.", status_code=401)
            if secret is not None or client_id not in ("", named):
                raise InvalidRequestError("The client proves itself in two ways: use one.")
            client_id, secret = named, own
        return await oauth_tokens.client(self._desk, client_id, secret, self._heads.address(request.scope))


def told_of(error: OAuth2Error) -> Response:
    """Return an error as programs are told of it (RFC 6749 §5.2)."""
    headers = NO_STORE | ({"WWW-Authenticate": 'Basic realm="OAuth"'} if error.status_code == 401 else {})
    return JSONResponse(dict(error.get_body()), error.status_code, headers=headers)


def _needed(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise InvalidRequestError(f"{name} is missing.")
    return form[name]


def _shown(given: Given | OwnAccess) -> dict[str, Any]:
    return {
        "access_token": given.access.text,
        "token_type": "Bearer",
        "expires_in": given.expires_seconds,
        "scope": " ".join(given.scopes),
    }


async def _answered(request: Request, answer: Callable[[Request, Mapping[str, str]], Awaitable[dict[str, Any]]]) -> Response:
    try:
        return JSONResponse(await answer(request, await read_form(request)), headers=NO_STORE)
    except OAuth2Error as error:
        return told_of(error)
