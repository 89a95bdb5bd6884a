"""What programs that read get: indexes, twins in Markdown, and one text of everything."""

import re

import httpx
import pytest
from llms_txt import parse_llms_file

from keyrack.docs.site import wants_markdown


async def test_index_is_read_by_the_parser_of_the_form(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/llms.txt")
    assert "text/plain; charset=utf-8" == answer.headers["content-type"]
    parsed = parse_llms_file(answer.text)
    assert ("Pivotal API", True) == (parsed.title, bool(parsed.summary))
    quickstart = next(link for link in parsed.sections["Get Started: Welcome"] if "Quickstart" == link.title)
    assert ("http://pivotal.test/docs/quickstart.md", "From no key to your first customer, in five calls.") == (
        quickstart.url,
        quickstart.desc,
    )
    assert parsed.sections["Optional"]


async def test_every_address_of_the_index_is_there(reader: httpx.AsyncClient) -> None:
    parsed = parse_llms_file((await reader.get("/llms.txt")).text)
    addresses = [link.url for section in parsed.sections.values() for link in section]
    assert len(addresses) == len(set(addresses)) > 20
    assert [] == [address for address in addresses if 200 != (await reader.get(address)).status_code]


async def test_index_of_a_page_leads_to_its_parts(reader: httpx.AsyncClient) -> None:
    parsed = parse_llms_file((await reader.get("/docs/quickstart/llms.txt")).text)
    assert "Quickstart" == parsed.title
    assert "http://pivotal.test/docs/quickstart#create-a-customer" in [link.url for link in parsed.sections["On this page"]]
    assert "Errors" in [link.title for link in parsed.sections["Next"]]
    below = parse_llms_file((await reader.get("/docs/errors/llms.txt")).text).sections["Below this page"]
    assert "http://pivotal.test/docs/errors/key_revoked.md" in [link.url for link in below]


async def test_every_index_stands_where_it_is_looked_for(reader: httpx.AsyncClient) -> None:
    root = (await reader.get("/llms.txt")).text
    assert root == (await reader.get("/docs/llms.txt")).text
    assert (await reader.get("/llms-full.txt")).text == (await reader.get("/docs/llms-full.txt")).text


async def test_twin_begins_with_where_the_index_is(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/docs/quickstart.md")
    assert "text/markdown; charset=utf-8" == answer.headers["content-type"]
    assert answer.text.startswith("Documentation index: http://pivotal.test/llms.txt\n\n# Quickstart\n")
    assert "\n```sh\ncurl http://pivotal.test/api/v1/me" in answer.text
    assert "(http://pivotal.test/docs/test-mode.md)" in answer.text


async def test_twin_has_no_marks_of_its_source(reader: httpx.AsyncClient) -> None:
    everything = (await reader.get("/llms-full.txt")).text
    # `{{ $` is how n8n writes what it fills in.
    assert [] == re.findall(r"not-run=|\{\{(?! \$)|\{%|\+\+\+|\.invalid", everything)


async def test_who_asks_for_markdown_gets_it(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/docs/quickstart", headers={"Accept": "text/markdown, text/html;q=0.9"})
    assert ("text/markdown; charset=utf-8", True) == (answer.headers["content-type"], "Accept" in answer.headers["vary"])
    assert answer.text == (await reader.get("/docs/quickstart.md")).text


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/markdown", True),
        ("text/markdown, text/html", True),
        ("text/html, text/markdown;q=0.8", False),
        ("text/markdown;q=0", False),
        ("text/markdown;q=abc", False),
        ("text/markdown;q=²", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("*/*", False),
        ("", False),
        (";;;,,,", False),
    ],
)
def test_markdown_is_for_those_who_prefer_it(accept: str, wanted: bool) -> None:
    assert wanted == wants_markdown(accept)
