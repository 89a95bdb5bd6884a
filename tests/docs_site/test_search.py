"""Looking for words in the docs."""

import httpx
import pytest

from keyrack.docs.page import Page
from keyrack.docs.search import QUERY_LENGTH_MAX, Index

PAGES = [
    Page(
        "keys",
        "Keys",
        "How keys are made.",
        "Welcome",
        "A key has a `next_cursor`.\n\n## Rotation\n\nRotate a key. <script>alert(1)</script>\n",
    ),
    Page("lists", "Lists", "How lists are read.", "Welcome", "Lists have a key, too.\n\n## Cursors\n\nA cursor leads on.\n"),
]


def found(query: str) -> list[tuple[str, str]]:
    return [(one.page.slug, one.part.anchor) for one in Index(PAGES).find(query, 10)]


def test_title_counts_more_than_text() -> None:
    assert "keys" == found("key")[0][0]


def test_all_words_are_needed() -> None:
    assert [("lists", "cursors")] == found("cursor leads")
    assert [] == found("cursor elephants")


def test_last_word_may_be_begun() -> None:
    assert [("keys", "rotation")] == found("rotat")
    assert [] == found("rotat key")


def test_halves_of_a_name_are_found() -> None:
    assert "keys" in [slug for slug, _ in found("next")]
    assert [("keys", "")] == found("next_cursor")


def test_excerpt_marks_the_words_and_escapes_the_text() -> None:
    (one,) = Index(PAGES).find("alert", 10)
    assert "&lt;script&gt;<mark>alert</mark>(1)&lt;/script&gt;" in one.excerpt


@pytest.mark.parametrize("query", ["", "  ", "?!", "\0", "(", "\\", ".*", "a" * 5000, "é" * QUERY_LENGTH_MAX, "a " * 500])
def test_any_query_is_answered(query: str) -> None:
    found(query)


async def test_codes_headers_and_guides_are_found(reader: httpx.AsyncClient) -> None:
    for query, first in (
        ("key_revoked", "/docs/errors/key_revoked"),
        ("Idempotency-Key", "/docs/idempotency"),
        ("RateLimit-Policy", "/docs/rate-limits"),
        ("incremental sync", "/docs/guides/incremental-sync"),
    ):
        page = (await reader.get("/docs/search", params={"q": query})).text
        assert page.partition('class="docs-found"')[2].partition('href="')[2].startswith(first), query


async def test_what_is_typed_is_answered_below_the_field(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/docs/search", params={"q": "idem"}, headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith('<div id="typed"')
    assert "/docs/idempotency" in answer.text


async def test_query_is_text_on_its_page(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/docs/search", params={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in answer.text
