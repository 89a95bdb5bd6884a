"""The pages as people and programs get them, over HTTP."""

import re

import httpx
import pytest

from atrium.brands import BRANDS
from keyrack.docs.facts import Facts
from tests.console.browser import Reader
from tests.docs_site.conftest import Readers

CHROME = (
    "For AI agents: an index of these docs is at /llms.txt at the root of this host, and all of them as one text at /llms-full.txt.",
    "Append /llms.txt to the address of any page for an index of that page, or .md for the page in Markdown.",
    "Dashboard",
    "Get an API key",
    *("Get Started", "Guides", "API Reference", "SDKs", "Changelog"),
    *("Welcome", "Introduction", "Quickstart", "Authentication"),
    *("Concepts", "Rate limits", "Errors", "Pagination", "Versioning", "Idempotency"),
    *("On this page", "View as Markdown", "Open in Claude", "Was this page helpful?", "Previous", "Next", "Built with"),
)


def text_of(answer: httpx.Response) -> str:
    """What a page says, with each run of blanks as one."""
    return " ".join(Reader(answer.text).root.text.split())


async def test_quickstart_has_all_that_stands_around_the_help_page(reader: httpx.AsyncClient) -> None:
    said = text_of(await reader.get("/docs/quickstart"))
    assert [] == [words for words in CHROME if words not in said]


async def test_quickstart_leads_from_a_key_to_an_onboarding_as_this_brand_calls_things(reader: httpx.AsyncClient) -> None:
    page = text_of(await reader.get("/docs/quickstart"))
    for said in (
        "Admin > API Keys",
        "Create key",
        "pivotal_…",
        "pivotal_test_…",
        "Pivotal keeps only its hash",
        'curl http://pivotal.test/api/v1/me \\ -H "Authorization: Bearer pivotal_REPLACE_ME"',
        '"key_prefix": "pivotal_abc1"',
        "curl http://pivotal.test/api/v1/customers/245/contacts",
        '"phase": "before_getting_started"',
        "loyalty launch onboarding",
    ):
        assert said in page


async def test_quickstart_stands_between_its_neighbours(reader: httpx.AsyncClient) -> None:
    page = (await reader.get("/docs/quickstart")).text
    assert re.search(r'href="/docs/introduction" rel="prev"', page)
    assert re.search(r'href="/docs/authentication" rel="next"', page)


async def test_headings_are_on_the_list_beside_the_page(reader: httpx.AsyncClient) -> None:
    root = Reader((await reader.get("/docs/quickstart")).text).root
    (beside,) = [one for one in root.all("ul") if "data-beside" in one.attributes]
    assert [
        "1. Create an API key",
        "2. Confirm the key works",
        "3. Create a customer",
        "4. Attach a primary contact",
        "5. Open an onboarding",
        "Next",
    ] == [one.text for one in beside.all("a")]


@pytest.mark.parametrize("brand", BRANDS)
async def test_pages_speak_of_what_the_brand_has(readers: Readers, brand: str) -> None:
    shown, reader = BRANDS[brand].brand, await readers.of(brand)
    everything = (await reader.get("/llms-full.txt")).text
    assert shown.test_mode == ("/docs/test-mode" in everything) == (200 == (await reader.get("/docs/test-mode")).status_code)
    assert ("keys" in shown.lists) == (200 == (await reader.get("/docs/guides/api-keys")).status_code)
    assert ("integrations" in shown.lists) == (200 == (await reader.get("/docs/guides/integrations")).status_code)
    assert shown.personal_tokens == (200 == (await reader.get("/docs/guides/personal-tokens")).status_code)
    assert Facts(shown).key in everything


async def test_nothing_is_left_of_what_stands_for_addresses(reader: httpx.AsyncClient) -> None:
    index = (await reader.get("/llms.txt")).text
    addresses = [found.removesuffix(".md") for found in re.findall(r"\((http://pivotal\.test/docs/\S+)\)", index)]
    assert len(addresses) > 20
    for address in addresses:
        for twin in (address, f"{address}.md", f"{address}/llms.txt"):
            answer = await reader.get(twin)
            assert 200 == answer.status_code, twin
            assert ".invalid" not in answer.text, twin


async def test_unknown_page_is_missing_and_says_what_is_near(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/docs/quick-start-pagination")
    assert 404 == answer.status_code
    answer = await reader.get("/docs/old/pagination")
    assert (404, True) == (answer.status_code, "/docs/pagination" in answer.text)
    assert 404 == (await reader.get("/docs/old/pagination.md")).status_code


async def test_docs_begin_with_the_introduction(reader: httpx.AsyncClient) -> None:
    assert "/docs/introduction" == (await reader.get("/docs")).headers["location"]
    assert "/docs/quickstart" == (await reader.get("/docs/quickstart/")).headers["location"]


async def test_docs_with_a_slash_behind_are_the_docs(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/docs/")
    assert (308, "/docs") == (answer.status_code, answer.headers["location"])


async def test_form_that_sends_a_call_stands_on_the_page_of_the_operation_and_not_in_its_twin(reader: httpx.AsyncClient) -> None:
    page, twin = (await reader.get("/docs/api/me/get-me")).text, (await reader.get("/docs/api/me/get-me.md")).text
    assert (True, True) == ('id="try-it"' in page, "data-try" in page)
    assert ("## Errors" in twin, "Try it" in twin) == (True, False)


async def test_theme_is_remembered_and_leads_nowhere_else(reader: httpx.AsyncClient) -> None:
    answer = await reader.post("/docs/theme", data={"theme": "dark", "here": "/docs/errors"})
    assert (303, "/docs/errors") == (answer.status_code, answer.headers["location"])
    assert 'data-theme="dark"' in (await reader.get("/docs/errors")).text
    reader.cookies.clear()
    for elsewhere in ("https://evil.example/docs", "//evil.example/docs", "/docs\\evil", "/docs\r\nSet-Cookie: a=b"):
        answer = await reader.post("/docs/theme", data={"theme": "dark", "here": elsewhere})
        assert "/docs" == answer.headers["location"]
    assert 400 == (await reader.post("/docs/theme", data={"theme": "<script>"})).status_code
    assert 403 == (await reader.post("/docs/theme", data={"theme": "dark"}, headers={"Sec-Fetch-Site": "cross-site"})).status_code


async def test_pages_forbid_what_they_do_not_need(reader: httpx.AsyncClient) -> None:
    for path in ("/docs/quickstart", "/docs/search?q=key", "/docs/nothing", "/docs/help"):
        policy = (await reader.get(path)).headers["content-security-policy"]
        assert ("default-src 'none'", True, False) == (policy.split(";")[0], "script-src 'self'" in policy, "unsafe" in policy)
