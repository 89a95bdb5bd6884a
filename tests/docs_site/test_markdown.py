"""Markdown as HTML, and what a page's text says of its parts."""

import re

import pytest

from keyrack.docs.facts import Facts
from keyrack.docs.markdown import ROOT, parts, render, twin
from keyrack.docs.page import Page, read
from keyrack.docs.site import FOLDER
from tests.hosts import BRAND

TEXT = """Above.

## The `key` and [its](/docs/x) life

Some **bold** text, with a [link](/docs/errors#codes).

```sh not-run="a reason"
# no heading
curl x
```

### Deeper

> [!WARNING]
> Take care.

## Same

## Same

| A | B |
|---|---|
| `one` | two |
"""
PAGE = Page("a", "A", "About a.", "Welcome", TEXT)


def test_parts_have_the_anchors_of_the_page() -> None:
    assert [(heading.anchor, heading.title) for heading in render(PAGE).headings] == [(part.anchor, part.title) for part in parts(PAGE)[1:]]
    assert ["", "the-key-and-its-life", "deeper", "same", "same-2"] == [part.anchor for part in parts(PAGE)]


def test_parts_of_every_page_have_its_anchors() -> None:
    for page in read(FOLDER / "pages", Facts(BRAND)):
        assert [heading.anchor for heading in render(page).headings] == [part.anchor for part in parts(page)[1:]], page.slug


def test_parts_are_plain_text() -> None:
    above, first, deeper, _, table = parts(PAGE)
    assert ("Above.", "Take care.", "one two") == (above.text.strip(), deeper.text.strip(), table.text.replace("A B", "").strip())
    assert "Some bold text, with a link." in first.text
    assert "curl x" in first.text


def test_links_of_this_host_lie_below_its_root() -> None:
    assert f'href="{ROOT}/docs/errors#codes"' in render(PAGE).html


def test_twin_has_whole_addresses_and_no_marks() -> None:
    text = twin(TEXT, "https://a.example")
    assert "[link](https://a.example/docs/errors.md#codes)" in text
    assert "\n```sh\n# no heading" in text


@pytest.mark.parametrize(
    "evil",
    ["<script>alert(1)</script>", "[a](javascript:alert(1))", '<img src=x onerror="alert(1)">', "```<b>\nx\n```", '```"onload="x\ny\n```'],
)
def test_text_stays_text(evil: str) -> None:
    html = render(Page("a", "A", "B", "Welcome", evil)).html
    assert not re.search(r"<(script|img|b)\b|href=\"javascript|<[^>]*\sonload=", html)
