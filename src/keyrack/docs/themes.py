"""Light or dark: what somebody chose in the console holds in the docs, and the other way round."""

from starlette.requests import Request
from starlette.responses import Response

THEMES = (
    ("system", "device-desktop", "Light or dark as the system is"),
    ("light", "sun", "Light"),
    ("dark", "moon", "Dark"),
)
"""What can be chosen: its word, its icon and what it is called."""
KEPT_SECONDS = 365 * 24 * 3600


class Themes:
    """Reads and writes the console's cookie of the theme."""

    def __init__(self, key_prefix: str) -> None:
        self._name = f"{key_prefix}_theme"

    def chosen(self, request: Request, base_url: str) -> str:
        """Return the word of the theme that somebody chose, else the first one."""
        chosen = request.cookies.get(self._named(base_url), "")
        return chosen if chosen in {word for word, _, _ in THEMES} else THEMES[0][0]

    def choose(self, response: Response, base_url: str, root: str, theme: str) -> None:
        """Remember a theme in the browser that asked."""
        secure = base_url.startswith("https://")
        path = "/" if secure else root or "/"
        response.set_cookie(self._named(base_url), theme, max_age=KEPT_SECONDS, path=path, secure=secure, httponly=True, samesite="lax")

    def _named(self, base_url: str) -> str:
        return f"__Host-{self._name}" if base_url.startswith("https://") else self._name
