"""Where people outside find this host: behind a proxy that is another address than the one the request shows."""

from urllib.parse import urlsplit

from starlette.requests import Request

from keyrack.crypto.format import Secret
from keyrack.gate.problems import Problems

SIGN_IN = "/console/sign-in"


class Addresses:
    """Answers from the operator's `base_url`, or where none is set, from the request."""

    def __init__(self, base_url: str | None, problems: Problems) -> None:
        self._base_url = base_url
        self._problems = problems

    def outside(self, request: Request) -> str:
        """Return the address of the host: `https://api.example.com`."""
        return self._problems.base_url(request.scope)

    def console(self, request: Request) -> str:
        """Return the path of the console as browsers see it, with whatever a proxy or a mount has put in front of it."""
        return self.inside(request, "/console")

    def inside(self, request: Request, address: str) -> str:
        """Return a path of this host as browsers see it; an address of another one stays what it is."""
        before: str = urlsplit(self._base_url).path if self._base_url else request.scope.get("root_path", "")
        return address if address.startswith("https://") else before.rstrip("/") + address

    def is_secure(self, request: Request) -> bool:
        """Whether people come over https, which a proxy in front may end."""
        return self.outside(request).startswith("https://")


def sign_in_url(base_url: str, secret: Secret) -> str:
    """Return the address of a sign-in link, for the one person whom it signs in.

    The secret stands in the query: of all parts that reach a server without JavaScript, the one that logs and monitoring leave out most.
    """
    return f"{base_url.rstrip('/')}{SIGN_IN}?link={secret.text}"
