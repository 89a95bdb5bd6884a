"""What pages load: our own style sheets and modules, what the build hook has put beside them, and the brand's colours and logo.

Every address of an asset holds a mark of all of them, so browsers keep each for good, and fetch it anew when any has changed.
"""

import gzip
import json
from functools import cache
from hashlib import blake2b
from pathlib import Path

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from keyrack.model.brands import Brand
from keyrack.model.colors import brand_sheet, readable_on
from keyrack.model.refusals import NOT_FOUND

FOLDER = Path(__file__).parent / "static"
KEPT_SECONDS = 365 * 24 * 3600
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_MISSING = (
    "The console's assets are missing: {path} is not there. They are made when the package is built: in a checkout, run "
    "`pip install --editable .` (it fetches Node and a few files from npm), or install a wheel."
)


class Assets:
    """The assets of one brand, held in memory. Raises RuntimeError that says what to do where the build left none."""

    def __init__(self, brand: Brand) -> None:
        self._files = {**_files(), "brand.css": brand_sheet(brand.color).encode()}
        self._files["logo.svg"] = (brand.logo or _letter(brand)).encode()
        marked = blake2b(digest_size=8)
        for name in sorted(self._files):
            marked.update(name.encode() + b"\0" + self._files[name])
        self.version = marked.hexdigest()
        self._packed: dict[str, bytes] = {}
        self._icons: dict[str, str] = json.loads(self._files["vendor/icons.json"])

    def icon(self, name: str) -> Markup:
        """Return an icon, which says nothing to those who listen to the page: the text beside it does."""
        shapes = Markup(self._icons[name])  # noqa: S704 - made by the build hook
        return Markup('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>').format(shapes)

    async def answer(self, request: Request) -> Response:
        """Serve an asset. Under another mark than today's it is served too, to be asked for again."""
        name = request.path_params["name"]
        content = self._files.get(name)
        media_type = _TYPES.get(Path(name).suffix)
        if content is None or media_type is None:
            raise NOT_FOUND("There is no such file.")
        current = request.path_params["version"] == self.version
        headers = {
            "Cache-Control": f"public, max-age={KEPT_SECONDS}, immutable" if current else "no-cache",
            "Content-Type": media_type,
            "Vary": "Accept-Encoding",
        }
        if media_type != "font/woff2" and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            content = self._pack(name, content)
        return Response(content, headers=headers)

    def _pack(self, name: str, content: bytes) -> bytes:
        if name not in self._packed:
            self._packed[name] = gzip.compress(content, mtime=0)
        return self._packed[name]


def _letter(brand: Brand) -> str:
    """A logo for brands that have none: their first letter on their colour."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="7" fill="{brand.color}"/>'
        f'<text x="16" y="22.5" text-anchor="middle" font-family="system-ui, sans-serif" font-size="18" font-weight="700" '
        f'fill="{readable_on(brand.color)}">{escape(brand.name[0].upper())}</text></svg>'
    )


@cache
def _files() -> dict[str, bytes]:
    """All files of the static folder, by their path in it."""
    expected = FOLDER / "vendor" / "lock"
    if not expected.is_file():
        raise RuntimeError(_MISSING.format(path=expected.parent))
    paths = [
        path for path in FOLDER.rglob("*") if path.is_file() and not any(part.startswith(".") for part in path.relative_to(FOLDER).parts)
    ]
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}
