"""The docs site: its pages as HTML and as Markdown, its search, its indexes for programs, and what readers say of a page."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from keyrack.assemble import Assembly
from keyrack.docs import llms, page
from keyrack.docs.facts import BASE, Docs, Facts
from keyrack.docs.forms import read_form
from keyrack.docs.library import Library
from keyrack.docs.markdown import ROOT
from keyrack.docs.page import Page
from keyrack.docs.search import QUERY_LENGTH_MAX
from keyrack.docs.themes import THEMES, Themes
from keyrack.model.catalog import Operation

FOLDER = Path(__file__).parent
FOUND_MAX = 20
TYPED_MAX = 6
PATH_LENGTH_MAX = 300
MARKDOWN = "text/markdown; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    # A page is the same for everybody but for its theme, and new with the next start.
    "Cache-Control": "no-cache",
    "Vary": "Accept, Cookie, HX-Request",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}

Generated = Callable[[Facts], Iterable[Page]]
"""Makes pages from what the product knows of itself."""


class Assets(Protocol):
    """The console's style sheets, scripts and icons, which the docs wear too. `version` is a part of their addresses."""

    version: str

    def icon(self, name: str) -> Markup:
        """Return an icon."""


class Place(NamedTuple):
    """Where a request reached this host: `base_url` as people outside write it, `root` in front of its paths."""

    base_url: str
    root: str


class Site:
    """The docs of one host. `generated` make pages that no folder holds; `host` has pages of the host's own."""

    def __init__(
        self,
        assembly: Assembly,
        assets: Assets,
        generated: Sequence[Generated],
        host: Docs | None = None,
    ) -> None:
        self.desk = assembly.desk
        self.brand = assembly.brand
        self.themes = Themes(assembly.brand.key_prefix)
        self._operations: Sequence[Operation] = ()
        self._assembly = assembly
        self._assets = assets
        self._generated = generated
        self._host = host
        self._library: Library | None = None
        self._reading = asyncio.Lock()
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.globals.update(brand=assembly.brand, icon=assets.icon, day=_day)

    def use(self, operations: Sequence[Operation]) -> None:
        """Speak of these operations of the host's from now on. Raises ValueError that names a page of the host's that is wrong."""
        self._operations, self._library = operations, None
        if self._host is not None:
            for _ in page.read(self._host.folder, self.facts):
                pass

    async def library(self) -> Library:
        """Return all pages: read when somebody first asks for one. It takes a moment, in which no call waits."""
        async with self._reading:
            if self._library is None:
                self._library = await asyncio.to_thread(lambda: Library(self._pages()))
            return self._library

    @property
    def facts(self) -> Facts:
        """What pages know of the host."""
        assembly, words = self._assembly, self._host.words if self._host else {}
        categories, plans = list(assembly.categories.values()), list(assembly.plans.values())
        vendors = tuple(assembly.vendors.values())
        return Facts(self.brand, categories, plans, self._operations, assembly.refusals, assembly.versions, words, vendors=vendors)

    def place(self, request: Request) -> Place:
        """Return where a request reached this host."""
        base_url = self._assembly.problems.base_url(request.scope)
        if self._assembly.settings.base_url:
            return Place(base_url, urlsplit(base_url).path)
        root: str = request.scope.get("root_path", "")
        return Place(base_url + root, root)

    def address(self, request: Request) -> str:
        """Return the client's address, as the gate tells it."""
        return self._assembly.heads.address(request.scope)

    async def begin(self, request: Request) -> Response:
        """Lead to the first page."""
        library = await self.library()
        return RedirectResponse(f"{self.place(request).root}/docs/{library.first.slug}", 307)

    async def show(self, request: Request) -> Response:
        """Show a page, its twin in Markdown, or its index."""
        asked: str = request.path_params["slug"]
        if not asked:
            return RedirectResponse(f"{self.place(request).root}/docs", 308)
        slug = asked.removesuffix(f"/{llms.INDEX}").removesuffix(".md").rstrip("/")
        library = await self.library()
        found = library.find(slug)
        if found is None:
            return await self.missing(request)
        rendered = await asyncio.to_thread(library.rendered, found)
        if asked.endswith(f"/{llms.INDEX}"):
            return self.text(request, llms.index_of(library, found, BASE), PLAIN)
        if asked.endswith(".md") or wants_markdown(request.headers.get("accept", "")):
            return self.text(request, llms.markdown(library, found, BASE), MARKDOWN)
        if asked != slug:
            return RedirectResponse(f"{self.place(request).root}/docs/{slug}", 308)
        before, behind = library.neighbours(found)
        return await self.render(
            request,
            "page.html",
            page=found,
            rendered=rendered,
            before=before,
            behind=behind,
            parent=library.find(slug.rpartition("/")[0]),
            next=library.some(found.next),
            related=library.some(found.related),
        )

    async def index(self, request: Request) -> Response:
        """Show the index of all pages."""
        library = await self.library()
        return self.text(request, library.kept("index", lambda: llms.index(library, self.brand, BASE)), PLAIN)

    async def full(self, request: Request) -> Response:
        """Show all pages as one text."""
        library = await self.library()
        return self.text(request, library.kept("full", lambda: llms.full(library, self.brand, BASE)), PLAIN)

    async def search(self, request: Request) -> Response:
        """Show what a query finds: as a page, or while somebody types, as what is put below the field."""
        query = request.query_params.get("q", "")[:QUERY_LENGTH_MAX].strip()
        is_typed = "hx-request" in request.headers
        found = (await self.library()).index.find(query, TYPED_MAX if is_typed else FOUND_MAX)
        return await self.render(request, "typed.html" if is_typed else "search.html", query=query, found=found)

    async def choose_theme(self, request: Request) -> Response:
        """Remember whether pages are light or dark, and lead back."""
        place = self.place(request)
        form = await read_form(request, place.base_url)
        if form.get("theme") not in {word for word, _, _ in THEMES}:
            raise HTTPException(400, "There is no such theme.")
        here = form.get("here", "")
        inside = here.startswith("/docs") and here.isprintable() and len(here) <= PATH_LENGTH_MAX and "\\" not in here
        answer = RedirectResponse(f"{place.root}{here if inside else '/docs'}", 303)
        self.themes.choose(answer, place.base_url, place.root, form["theme"])
        return answer

    async def missing(self, request: Request) -> Response:
        """Say that there is no such page, and which ones its address may have meant."""
        last = request.scope["path"].rstrip("/").rpartition("/")[2]
        if last.endswith((".md", ".txt")):
            return self.text(request, f"There is no such page. All pages: {BASE}/{llms.INDEX}\n", MARKDOWN, 404)
        meant = (await self.library()).index.find(last.replace("-", " "), TYPED_MAX)
        return await self.render(request, "missing.html", 404, meant=meant)

    def text(self, request: Request, text: str, media_type: str, status: int = 200) -> Response:
        """Return a text for programs."""
        return Response(text.replace(BASE, self.place(request).base_url), status, HEADERS, media_type)

    async def render(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page for people, inside the frame of the docs."""
        place, library = self.place(request), await self.library()
        shown: Page | None = values.get("page")
        shared = {
            "assets": f"{place.root}/console/static/{self._assets.version}",
            "here": request.scope["path"].removeprefix(request.scope.get("root_path", "")),
            "keys_path": self.facts.keys_path,
            "page": None,
            "root": place.root,
            "base_url": place.base_url,
            "tab": library.tab(shown) if shown else None,
            "tabs": library.tabs,
            "theme": self.themes.chosen(request, place.base_url),
            "themes": THEMES,
        }
        text = self._templates.get_template(template).render(shared | values)
        return HTMLResponse(text.replace(BASE, str(escape(place.base_url))).replace(ROOT, place.root), status, HEADERS)

    def _pages(self) -> Iterable[Page]:
        facts = self.facts
        yield from page.read(FOLDER / "pages", facts)
        for generate in self._generated:
            yield from generate(facts)
        if self._host is not None:
            yield from page.read(self._host.folder, facts)


def wants_markdown(accept: str) -> bool:
    """Whether a client would rather have Markdown than HTML, by its Accept header (RFC 9110 §12.5.1)."""
    qualities: dict[str, float] = {}
    for item in accept.split(",")[:20]:
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        given = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        qualities[name] = float(given) if given.replace(".", "", 1).isdigit() and given.isascii() else 0.0
    return qualities.get("text/markdown", 0.0) > 0 and qualities["text/markdown"] >= qualities.get("text/html", 0.0)


def _day(updated: str) -> str:
    """Return a day as people read it: `21 Nov 2026`."""
    return date.fromisoformat(updated).strftime("%d %b %Y").lstrip("0")
