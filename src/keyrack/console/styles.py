"""The style sheet, in the brand's colours."""

from hashlib import blake2b
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FILE = Path(__file__).parent / "static" / "console.css"
KEPT_SECONDS = 7 * 24 * 3600


class Style:
    """The style sheet of one brand. Pages name it with its `version`, so browsers may keep it."""

    def __init__(self, color: str) -> None:
        self._text = f":root {{ --brand: {color}; --on-brand: {readable_on(color)}; }}\n\n{FILE.read_text()}"
        self.version = blake2b(self._text.encode(), digest_size=8).hexdigest()

    async def answer(self, request: Request) -> Response:
        """Serve it."""
        return Response(self._text, media_type="text/css", headers={"Cache-Control": f"public, max-age={KEPT_SECONDS}, immutable"})


def readable_on(color: str) -> str:
    """Return black or white, whichever has more contrast on a colour `#rrggbb`: at least 4.5 to 1 (WCAG 2.2 §1.4.3)."""
    # Contrast with white is 1.05 / (L + 0.05), with black (L + 0.05) / 0.05: they are equal where L = sqrt(1.05 * 0.05) - 0.05.
    return "#000000" if _luminance(color) > (1.05 * 0.05) ** 0.5 - 0.05 else "#ffffff"


def _luminance(color: str) -> float:
    """Relative luminance, 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
