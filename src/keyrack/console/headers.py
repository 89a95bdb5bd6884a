"""What every answer of the console tells browsers not to do."""

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"cache-control", b"no-store"),
    # The address of a sign-in page holds the link's secret: no page tells another where its reader came from.
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def allow_frames(page: Response, *origins: str) -> None:
    """Let pages of these origins, and of no others, show this one in a frame."""
    if origins:
        page.headers["content-security-policy"] = POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(origins)}")


class Hardened:
    """An ASGI app whose answers, errors too, carry these headers unless they say otherwise themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name for name, _ in given}
                message = {**message, "headers": [*given, *(header for header in _HEADERS if header[0] not in names)]}
            await send(message)

        await self._app(scope, receive, send_hardened)
