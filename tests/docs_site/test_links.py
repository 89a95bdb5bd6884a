"""No link of the docs is dead, and no anchor: crawled as a reader would, from the first page on."""

from functools import cache
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from atrium.brands import BRANDS
from tests.docs_site.conftest import Readers

PAGES_MAX = 1000


class Links(HTMLParser):
    """The addresses that a page leads to, and the anchors that it has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what leads somewhere, and what can be led to."""
        known = dict(attrs)
        if known.get("id"):
            self.anchors.add(str(known["id"]))
        if tag in ("a", "link", "img", "script"):
            self.addresses.update(filter(None, (known.get("href"), known.get("src"))))


async def crawl(reader: httpx.AsyncClient) -> dict[str, Links | int]:
    """Open every page of the docs that is led to, from the first on; of what lies outside, only whether it is there."""
    seen: dict[str, Links | int] = {}
    waiting = ["/docs"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        answer = await reader.get(path, follow_redirects=True)
        is_page = path.startswith("/docs") and "text/html" in answer.headers.get("content-type", "") and 200 == answer.status_code
        links = seen[path] = Links(answer.text) if is_page else answer.status_code
        if isinstance(links, Links):
            waiting += [found for address in links.addresses if (found := inside(reader, path, address)) and found not in seen]
        assert len(seen) < PAGES_MAX
    return seen


def inside(reader: httpx.AsyncClient, path: str, address: str) -> str | None:
    """The path of an address on this host; None for any other."""
    # Most stand on every page, and lead to the same place from each.
    return _resolved(str(reader.base_url), "/" if address.startswith("/") else path, address)


@cache
def _resolved(base_url: str, path: str, address: str) -> str | None:
    whole = urlsplit(urljoin(f"{base_url}{path}", address))
    if whole.netloc != urlsplit(base_url).netloc:
        return None
    return f"{whole.path}?{whole.query}" if whole.query else whole.path


@pytest.mark.parametrize("brand", BRANDS)
async def test_no_link_is_dead_and_every_page_is_led_to(readers: Readers, brand: str) -> None:
    reader = await readers.of(brand)
    seen = await crawl(reader)
    # A page of the console asks who is not signed in to do so, and goes on there; the host's own pages lead to the sign-in first.
    fine = {200, 401}
    assert [] == [path for path, found in seen.items() if isinstance(found, int) and found not in fine]
    dead = []
    for path, links in seen.items():
        for address in links.addresses if isinstance(links, Links) else ():
            target, anchor = inside(reader, path, address), urlsplit(address).fragment
            page = seen.get(target or "")
            if anchor and isinstance(page, Links) and anchor not in page.anchors:
                dead.append(f"{path} → {address}")
    assert [] == dead
    # And every page is led to by some other.
    index = (await reader.get("/llms.txt")).text
    known = {line.partition("](")[2].partition(".md)")[0].partition("/docs/")[2] for line in index.splitlines() if line.startswith("- [")}
    assert set() == {slug for slug in known if f"/docs/{slug}" not in seen}


async def test_key_is_got_through_the_sign_in(reader: httpx.AsyncClient) -> None:
    page = (await reader.get("/docs/quickstart")).text
    assert 'href="/console/keys/new"' in page
    sign_in = await reader.get("/console/keys/new")
    assert (401, True) == (sign_in.status_code, 'name="to" value="/console/keys/new"' in sign_in.text)
