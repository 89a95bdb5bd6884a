"""Cursors say where a list goes on, to whoever gave the same filters, and nobody can make one."""

import json
from base64 import urlsafe_b64encode
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from keyrack.crypto.sign import Signer
from keyrack.manage.cursors import CURSOR_LENGTH_MAX, Cursors
from keyrack.model.refusals import CURSOR_FILTER_MISMATCH, INVALID_REQUEST
from tests.manage.refused import refused

CURSORS = Cursors(Signer(["newest", "oldest"], "cursor"))
FILTERS = {"list": "keys", "mode": "live", "search": None}

filters = st.dictionaries(st.text(max_size=10), st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)), max_size=4)


@given(st.integers(0, 2**53), st.text(max_size=30), filters)
def test_cursor_gives_its_place_back_for_the_same_filters(number: int, name: str, chosen: dict[str, Any]) -> None:
    reordered = dict(reversed(chosen.items())) | {"not given": None}
    assert (number, name) == CURSORS.read(CURSORS.write((number, name), chosen), reordered)


@given(filters, filters)
def test_cursor_of_other_filters_is_refused(chosen: dict[str, Any], other: dict[str, Any]) -> None:
    def told(some: dict[str, Any]) -> str:
        return json.dumps({name: value for name, value in some.items() if value is not None}, sort_keys=True)

    if told(chosen) != told(other):
        with refused(CURSOR_FILTER_MISMATCH, "other filters"):
            CURSORS.read(CURSORS.write((1, "a"), chosen), other)


def test_no_cursor_is_no_place() -> None:
    assert CURSORS.read(None, FILTERS) is None


def test_cursor_that_was_not_signed_here_is_refused() -> None:
    forged = urlsafe_b64encode(json.dumps([0, "c", "0" * 16]).encode()).decode().rstrip("=")
    others = Cursors(Signer(["another key"], "cursor")).write((1, "a"), FILTERS)
    forms = Signer(["newest"], "form").sign([1, "a", "0" * 16])
    for text in ("", ".", "c1", forged, others, forms, CURSORS.write((1, "a"), FILTERS)[:-1]):
        with refused(INVALID_REQUEST, "no cursor of ours"):
            CURSORS.read(text, FILTERS)


def test_signed_value_of_another_shape_is_refused() -> None:
    signer = Signer(["newest"], "cursor")
    for value in (None, 7, [1], ["1", "a", "m"], [1, 2, 3], {"place": 1}):
        with refused(INVALID_REQUEST):
            CURSORS.read(signer.sign(value), FILTERS)


def test_cursor_outlives_a_change_of_the_signing_key() -> None:
    old = Cursors(Signer(["oldest"], "cursor")).write((1, "a"), FILTERS)
    assert (1, "a") == CURSORS.read(old, FILTERS)


def test_longest_place_fits_into_a_parameter() -> None:
    for place in ((253_402_300_799_999, "req_" + "f" * 60), (0, "\U0001f511" * 200 + "\n" + "c" * 64)):
        assert CURSOR_LENGTH_MAX > len(CURSORS.write(place, FILTERS))


def test_refusal_names_the_parameter_and_not_what_it_held() -> None:
    with refused(INVALID_REQUEST) as raised:
        CURSORS.read("acme_held-by-mistake", {})
    assert "cursor" == raised.value.param
    assert "acme_held" not in str(raised.value)
