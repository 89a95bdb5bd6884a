"""A browser without JavaScript: it opens pages, reads their forms and submits them, and keeps cookies."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

VOID = {"meta", "link", "input", "br", "hr", "img", "wbr"}


@dataclass
class Element:
    """A tag with its attributes, and the text inside it."""

    tag: str
    attributes: dict[str, str]
    inside: list["Element"] = field(default_factory=list)
    text: str = ""

    def all(self, *tags: str) -> list["Element"]:
        """Every element inside with one of these tags, or every element at all."""
        found = []
        for child in self.inside:
            if not tags or child.tag in tags:
                found.append(child)
            found += child.all(*tags)
        return found


class Reader(HTMLParser):
    """Reads a page, strictly: each tag is closed by its own."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]
        self.feed(html)
        self.close()
        assert [self.root] == self._open, f"not closed: {[one.tag for one in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        assert len(attrs) == len(dict(attrs)), f"an attribute stands twice: {attrs}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inside.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        assert tag == self._open.pop().tag

    def handle_data(self, data: str) -> None:
        """Take text into all elements around it."""
        for element in self._open:
            element.text += data


class Page:
    """One answer, read as a page."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.status = answer.status_code
        self.root = Reader(answer.text).root
        self.text = " ".join(self.root.text.split())

    def fields(self, action: str) -> dict[str, str]:
        """What the form with this action would send."""
        (form,) = [form for form in self.root.all("form") if form.attributes["action"] == action]
        sent = {}
        for one in form.all("input"):
            if one.attributes.get("type") not in ("radio", "checkbox") or "checked" in one.attributes:
                sent[one.attributes["name"]] = one.attributes["value"]
        for one in form.all("select"):
            options = one.all("option")
            chosen = next((option for option in options if "selected" in option.attributes), options[0])
            sent[one.attributes["name"]] = chosen.attributes["value"]
        return sent

    @property
    def actions(self) -> set[str]:
        """Where the forms of this page lead."""
        return {form.attributes["action"] for form in self.root.all("form")}

    @property
    def links(self) -> set[str]:
        """Where the links of this page lead."""
        return {link.attributes["href"] for link in self.root.all("a")}


class Browser:
    """Opens pages over a client of its own."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def open(self, address: str) -> Page:
        """Open a page, following redirects."""
        return Page(await self.client.get(address, follow_redirects=True))

    async def submit(self, page: Page, action: str, **changed: str) -> Page:
        """Submit a form of a page as it stands, or with other values, and follow the redirect."""
        return Page(await self.send(action, page.fields(action) | changed))

    async def send(self, action: str, fields: dict[str, str], *, site: str = "same-origin") -> httpx.Response:
        """Send a form that came from `site`, and follow the redirect."""
        return await self.client.post(action, data=fields, headers={"Sec-Fetch-Site": site}, follow_redirects=True)
