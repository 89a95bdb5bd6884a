"""The endpoint on which apps register themselves, where the operator lets them (RFC 7591). They get no secret."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keyrack.assemble import Assembly
from keyrack.manage import described_apps
from keyrack.model.client_metadata import MetadataRefused
from keyrack.oauth.tokens import BODY_BYTES_MAX, NO_STORE


class Registration:
    """Registers apps as they describe themselves."""

    def __init__(self, assembly: Assembly) -> None:
        self._desk = assembly.desk
        self._heads = assembly.heads

    async def register(self, request: Request) -> Response:
        """Register an app, and answer with what it was registered as."""
        try:
            app = await described_apps.register(self._desk, await _read(request), self._heads.address(request.scope))
        except MetadataRefused as refused:
            return JSONResponse({"error": refused.error, "error_description": refused.words}, 400, headers=NO_STORE)
        told: dict[str, Any] = {
            "client_id": app.client_id,
            "client_id_issued_at": app.created_at // 1000,
            "client_name": app.name,
            "redirect_uris": list(app.redirect_uris),
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": " ".join(app.scopes),
        }
        return JSONResponse(told if app.homepage_url is None else {**told, "client_uri": app.homepage_url}, 201, headers=NO_STORE)


async def _read(request: Request) -> dict[str, Any]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise MetadataRefused(f"The body has more than {BODY_BYTES_MAX} bytes.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise MetadataRefused("Send the metadata as application/json.")
    try:
        members: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise MetadataRefused("The body is no JSON object.") from None
    return members
