"""The cookie that carries a session's secret."""

from starlette.requests import Request
from starlette.responses import Response

from keyrack.console.addresses import Addresses
from keyrack.crypto.format import Secret


class SessionCookie:
    """The session's cookie of one brand: products on several ports of one machine keep apart by its name."""

    def __init__(self, key_prefix: str, addresses: Addresses) -> None:
        self._name = f"{key_prefix}_session"
        self._addresses = addresses

    def read(self, request: Request) -> str:
        """Return the secret in a request's cookie; empty where there is none."""
        return request.cookies.get(self._named(request), "")

    def give(self, request: Request, response: Response, secret: Secret, seconds: int) -> None:
        """Put a session's secret into the browser that asked, for this time."""
        self._set(request, response, secret.text, seconds)

    def take_back(self, request: Request, response: Response) -> None:
        """Have the browser forget the cookie."""
        self._set(request, response, "", 0)

    def _set(self, request: Request, response: Response, text: str, seconds: int) -> None:
        # `__Host-` binds the cookie to this very host, and browsers take it with Path=/ only (RFC 6265bis §4.1.3.2). Without https there
        # is no such binding; the cookie then goes to the console alone.
        secure = self._addresses.is_secure(request)
        path = "/" if secure else self._addresses.console(request)
        response.set_cookie(self._named(request), text, max_age=seconds, path=path, secure=secure, httponly=True, samesite="lax")

    def _named(self, request: Request) -> str:
        return f"__Host-{self._name}" if self._addresses.is_secure(request) else self._name
