"""What this server says of itself, for programs (RFC 8414, RFC 9728). Both say nothing that is not public, so any page may read them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from keyrack.assemble import Assembly
from keyrack.gate.problems import Problems
from keyrack.model.apps import offered

OPEN = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
PROVED_BY = ["client_secret_basic", "client_secret_post"]


class Metadata:
    """Describes the authorization server and the API that it protects."""

    def __init__(self, assembly: Assembly) -> None:
        self._problems: Problems = assembly.problems
        self._brand = assembly.brand
        self._scopes = list(offered(assembly.categories))
        self._reads_documents = assembly.desk.client_documents.are_read
        self._registers = assembly.settings.client_registration

    def issuer(self, request: Request) -> str:
        """Return the address by which this server is known, without a slash at its end."""
        return self._problems.base_url(request.scope).rstrip("/")

    def inside(self, request: Request, path: str) -> str:
        """Return a page of this server, as browsers see it."""
        return self.issuer(request) + path

    async def of_server(self, request: Request) -> JSONResponse:
        """Answer with the metadata of RFC 8414."""
        issuer = self.issuer(request)
        told: dict[str, Any] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "token_endpoint": f"{issuer}/oauth/token",
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "introspection_endpoint": f"{issuer}/oauth/introspect",
            "scopes_supported": self._scopes,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": [*PROVED_BY, "none"],
            "revocation_endpoint_auth_methods_supported": [*PROVED_BY, "none"],
            "introspection_endpoint_auth_methods_supported": PROVED_BY,
            "authorization_response_iss_parameter_supported": True,
            "client_id_metadata_document_supported": self._reads_documents,
            "service_documentation": f"{issuer}/docs/guides/oauth-apps",
        }
        if self._registers:
            told["registration_endpoint"] = f"{issuer}/oauth/register"
        return JSONResponse(told, headers=OPEN)

    async def of_resource(self, request: Request) -> JSONResponse:
        """Answer with the metadata of RFC 9728."""
        issuer = self.issuer(request)
        told: dict[str, Any] = {
            "resource": issuer,
            "authorization_servers": [issuer],
            "scopes_supported": self._scopes,
            "bearer_methods_supported": ["header"],
            "resource_name": f"{self._brand.name} API",
            "resource_documentation": f"{issuer}/docs/guides/oauth-apps",
        }
        return JSONResponse(told, headers=OPEN)
