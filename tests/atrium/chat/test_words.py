"""Words: a question finds what its source says in another form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atrium.chat.words import TERM_LENGTH_MAX, terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("shipping", "shipped"),
        ("Deliveries", "delivery"),
        ("returns", "returning"),
        ("refunded", "refund"),
        ("prices", "pricing"),
        ("opening hours", "open hour"),
        ("Café", "cafe"),
        ("STRASSE", "straße"),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str) -> None:
    assert terms(one) == terms(other)


def test_words_without_meaning_are_no_terms() -> None:
    assert [] == terms("What is it, and how do I do that? ... “—”")
    assert ["ポイ", "イン", "ント"] == terms("ポイント")


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_terms_are_letters_and_digits_alone(text: str) -> None:
    for term in terms(text):
        assert 0 < len(term) <= TERM_LENGTH_MAX
        assert not any(character in term for character in " \"'\\:*&|!()<>\x00\n")
        assert term == term.casefold() or not term.isascii()
