"""The cookies of the console: the session's secret, what is said once on the next page, and whether pages are light or dark.

What a frame on another site keeps is kept for that site alone (CHIPS): the same browser elsewhere neither sends nor sees it.
"""

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from keyrack.console.addresses import Addresses
from keyrack.crypto.format import Secret
from keyrack.crypto.sign import Signer

FLASH_SECONDS = 60
THEME_SECONDS = 365 * 24 * 3600
THEMES = ("system", "light", "dark")


class Flash(NamedTuple):
    """Something said once, on the next page: its tone is `success` or `warning`."""

    tone: str
    text: str


class Cookies:
    """The cookies of one brand: products on several ports of one machine keep apart by their names."""

    def __init__(self, key_prefix: str, addresses: Addresses, signer: Signer) -> None:
        self._prefix = key_prefix
        self._addresses = addresses
        self._signer = signer

    def session(self, request: Request) -> str:
        """Return the session's secret in a request; empty where there is none."""
        return self._read(request, "portal") or self._read(request, "session")

    def begin_session(self, request: Request, response: Response, secret: Secret, seconds: int, *, framed: bool = False) -> None:
        """Put a session's secret into the browser that asked, for this time; it forgets the other one that it may have had."""
        self._set(request, response, "session", "" if framed else secret.text, 0 if framed else seconds, framed=False)
        if framed or self._read(request, "portal"):
            self._set(request, response, "portal", secret.text if framed else "", seconds if framed else 0, framed=True)

    def end_session(self, request: Request, response: Response) -> None:
        """Have the browser forget its session."""
        self._set(request, response, "session", "", 0, framed=False)
        if self._read(request, "portal"):
            self._set(request, response, "portal", "", 0, framed=True)

    def openid(self, request: Request) -> str:
        """Return what `begin_openid` has kept; empty where there is nothing."""
        return self._read(request, "openid")

    def begin_openid(self, request: Request, response: Response, kept: str, seconds: int) -> None:
        """Keep what belongs to a sign-in at the OpenID provider, which sends the browser back from another site."""
        self._set(request, response, "openid", kept, seconds)

    def end_openid(self, request: Request, response: Response) -> None:
        """Have the browser forget a sign-in at the OpenID provider."""
        self._set(request, response, "openid", "", 0)

    def say(self, request: Request, response: Response, text: str, tone: str = "success") -> None:
        """Have the next page say this, once. Never a secret."""
        self._set(request, response, "flash", self._signer.sign_timed(["flash", tone, text]), FLASH_SECONDS)

    def flash(self, request: Request) -> Flash | None:
        """Return what the last page wanted to be said."""
        try:
            match self._signer.read_timed(self._read(request, "flash"), FLASH_SECONDS):
                case ["flash", str(tone), str(text)]:
                    return Flash(tone, text)
        except ValueError:
            pass
        return None

    def forget_flash(self, request: Request, response: Response) -> None:
        """Have the browser forget what was said."""
        self._set(request, response, "flash", "", 0)

    def theme(self, request: Request) -> str:
        """Return which of `THEMES` somebody chose."""
        chosen = self._read(request, "theme")
        return chosen if chosen in THEMES else THEMES[0]

    def choose_theme(self, request: Request, response: Response, theme: str) -> None:
        """Remember one of `THEMES` in the browser that asked."""
        self._set(request, response, "theme", theme, THEME_SECONDS)

    def _read(self, request: Request, what: str) -> str:
        return request.cookies.get(self._named(request, what), "")

    def _set(self, request: Request, response: Response, what: str, text: str, seconds: int, *, framed: bool | None = None) -> None:
        # `__Host-` binds the cookie to this very host, and browsers take it with Path=/ only (RFC 6265bis §4.1.3.2). Without https there
        # is no such binding; the cookie then goes to this host product alone, whose own pages know the session too.
        secure = self._addresses.is_secure(request)
        path = "/" if secure else self._addresses.console(request).removesuffix("/console") or "/"
        name = self._named(request, what)
        if not (bool(self._read(request, "portal")) if framed is None else framed):
            response.set_cookie(name, text, max_age=seconds, path=path, secure=secure, httponly=True, samesite="lax")
            return
        # Python's own cookies know Partitioned from 3.14 on. Browsers take Secure over plain http from this machine alone.
        flags = f"HttpOnly; Max-Age={seconds}; Path={path}; SameSite=None; Secure; Partitioned"
        response.headers.append("set-cookie", f"{name}={text}; {flags}")

    def _named(self, request: Request, what: str) -> str:
        name = f"{self._prefix}_{what}"
        return f"__Host-{name}" if self._addresses.is_secure(request) else name
