"""Hosts have pages of their own, and addresses of their own."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from keyrack import Brand, Docs, Keyrack, Settings
from keyrack.docs import page
from keyrack.docs.facts import Facts
from tests.hosts import BRAND, CATEGORIES, build_app, living

ROOT = Path(__file__).parents[2]
FRONT = '+++\ntitle = "{title}"\nsummary = "About it."\nsection = "{section}"\n+++\n'


@asynccontextmanager
async def read(app: FastAPI, rack: Keyrack) -> AsyncIterator[httpx.AsyncClient]:
    """Let somebody read the docs of a host."""
    rack.install(app)
    async with living(app), httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://acme.test") as reader:
        yield reader


def host(folder: Path, docs: Docs | None = None, **settings: Any) -> Keyrack:
    return Keyrack(Settings(data=folder, **settings), brand=BRAND, categories=CATEGORIES, docs=docs)


async def test_hosts_page_takes_the_place_of_ours_and_others_are_added(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    (pages / "recipes").mkdir(parents=True)
    (pages / "quickstart.md").write_text(FRONT.format(title="Begin here", section="Welcome") + "Pay in {{ currency }} with `{{ key }}`.\n")
    (pages / "recipes" / "refunds.md").write_text(FRONT.format(title="Refunds", section="Recipes") + "See [errors](/docs/errors).\n")
    rack = host(tmp_path, Docs(pages, {"currency": "EUR"}))
    async with read(build_app(rack), rack) as reader:
        quickstart = (await reader.get("/docs/quickstart")).text
        assert ("Pay in EUR", True) == (re.findall("Pay in EUR", quickstart)[0], "acme_REPLACE_ME" in quickstart)
        assert "Begin here" in quickstart
        refunds = await reader.get("/docs/recipes/refunds")
        assert (200, True) == (refunds.status_code, "Recipes" in refunds.text)
        index = (await reader.get("/llms.txt")).text
        assert "## Guides: Recipes\n\n- [Refunds](http://acme.test/docs/recipes/refunds.md): About it." in index
        assert 1 == index.count("/docs/quickstart.md")


async def test_quickstart_of_any_host_reads_its_first_list(tmp_path: Path) -> None:
    rack = host(tmp_path)
    async with read(build_app(rack), rack) as reader:
        assert "curl http://acme.test/api/v1/customers" in (await reader.get("/docs/quickstart.md")).text


async def test_hosts_own_index_stays_its_own(tmp_path: Path) -> None:
    rack = host(tmp_path)
    app = build_app(rack)

    @app.get("/llms.txt")
    async def own() -> PlainTextResponse:
        return PlainTextResponse("# Ours\n")

    async with read(app, rack) as reader:
        assert "# Ours\n" == (await reader.get("/llms.txt")).text
        assert (await reader.get("/docs/llms.txt")).text.startswith("# Acme API\n")
        assert (await reader.get("/llms-full.txt")).text.startswith("# Acme API: all pages\n")


async def test_addresses_are_those_that_the_operator_set(tmp_path: Path) -> None:
    rack = host(tmp_path, base_url="https://acme.example/tools")
    async with read(build_app(rack), rack) as reader:
        page = (await reader.get("/docs/quickstart")).text
        paths = set(re.findall(r'(?:href|src|action)="(/[^"]*)"', page))
        assert [] == [path for path in paths if not path.startswith("/tools/")]
        assert "https://acme.example/tools/api/v1/me" in page
        assert "(https://acme.example/tools/docs/errors.md)" in (await reader.get("/llms.txt")).text
        assert "/tools/docs/introduction" == (await reader.get("/docs")).headers["location"]
        chosen = await reader.post("/docs/theme", data={"theme": "dark"}, headers={"Origin": "https://acme.example"})
        assert (303, "/tools/docs") == (chosen.status_code, chosen.headers["location"])
        assert chosen.headers["set-cookie"].startswith("__Host-acme_theme=dark; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax; Secure")


@pytest.mark.parametrize("name", ['"><script>alert(1)</script>', "evil.example/docs", "evil.example\r\nX: y", "a" * 400])
async def test_host_header_puts_nothing_into_pages(tmp_path: Path, name: str) -> None:
    rack = host(tmp_path)
    async with read(build_app(rack), rack) as reader:
        request = reader.build_request("GET", "/docs/quickstart")
        request.headers.raw  # noqa: B018 - read before it is changed
        request.headers = httpx.Headers([(b"host", name.encode())])
        answer = await reader.send(request)
        assert 200 == answer.status_code
        assert "<script>alert" not in answer.text
        assert name not in answer.text


async def test_wrong_page_of_a_host_stops_its_start(tmp_path: Path) -> None:
    (tmp_path / "wrong.md").write_text("No front matter.")
    rack = host(tmp_path, Docs(tmp_path))
    app = build_app(rack)
    rack.install(app)
    with pytest.raises(RuntimeError, match=r"wrong\.md: it does not begin with"):
        async with living(app):
            pass


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("No front matter.", "two lines"),
        ('+++\ntitle = "A"\n+++\n', "summary"),
        ('+++\ntitle = "A"\nsummary = "B"\nsection = "C"\ncolour = 1\n+++\n', "colour"),
        (FRONT.format(title="A", section="B") + "{{ nothing }}", "nothing"),
        (FRONT.format(title="A", section="B") + "{% if %}", "expression"),
    ],
)
def test_wrong_page_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "wrong.md").write_text(text)
    with pytest.raises(ValueError, match=rf"wrong\.md: .*{said}"):
        list(page.read(tmp_path, Facts(BRAND)))


def test_page_whose_condition_does_not_hold_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text('+++\ntitle = "A"\nsummary = "B"\nsection = "C"\nwhen = "brand.reveals"\n+++\nText.\n')
    assert [] == list(page.read(tmp_path, Facts(BRAND)))
    assert ["a"] == [one.slug for one in page.read(tmp_path, Facts(Brand("Acme", "acme", reveals=True)))]


def test_every_placeholder_is_told_to_hosts() -> None:
    told = (ROOT / "docs" / "docs-site.md").read_text().partition("| placeholder |")[2].partition("\n\n")[0]
    names = set(re.findall(r"`(\w+)`", "\n".join(row.split("|")[1] for row in told.splitlines()[2:])))
    assert set(Facts(BRAND).shown()) == names


@pytest.mark.parametrize(
    "wrong",
    [
        {"support_email": "nobody"},
        {"support_email": "a@b?subject=x"},
        {"support_url": "http://a.example"},
        {"support_url": "javascript:alert(1)"},
        {"status_url": "https://a.example/ x"},
    ],
)
def test_addresses_of_help_are_addresses(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Brand("Acme", "acme", **wrong)  # type: ignore[arg-type]
