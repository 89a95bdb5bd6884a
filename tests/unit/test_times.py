"""Times on the wire mean one moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrack.model.times import TIME_MS_MAX, iso, read_iso


@given(st.integers(0, TIME_MS_MAX))
def test_time_comes_back_as_it_was_written(at: int) -> None:
    assert at == read_iso(iso(at))
    assert len("2026-05-26T17:21:09.412Z") == len(iso(at))


def test_time_with_an_offset_is_read_as_its_moment() -> None:
    assert read_iso("2026-07-15T00:00:00Z") == read_iso("2026-07-15T02:30:00+02:30") == read_iso("2026-07-14t19:00:00.0009-05:00")


NO_MOMENTS = """
now|1784073600000|2026-07-15|2026-07-15T00:00:00|2026-07-15 00:00:00Z|2026-7-15T00:00:00Z|2026-02-30T00:00:00Z|2026-07-15T24:00:00Z|
2026-07-15T00:00:00+99:99|1969-12-31T23:59:59Z|9999-12-31T23:59:59-01:00|２026-07-15T00:00:00Z|2026-07-15T00:00:00.Z|2026-W29-3T00:00:00Z
"""


@pytest.mark.parametrize("text", [*NO_MOMENTS.strip().replace("\n", "").split("|"), "", "2026-07-15T00:00:00Z\n"])
def test_text_that_is_no_moment_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        read_iso(text)
